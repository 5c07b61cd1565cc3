"""Designs for judges to choose among: made once from real solves and kept in out/benchmarks/taste.

Of every problem 102 designs: 17 random fields for each of three filter radii (the problem's own, 1.4 and 2
times that), without and with a plane of symmetry, each worked on for `ITERATIONS` iterations of a grey solve
(penalty 1 to 3 over 15), then made voxels of the same volume. The wider filters are there because designs of
one filter are nearly equally thick, the planes because few designs are symmetric otherwise. The same designs
come out everywhere; a problem that is there already is not made again.

`python -m benchmarks.taste_pool` makes all of them, in minutes on one thread.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from benchmarks import random_problems
from benchmarks.report import SCRATCH
from benchmarks.runs import forever, unprojected
from trabecula.design import Schedule
from trabecula.discretisation import prepare
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.gallery.difference import solid_voxels
from trabecula.optimize.loop import run
from trabecula.problem import problems
from trabecula.starts import RandomFields
from trabecula.strategy.workbench import Workbench

FOLDER = SCRATCH / "taste"
EACH, RADII, ITERATIONS = 17, (1.0, 1.4, 2.0), 45
SEED = 7


@dataclass(frozen=True, eq=False)
class Pool:
    """The designs of one problem.

    Attributes
    ----------
    name
        Of the problem.
    masks
        bool `[design, z, y, x]`.
    spacing
        Edge lengths of a voxel along x, y(, z), m.
    """

    name: str
    masks: NDArray[np.bool_]
    spacing: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """Of the designs."""
        return self.masks.ndim - 1


def problems_of_pool() -> dict[str, tb.Problem]:
    """Six plates and two solids, grey, small."""
    found = {
        "mbb": problems.get("mbb", (72, 24)),
        "bridge": problems.get("bridge", (80, 20)),
        "cantilever": problems.get("cantilever", (64, 32)),
        "michell": problems.get("michell", (60, 40)),
        "l_bracket": problems.get("l_bracket", (48, 48)),
        "plate": random_problems.get(4, 0.3),
        "torsion": problems.get("torsion", (24, 12, 12)),
        "cantilever_3d": problems.get("cantilever_3d", (28, 14, 10)),
    }
    return {name: unprojected(problem) for name, problem in found.items()}


def get(name: str) -> Pool:
    """The designs of a problem, from the folder or made now."""
    path = FOLDER / f"{name}.npz"
    if not path.is_file():
        problem = problems_of_pool()[name]
        masks = np.stack(list(_make(problem)))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{name}.part.npz")
        np.savez_compressed(temporary, masks=masks, spacing=np.array(problem.domain.spacing))
        Path(temporary).replace(path)
    with np.load(path, allow_pickle=False) as kept:
        return Pool(name, kept["masks"], tuple(map(float, kept["spacing"])))


def _make(problem: tb.Problem) -> Iterator[NDArray[np.bool_]]:
    own = problem.options.filter.radius or 1.5 * max(problem.domain.spacing)
    for k, (factor, symmetry) in enumerate(product(RADII, ((), _plane(problem)))):
        wider = replace(problem.options.filter, radius=factor * own)
        options = replace(problem.options, filter=wider, symmetry=symmetry)
        bench = Workbench(nondimensional(prepare(replace(problem, options=options))[0]).problem, 1)
        analysis = bench.analysis(bench.discrete)
        for proposal in RandomFields(SEED + k).propose(bench.discrete, analysis.chain, EACH):
            plan = bench.plan(bench.discrete, Schedule(1.0, 3.0, 15), forever(ITERATIONS))
            step = run(analysis, plan, proposal.density)
            yield solid_voxels(analysis.chain.physical(step.x), bench.discrete)


def _plane(problem: tb.Problem) -> tuple[str, ...]:
    """A plane of symmetry that the problem's passive parts have; () without."""
    for axis in "xy":
        try:
            prepare(replace(problem, options=replace(problem.options, symmetry=(axis,))))
        except tb.ProblemError:
            continue
        return (axis,)
    return ()


def main() -> None:
    """Make all."""
    for name in problems_of_pool():
        clock = time.perf_counter()
        pool = get(name)
        print(
            f"{name:14} {pool.masks.shape} {time.perf_counter() - clock:.0f} s", file=sys.stderr, flush=True
        )


if __name__ == "__main__":
    main()
