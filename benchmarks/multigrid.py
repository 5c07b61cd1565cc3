"""Claim: an optimised design is solved to 1e-5 in at most 45 conjugate-gradient iterations from nothing,
whatever the grid: growth from 28 thousand to 4 million elements is at most 30 %, and odd, prime and
supported-anywhere grids are no harder.

Designs: the 3-D cantilever, volume 0.2, filter 1.5 elements, contrast 1e-9, a penalty ramp over 20 iterations
and 20 more; from two million elements on, a design of an eighth of the elements, up-sampled and taken eight
iterations further. "On the way" is the most of several designs after the ramp: members that just come loose
cost iterations for a moment. The second table solves grids that do not halve, supports off the coarse planes,
and other problems. Memory is what the compiled solver holds.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Cell, Figure, Table, arguments, finish, size_text
from benchmarks.runs import begin_uniform, begin_upsampled, formed, ramp_plan, relative_stiffness
from trabecula.discretisation import discretise
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import iterate
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Step
from trabecula.physics import VoxelState
from trabecula.problem import Problem, Support, problems
from trabecula.problem.where import AllOf, AnyOf, Range

Array = NDArray[np.float64]
Size = tuple[int, ...]

SIZES = (
    (48, 24, 24),
    (64, 32, 32),
    (96, 48, 48),
    (128, 64, 64),
    (160, 80, 80),
    (200, 100, 100),
    (256, 128, 128),
)
QUICK = ((24, 12, 12), (48, 24, 24), (64, 32, 32))
FROM_COARSER = 1_500_000
"""Elements from which a design begins as an up-sampled one."""
MOST, GROWTH = 45, 30
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Solved:
    """Cold solves: iterations at the end and at most on the way, seconds of set-up and of one, bytes."""

    iterations: int
    on_the_way: int
    set_up: float
    each: float
    bytes: int


def cantilever(elements: Size) -> Problem:
    """The benchmark's problem."""
    return problems.cantilever_3d(elements=elements, volume=0.2)


def off_plane(elements: Size) -> Problem:
    """The cantilever held on three small patches that begin and end between coarse planes."""
    h = [size / n for size, n in zip((2.0, 1.0, 1.0), elements, strict=True)]

    def nodes(axis: int, first: int, last: int) -> Range:
        return Range("xyz"[axis], (first - 0.1) * h[axis], (last + 0.1) * h[axis])

    third = elements[1] // 3
    wall = nodes(0, 0, 0)
    patches = (
        AllOf((wall, nodes(1, third - 2, third + 1), nodes(2, 1, 5))),
        AllOf((wall, nodes(1, 2 * third + 1, 2 * third + 4), nodes(2, third, third + 3))),
        AllOf((nodes(0, 7, 11), nodes(1, 1, 3), nodes(2, 2 * third - 1, 2 * third + 1))),
    )
    return replace(cantilever(elements), supports=(Support(AnyOf(patches), ("x", "y", "z")),))


