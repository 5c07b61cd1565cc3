"""Claim: the search for a projected design takes at most 0.7 of the work of the search that grey designs are
found by, and ends no worse in the median.

Solves every named problem and 20 random ones, projected, by both searches on one thread. Work is the voxels
of a grid for every iteration of conjugate gradients there and two more for every solve, so that what else the
machine does is not in it; seconds are the processor's. Compliances are of the projected final designs, solved
tightly. Names restrict the run; `--random N` takes fewer random problems.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import random_problems
from benchmarks.report import Cell, Figure, Table, arguments, finish, size_text
from benchmarks.ways import stop_of
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics import Guess, Solve
from trabecula.physics.voxel import VoxelState
from trabecula.problem import Problem, problems
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.multistart import CRISP, Search
from trabecula.strategy.runner import run_to_end
from trabecula.strategy.workbench import Workbench

COLUMNS = ("problem", "grid", "compliance %", "work ratio", "time ratio", "KKT before", "KKT")
EXACT = 1e-8


class Worked(VoxelState):
    """The state equation, that adds its work to a list of one number."""

    def __init__(self, problem: DiscreteProblem, work: list[float]) -> None:
        super().__init__(problem, 1)
        self._voxels, self._work = problem.grid.count, work

    def solve(
        self,
        load: NDArray[np.float64],
        start: Guess | None = None,
        tolerance: float = 1e-5,
        max_iterations: int = 500,
    ) -> tuple[NDArray[np.float64], Solve]:
        """As the compiled state does."""
        u, found = super().solve(load, start, tolerance, max_iterations)
        self._work[0] += (found.iterations + 2) * self._voxels
        return u, found


@dataclass(frozen=True)
class Found:
    """What a search led to: `compliance`, `work` in millions of voxels, processor seconds, KKT residual."""

    compliance: float
    work: float
    seconds: float
    kkt: float


def solve(discrete: DiscreteProblem, search: Search) -> Found:
    """A projected design by a search, from the coarsest grid to its stop."""
    work = [0.0]
    bench = Workbench(discrete, 1, make_state=lambda grid, _: Worked(grid, work))
    clock = time.process_time()
    end = run_to_end(coarse_to_fine(bench, search, stop_of()))
    seconds, done = time.process_time() - clock, work[0]
    penalty, beta = discrete.options.penalty, end.plan.schedule.beta_end
    exact = bench.analysis(discrete).evaluate(end.step.x, penalty, beta, tolerance=EXACT)
    kkt = [row.kkt for row in end.step.rows if row.kkt == row.kkt]
    return Found(exact.compliance, done / 1e6, seconds, kkt[-1])


def cases(names: list[str], count: int, quick: bool) -> list[tuple[str, Problem]]:
    """The problems by name, projected."""
    found = []
    for name in problems.names():
        if not names or name in names:
            problem = problems.get(name)
            size = tuple(n // 2 for n in problem.domain.elements)
            found.append((name, problems.get(name, size) if quick else problem))
    for number in range(0 if names else count):
        found.append((f"random-{number}", random_problems.get(number, 0.5 if quick else 1.0)))
    return [(name, replace(p, options=replace(p.options, projection=True))) for name, p in found]


def main() -> None:
    """Solve, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("names", nargs="*", help="named problems; default: all, and random ones")
    parser.add_argument("--random", type=int, default=random_problems.COUNT, help="random problems")
    asked = parser.parse_args()
    rows: list[tuple[Cell, ...]] = []
    ends, work, seconds = [], [], []
    for name, problem in cases(asked.names, asked.random, asked.quick):
        discrete, _ = prepare(problem)
        before, after = solve(discrete, Search()), solve(discrete, CRISP)
        ends.append(100.0 * (after.compliance / before.compliance - 1.0))
        work.append(after.work / before.work)
        seconds.append(after.seconds / before.seconds)
        grid = size_text(problem.domain.elements)
        rows.append((name, grid, ends[-1], work[-1], seconds[-1], before.kkt, after.kkt))
        print(
            f"{name:14} {grid:>10} {ends[-1]:+.2f} %, {work[-1]:.2f} of the work", file=sys.stderr, flush=True
        )
    note = f"{len(rows)} problems"
    figures = [
        Figure("work, of the other search's, median", statistics.median(work), "x", 0.7, note=note),
        Figure("work, of the other search's, worst", max(work), "x", note=note),
        Figure(
            "processor seconds, of the other search's, median", statistics.median(seconds), "x", note=note
        ),
        Figure("compliance against the other search's, median", statistics.median(ends), "%", 0.0, note=note),
        Figure("compliance against the other search's, mean", statistics.mean(ends), "%", note=note),
        Figure(
            "compliance against the other search's, worst", max(ends), "%", note=f"best {min(ends):.3g} %"
        ),
    ]
    table = Table("The search for projected designs against that for grey ones", COLUMNS, tuple(rows))
    finish("searches", __doc__ or "", asked, figures, [table])


if __name__ == "__main__":
    main()
