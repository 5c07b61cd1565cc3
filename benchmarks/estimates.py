"""Claim: what `trabecula solve` says a problem will take is right within a factor of two on both sides, in
time and in memory, for nine of ten problems.

Solves named problems and cantilevers of growing size from file to files, a process each, and holds wall time
and peak memory against `trabecula.problem.estimate`, times how quick this machine is (`physics.pace`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from benchmarks.file_to_design import solve
from benchmarks.report import Cell, Figure, Table, arguments, finish, size_text
from trabecula.physics import thread_count
from trabecula.physics.pace import pace
from trabecula.problem import Problem, estimate, problems

FACTOR = 2.0
ENOUGH = 90.0
"""Per cent of the problems."""


def asked_of(quick: bool) -> dict[str, Problem]:
    """Named problems on their own grids, and both cantilevers from small to large."""
    if quick:
        return {name: problems.get(name, (24, 12)) for name in ("mbb", "cantilever")}
    plane, solid = problems.cantilever, problems.cantilever_3d
    named = {name: problems.get(name) for name in problems.names()}
    return named | {
        "cantilever small": plane(elements=(100, 50)),
        "cantilever large": plane(elements=(1000, 500)),
        "cantilever_3d small": solid(elements=(24, 12, 12)),
        "cantilever_3d medium": solid(elements=(64, 32, 32)),
        "cantilever_3d large": solid(elements=(128, 64, 64)),
    }


def within(ratios: Sequence[float]) -> float:
    """Per cent of them that are right within the factor."""
    return 100 * statistics.fmean(1 / FACTOR <= ratio <= FACTOR for ratio in ratios)


def main() -> None:
    """Measure, print, write."""
    asked = arguments(__doc__ or "").parse_args()
    here = pace()
    rows: list[tuple[Cell, ...]] = []
    times, memories = [], []
    for name, problem in asked_of(asked.quick).items():
        said, ran = estimate(problem, here, thread_count(asked.threads)), solve(problem, asked.threads)
        times.append(said.seconds / ran.seconds)
        memories.append(said.memory_bytes / 1e6 / ran.megabytes)
        size = size_text(problem.domain.elements)
        cells = math.prod(problem.domain.elements), len(problem.cases)
        taken = said.seconds, ran.seconds, said.memory_bytes / 1e6, ran.megabytes
        rows.append((name, size, *cells, *taken))
    figures = [
        Figure(f"{what} said within a factor of two ({len(rows)} problems)", within(found), "%", ENOUGH, True)
        for what, found in (("time", times), ("memory", memories))
    ]
    figures.append(Figure("how many times as long this machine takes as the one of the estimates", here, "x"))
    columns = ("problem", "grid", "elements", "cases", "said s", "took s", "said MB", "took MB")
    finish("estimates", __doc__ or "", asked, figures, [Table("Said and taken", columns, tuple(rows))])


if __name__ == "__main__":
    main()
