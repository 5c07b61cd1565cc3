"""Claim: at 96x48x48 a design iteration of a formed design takes at most 0.5 s with solves to 1e-5 and at
most 0.25 s with the loose ones the product uses, for the same design; its cost grows linearly from 30
thousand to 4 million elements.

3-D cantilever, volume 0.2, filter 1.5 elements. The two tolerances run side by side, one iteration each in
turn, from uniform through a penalty ramp over 20 iterations and on; only iterations after the ramp are timed,
and the compliances compared are solved tightly. The sizes are taken in turn, each beginning with the design
of the one before. `--huge` adds one iteration of 16 million elements, in a process of its own, whose peak
memory is that of the process.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.report import (
    Cell,
    Figure,
    Table,
    arguments,
    finish,
    parse_size,
    peak_megabytes,
    size_text,
)
from benchmarks.runs import (
    Array,
    analysed,
    begin_uniform,
    begin_upsampled,
    formed,
    ramp_plan,
    refined,
    true_compliance,
)
from trabecula.optimize.loop import advance
from trabecula.problem import Problem, problems

Size = tuple[int, ...]

TIGHT, LOOSE = 1e-5, 1e-3
TEXT = {TIGHT: "1e-5", LOOSE: "1e-3"}
RAMP = 20
SIZES = (
    (48, 24, 24),
    (72, 36, 36),
    (96, 48, 48),
    (128, 64, 64),
    (160, 80, 80),
    (200, 100, 100),
    (256, 128, 128),
)
QUICK = ((24, 12, 12), (32, 16, 16), (48, 24, 24), (64, 32, 32))
HUGE = (320, 224, 224)
GOALS = {TIGHT: 0.5, LOOSE: 0.25}


def cantilever(elements: Size) -> Problem:
    """The benchmark's problem."""
    return problems.cantilever_3d(elements=elements, volume=0.2)


def side_by_side(elements: Size, iterations: int, threads: int) -> dict[float, tuple[float, float, float]]:
    """Median seconds and CG iterations a formed iteration, and the final compliance, of both tolerances."""
    ways = {tolerance: analysed(cantilever(elements), threads) for tolerance in (TIGHT, LOOSE)}
    plans = {t: ramp_plan(a.discrete, threads, RAMP, iterations, t) for t, a in ways.items()}
    steps = {t: begin_uniform(a, plans[t]) for t, a in ways.items()}
    for i in range(iterations):
        for tolerance, analysis in ways.items():
            steps[tolerance] = advance(analysis, plans[tolerance], steps[tolerance])
        if (i + 1) % 10 == 0:
            seconds = " ".join(f"{step.rows[-1].seconds:.2f}" for step in steps.values())
            print(f"{size_text(elements)} iteration {i + 1}: {seconds} s", file=sys.stderr)
    found = {}
    for tolerance, step in steps.items():
        rows = step.rows[RAMP:]
        found[tolerance] = (
            statistics.median(row.seconds for row in rows),
            statistics.median(row.cg_iterations for row in rows),
            true_compliance(ways[tolerance], step.x, step.displacements),
        )
    return found


def grown(sizes: Sequence[Size], threads: int) -> list[tuple[Cell, ...]]:
    """Seconds a design iteration over the sizes, each going on with the design of the one before."""
    rows: list[tuple[Cell, ...]] = []
    density: Array | None = None
    for elements in sizes:
        analysis = analysed(cantilever(elements), threads)
        start = density
        step = formed(analysis, threads, RAMP, 30) if start is None else refined(analysis, start, threads, 8)
        timed = step.rows[-6:]
        seconds = statistics.median(row.seconds for row in timed)
        cg = statistics.median(row.cg_iterations for row in timed)
        count = math.prod(elements)
        print(f"{size_text(elements)}: {seconds:.3f} s, {cg:g} CG", file=sys.stderr)
        rows.append((size_text(elements), count, seconds, cg, 1e6 * seconds / count, peak_megabytes()))
        density = step.x
        del analysis, step
    return rows


