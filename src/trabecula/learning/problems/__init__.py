"""Random, well-posed problems to learn from: every index of every seed is one problem, on every machine."""

from trabecula.learning.problems.drawing import (
    VOXELS,
    Drawn,
    draw,
    draw_counted,
)

__all__ = ["VOXELS", "Drawn", "draw", "draw_counted"]