def cases(quick: bool) -> list[tuple[str, Problem]]:
    """Problems that are said to be no harder than the cantilever on its even grids."""

    def size(*elements: int) -> Size:
        return tuple(max(n // 3, 9) for n in elements) if quick else elements

    makers: list[tuple[str, Callable[[Size], Problem], Size]] = [
        ("cantilever, odd", cantilever, (97, 49, 47)),
        ("cantilever, prime", cantilever, (101, 53, 43)),
        ("cantilever, one off", cantilever, (95, 47, 49)),
        ("held off the coarse planes", off_plane, (96, 48, 48)),
        ("held off the coarse planes, prime", off_plane, (97, 53, 47)),
        ("torsion", lambda n: problems.torsion(elements=n), (96, 48, 48)),
        ("hook", lambda n: problems.hook(elements=n), (96, 48, 48)),
        ("table", lambda n: problems.table(elements=n), (96, 56, 64)),
        ("heat sink 3-D", lambda n: problems.heat_sink_3d(elements=n), (64, 64, 64)),
        ("cantilever 2-D", lambda n: problems.cantilever(elements=n), (600, 300)),
        ("bridge 2-D", lambda n: problems.bridge(elements=n), (800, 200)),
    ]
    return [(name, make(size(*elements))) for name, make, elements in makers]


def count(state: VoxelState, analysis: Analysis, x: Array) -> int:
    """Iterations to solve the first load case of a design from zero."""
    state.set_stiffness(relative_stiffness(analysis, x))
    _, solve = state.solve(analysis.discrete.loads[0], None, TOLERANCE)
    assert solve.residual <= TOLERANCE, f"stopped at {solve.residual:.1e}"
    return solve.iterations


def begun(problem: Problem, threads: int) -> tuple[Analysis, Plan, Step]:
    """How a problem's design comes to be: from nothing, or, on large grids, from half as fine a grid."""
    discrete = discretise(problem)
    if math.prod(discrete.grid.elements) < FROM_COARSER:
        analysis = Analysis(discrete, threads)
        plan = ramp_plan(discrete, threads, 20, 40)
        return analysis, plan, begin_uniform(analysis, plan)
    half = Analysis(discretise(cantilever(tuple(n // 2 for n in discrete.grid.elements))), threads)
    density = formed(half, threads, 20, 40).x
    del half
    analysis = Analysis(discrete, threads)
    plan = ramp_plan(discrete, threads, 0, 8)
    return analysis, plan, begin_upsampled(analysis, plan, density)


def solved(problem: Problem, threads: int) -> Solved:
    """Optimise, solving from zero now and then; the design at the end three times."""
    analysis, plan, first = begun(problem, threads)
    state = VoxelState(analysis.discrete, threads)
    every = max(1, (plan.stop.limit - plan.schedule.over) // 4)
    counts = []
    step = first
    for step in iterate(analysis, plan, first):
        done = len(step.rows) - plan.schedule.over
        if done > 0 and done % every == 0:
            counts.append(count(state, analysis, step.x))
    relative = relative_stiffness(analysis, step.x)
    set_ups, times = [], []
    for _ in range(3):
        clock = time.perf_counter()
        state.set_stiffness(relative)
        set_ups.append(time.perf_counter() - clock)
        clock = time.perf_counter()
        state.solve(analysis.discrete.loads[0], None, TOLERANCE)
        times.append((time.perf_counter() - clock) / counts[-1])
    return Solved(counts[-1], max(counts), statistics.median(set_ups), statistics.median(times), state.bytes)


def row(name: str, problem: Problem, found: Solved) -> tuple[Cell, ...]:
    """A line of a table."""
    elements = math.prod(problem.domain.elements)
    return (
        name,
        size_text(problem.domain.elements),
        elements,
        found.iterations,
        found.on_the_way,
        1e3 * found.each,
        1e3 * found.set_up,
        found.bytes / 1e6,
        found.bytes / elements,
    )


COLUMNS = (
    "problem",
    "grid",
    "elements",
    "CG to 1e-5",
    "on the way",
    "ms per iteration",
    "ms set-up",
    "MB",
    "bytes per element",
)


def measure(named: list[tuple[str, Problem]], threads: int) -> list[tuple[tuple[Cell, ...], Solved]]:
    """Design and solve every problem."""
    found = []
    for name, problem in named:
        print(f"{name} {size_text(problem.domain.elements)}", end=" ", file=sys.stderr, flush=True)
        clock = time.perf_counter()
        result = solved(problem, threads)
        print(f"{result.iterations} ({time.perf_counter() - clock:.0f} s)", file=sys.stderr)
        found.append((row(name, problem, result), result))
    return found


def growth(sizes: Sequence[Size], counts: Sequence[int]) -> float:
    """Growth in percent from the first to the last size, along the power law fitted through all."""
    logs = np.log([math.prod(s) for s in sizes])
    slope = np.polyfit(logs, np.log(counts), 1)[0]
    return float(100 * np.expm1(slope * (logs[-1] - logs[0])))


def main() -> None:
    """Measure, print, write."""
    parser: argparse.ArgumentParser = arguments(__doc__ or "")
    parser.add_argument("--million", action="store_true", help="stop at one million elements")
    asked = parser.parse_args()
    sizes = [s for s in (QUICK if asked.quick else SIZES) if not asked.million or math.prod(s) < FROM_COARSER]
    grids = measure([("cantilever", cantilever(elements)) for elements in sizes], asked.threads)
    others = measure(cases(asked.quick), asked.threads)
    counts = [found.iterations for _, found in grids]
    hard = max(others, key=lambda entry: entry[1].iterations)
    per_voxel = [1e6 * found.each / math.prod(s) for s, (_, found) in zip(sizes, grids, strict=True)]
    span = f"{size_text(sizes[0])} to {size_text(sizes[-1])}"
    figures = [
        Figure("most CG iterations to 1e-5 on optimised cantilevers", max(counts), "", MOST, note=span),
        Figure(
            "the same on the way, as members come loose", max(f.on_the_way for _, f in grids), "", note=span
        ),
        Figure(
            "growth of CG iterations, power law through all sizes",
            growth(sizes, counts),
            "%",
            GROWTH,
            note=span,
        ),
        Figure(
            "most CG iterations on odd grids, odd supports and other problems",
            hard[1].iterations,
            "",
            MOST,
            note=f"{hard[0][0]} {hard[0][1]}",
        ),
        Figure("seconds per CG iteration", grids[-1][1].each, "s", note=size_text(sizes[-1])),
        Figure(
            "microseconds per CG iteration and element, largest grid against smallest",
            per_voxel[-1] / per_voxel[0],
            "x",
        ),
        Figure("memory of the solver", grids[-1][1].bytes / 1e6, "MB", note=size_text(sizes[-1])),
    ]
    tables = [
        Table("Conjugate-gradient iterations on optimised cantilevers", COLUMNS, tuple(r for r, _ in grids)),
        Table("The same on grids and problems that are less kind", COLUMNS, tuple(r for r, _ in others)),
    ]
    finish("multigrid", __doc__ or "", asked, figures, tables)


if __name__ == "__main__":
    main()