def one_iteration(elements: Size, threads: int) -> dict[str, float]:
    """One iteration, solved to 1e-3, of a design from a quarter of the resolution, and its peak memory."""
    coarse = analysed(cantilever(tuple(n // 4 for n in elements)), threads)
    density = formed(coarse, threads, RAMP, 30).x
    del coarse
    clock = time.perf_counter()
    analysis = analysed(cantilever(elements), threads)
    plan = ramp_plan(analysis.discrete, threads, 0, 1)
    set_up = time.perf_counter() - clock
    first = begin_upsampled(analysis, plan, density)
    clock = time.perf_counter()
    step = advance(analysis, plan, first)
    return {
        "set_up": set_up,
        "seconds": time.perf_counter() - clock,
        "cg": float(step.rows[-1].cg_iterations),
        "megabytes": peak_megabytes(),
    }


def huge(elements: Size, threads: int) -> dict[str, float]:
    """`one_iteration` in a process of its own."""
    code = [sys.executable, "-m", "benchmarks.iteration", "--one", size_text(elements)]
    print(f"one iteration of {math.prod(elements) / 1e6:.1f} million elements", file=sys.stderr)
    done = subprocess.run([*code, "--threads", str(threads)], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--huge", action="store_true", help="one iteration of 16 million elements too")
    parser.add_argument("--million", action="store_true", help="stop at one million elements")
    parser.add_argument("--iterations", type=int, help="of the two tolerances side by side")
    parser.add_argument("--one", type=parse_size, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one_iteration(asked.one, asked.threads)))
        return
    compared: Size = (32, 16, 16) if asked.quick else (96, 48, 48)
    iterations = asked.iterations or (40 if asked.quick else 60)
    both = side_by_side(compared, iterations, asked.threads)
    sizes = [s for s in (QUICK if asked.quick else SIZES) if not asked.million or math.prod(s) < 1.5e6]
    rows = grown(sizes, asked.threads)
    figures = [
        Figure(
            f"seconds per design iteration, {size_text(compared)}, solves to {TEXT[tolerance]}",
            seconds,
            "s",
            GOALS[tolerance],
            note=f"{cg:g} CG iterations",
        )
        for tolerance, (seconds, cg, _) in both.items()
    ]
    ends = [end for _, _, end in both.values()]
    figures.append(Figure("difference of the two final compliances", abs(ends[1] / ends[0] - 1), "", 1e-4))
    costs = [float(row[4] or 0) for row in rows]
    logs = np.log([[float(row[1] or 0), float(row[2] or 0)] for row in rows])
    span = f"{rows[0][0]} to {rows[-1][0]}"
    slope = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    figures += [
        Figure("seconds per iteration grow with elements to the power of", slope, "", 1.1, note=span),
        Figure("microseconds per iteration and element, largest grid", costs[-1], "", note=str(rows[-1][0])),
    ]
    columns = ("grid", "elements", "s per iteration", "CG", "microseconds per element", "peak MB so far")
    tables = [
        Table(
            f"Both tolerances at {size_text(compared)}, iterations {RAMP + 1} to {iterations}",
            ("solves to", "s per iteration", "CG", "final compliance"),
            tuple((TEXT[t], s, cg, f"{c:.8g}") for t, (s, cg, c) in both.items()),
        ),
        Table("A design iteration by size, solves to 1e-3", columns, tuple(rows)),
    ]
    if asked.huge:
        elements = (64, 32, 32) if asked.quick else HUGE
        found = huge(elements, asked.threads)
        count = math.prod(elements)
        figures.append(
            Figure(f"one design iteration of {count / 1e6:.1f} million elements", found["seconds"], "s")
        )
        figures.append(Figure("its peak memory, Python included", found["megabytes"] / 1e3, "GB"))
        each = 1e6 * found["seconds"] / count
        cells = (size_text(elements), count, found["seconds"], found["cg"], each, found["megabytes"])
        tables.append(Table("One iteration of a huge grid", columns, (cells,)))
    finish("iteration", __doc__ or "", asked, figures, tables)


if __name__ == "__main__":
    main()
