"""A sample with designs of two grids, made without solving."""

from __future__ import annotations

import numpy as np

from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.store import RunRecord, Sample
from trabecula.problem import dump, problems


def sample(index: int = 0, seed: int = 0) -> Sample:
    """A plate with two designs on the coarsest grid and one on the finest."""
    problem = problems.get("cantilever", (96, 48))
    grids = grid_hierarchy(discretise(problem))
    random = np.random.default_rng(seed)

    def run(name: str, level: int) -> RunRecord:
        density = random.random(grids[level].grid.shape).astype(np.float16)
        return RunRecord(name, "ramp", level, 1.0, density, 5)

    finest = len(grids) - 1
    runs = (run("0-a", 0), run("0-b", 0), run(f"{finest}-a", finest))
    return Sample(
        index=index,
        problem=dump(problem),
        hard=False,
        grids=tuple(grid.grid.elements for grid in grids),
        runs=runs,
        snapshots=(),
        convex=runs[0].density,
        winner=runs[-1].name,
    )
