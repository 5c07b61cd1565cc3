"""Random, well-posed problems to learn from: every index of every seed is one problem, on every machine."""

from trabecula.learning.problems.drawing import (
    VOXELS,
    DrawnProblem,
    draw,
    draw_with_count,
)

__all__ = ["VOXELS", "DrawnProblem", "draw", "draw_with_count"]
