"""Claim: a gallery finds at least 12 clearly different designs within 3 % of the best of a plate, and 8
within 5 % for a solid, in at most eight default solves' work; and no best of a gallery is above the plain
solve's.

Random problems that nobody trained on (`benchmarks.random_problems`, projected), six plates at half their
size along every axis and six solids at two fifths. Each way is given the same budget, counted in iterations
times voxels: the default gallery, a gallery of every source alone, and the plain control: 24 random fields on
the full grid, penalty 1 to 3 over 15 iterations, grey, each to its stop. Different: mean difference over 0.12
of what two unrelated designs of that volume have, images under the problem's symmetries counted as one.
Designs are compared by their parts, those of the control by their grey compliance.

`--budget S` stops after so many seconds; what was measured is kept in benchmarks/results/gallery.jsonl, and
the next call goes on with what is left. `--redo WAY` measures a way again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from benchmarks import random_problems
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish, size_text
from benchmarks.runs import unprojected
from trabecula.design import Schedule
from trabecula.discretisation import prepare
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.gallery import DEFAULT_SOURCES, DIFFERENT, Comparison
from trabecula.gallery.difference import solid_voxels
from trabecula.optimize.loop import run
from trabecula.optimize.plan import Stop
from trabecula.starts import RandomFields
from trabecula.strategy.workbench import Workbench

PLATES, SOLIDS = tuple(range(2, 14, 2)), tuple(range(1, 13, 2))
"""Numbers of random problems."""

SCALE = {2: 0.5, 3: 0.4}
CONTROL = 24
LEVELS = (0.02, 0.03, 0.05)
DEFAULT, PLAIN_CONTROL = "default", "control"
WAYS = (DEFAULT, "fields", "deflation", "variations", "loads", "drawn", "generator", PLAIN_CONTROL)
"""The default gallery, galleries of one source each beside the plain design, and the control."""


@dataclass(frozen=True)
class Found:
    """What one way found on one problem.

    Attributes
    ----------
    problem, way, size, dimension
        Which.
    above
        By how much each of the different designs is worse than the way's best one, ascending.
    best, plain
        Figures of the best and of the plain design, in J; None for the control, whose figures are grey.
    work
        In default solves; None for the control.
    drawn, refined
        Starts, and designs that were finished.
    spread
        Mean difference of any two of the designs.
    """

    problem: str
    way: str
    size: str
    dimension: int
    above: tuple[float, ...]
    best: float | None
    plain: float | None
    work: float | None
    drawn: int
    refined: int
    spread: float

    def within(self, share: float) -> int:
        """Different designs within a share of the best."""
        return sum(value <= share for value in self.above)


def measure(problem: tb.Problem, way: str, threads: int, budget: float) -> Found:
    """One way on one problem."""
    size, dimension = size_text(problem.domain.elements), problem.domain.dimension
    if way == PLAIN_CONTROL:
        above, spread = control(problem)
        return Found(problem.name, way, size, dimension, above, None, None, None, CONTROL, CONTROL, spread)
    sources = DEFAULT_SOURCES if way == DEFAULT else (way,)
    found = tb.gallery(
        problem, count=999, within=max(LEVELS), budget=budget, sources=sources, threads=threads
    )
    plain = next((each.figure for each in found if each.source == "plain"), None)
    return Found(
        problem.name,
        way,
        size,
        dimension,
        tuple(each.above for each in found),
        found.best.figure,
        plain,
        found.work,
        sum(source.drawn for source in found.sources),
        sum(source.refined for source in found.sources),
        mean_of_pairs(found.differences),
    )


def control(problem: tb.Problem) -> tuple[tuple[float, ...], float]:
    """The different designs of the plain control: by how much each is above the best, and their spread."""
    bench = Workbench(nondimensional(prepare(unprojected(problem))[0]).problem)
    analysis, comparison = bench.analysis(bench.discrete), Comparison.of(bench.discrete)
    ends: list[tuple[float, NDArray[np.bool_]]] = []
    for proposal in RandomFields(7).propose(bench.discrete, analysis.chain, CONTROL):
        plan = bench.plan(bench.discrete, Schedule(1.0, 3.0, 15), Stop(change=1e-4, kkt=2e-3, limit=300))
        step = run(analysis, plan, proposal.density)
        merit = step.merit if step.best is None else step.best.merit
        ends.append((merit, solid_voxels(analysis.chain.physical(step.x), bench.discrete)))
    kept: list[tuple[float, NDArray[np.bool_]]] = []
    images: list[NDArray[np.bool_]] = []
    for merit, mask in sorted(ends, key=lambda end: end[0]):
        above = merit / min(end[0] for end in ends) - 1.0
        if above <= max(LEVELS) and comparison.least(mask, images) > DIFFERENT:
            kept.append((above, mask))
            images += comparison.images(mask)
    return tuple(above for above, _ in kept), mean_of_pairs(comparison.matrix([mask for _, mask in kept]))


def mean_of_pairs(differences: NDArray[np.float64]) -> float:
    """The mean difference of any two designs; 0 where there is one."""
    count = len(differences)
    return float(differences.sum() / (count * (count - 1))) if count > 1 else 0.0


def load(path: Path) -> dict[tuple[str, str], Found]:
    """What was measured already; a later line counts for an earlier one."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {
        (line["problem"], line["way"]): Found(**{**line, "above": tuple(line["above"])}) for line in lines
    }


def problems(asked: argparse.Namespace) -> dict[str, tb.Problem]:
    """The problems by name, plates and solids in turn."""
    numbers = [number for pair in zip(PLATES, SOLIDS, strict=True) for number in pair]
    found = {}
    for number in numbers[:2] if asked.quick else numbers:
        problem = random_problems.get(number, 0.3 if asked.quick else SCALE[2 + number % 2])
        found[problem.name] = replace(problem, options=replace(problem.options, projection=True))
    return found


def work(asked: argparse.Namespace, path: Path) -> dict[tuple[str, str], Found]:
    """Do what is not done yet, as long as the time lasts."""
    known = {key: found for key, found in load(path).items() if key[1] not in asked.redo}
    clock = time.perf_counter()
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, problem in problems(asked).items():
        for way in asked.ways or WAYS:
            if (name, way) in known:
                continue
            if time.perf_counter() - clock > asked.budget:
                print("the time is spent; the next call goes on", file=sys.stderr)
                return known
            found = known[name, way] = measure(problem, way, asked.threads, asked.solves)
            with path.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
            counts = "/".join(str(found.within(level)) for level in LEVELS)
            print(f"{name:12} {found.size:>9} {way:12} {counts}", file=sys.stderr, flush=True)
    return known


def row(found: Found) -> tuple[Cell, ...]:
    """A line of the table of all."""
    best = None if found.best is None or found.plain is None else 100.0 * (found.best / found.plain - 1.0)
    counts = (found.within(level) for level in LEVELS)
    return (
        found.problem,
        found.size,
        found.way,
        *counts,
        best,
        found.spread,
        found.work,
        found.drawn,
        found.refined,
    )


def of(known: dict[tuple[str, str], Found], way: str, dimension: int) -> list[Found]:
    """What a way found on all plates, or on all solids."""
    return [found for found in known.values() if found.way == way and found.dimension == dimension]


def summary(known: dict[tuple[str, str], Found]) -> Table:
    """A row per way and dimension: medians, and different designs within 2 % per default solve of search."""
    rows: list[tuple[Cell, ...]] = []
    for dimension in (2, 3):
        for way in WAYS:
            all_found = of(known, way, dimension)
            if not all_found:
                continue
            spent = sum(found.work - 1.0 for found in all_found if found.work is not None)
            new = sum(max(0, found.within(0.02) - 1) for found in all_found)
            gains = [
                100.0 * (1.0 - found.best / found.plain)
                for found in all_found
                if found.best is not None and found.plain is not None
            ]
            rows.append(
                (
                    f"{way}, {'plates' if dimension == 2 else 'solids'}",
                    len(all_found),
                    *(statistics.median(found.within(level) for found in all_found) for level in LEVELS),
                    new / spent if spent else None,
                    statistics.mean(gains) if gains else None,
                    statistics.mean(found.spread for found in all_found),
                )
            )
    columns = (
        "way",
        "problems",
        "within 2 %, median",
        "within 3 %, median",
        "within 5 %, median",
        "new within 2 % per default solve",
        "best stiffer than plain %, mean",
        "difference of two, mean",
    )
    return Table("Ways by the same budget", columns, tuple(rows))


def figures(known: dict[tuple[str, str], Found]) -> list[Figure]:
    """The claim's numbers."""
    found: list[Figure] = []
    for dimension, noun, level, goal in ((2, "plates", 0.03, 12.0), (3, "solids", 0.05, 8.0)):
        default, controls = of(known, DEFAULT, dimension), of(known, PLAIN_CONTROL, dimension)
        if default:
            control_note = (
                f"plain control {statistics.median(each.within(level) for each in controls):g}"
                if controls
                else ""
            )
            counts = [each.within(level) for each in default]
            found.append(
                Figure(
                    f"different designs within {100 * level:g} %, {noun}, median",
                    statistics.median(counts),
                    "",
                    goal,
                    larger=True,
                    note=f"{min(counts)} to {max(counts)} on {len(counts)} problems; {control_note}",
                )
            )
    every = [each for each in known.values() if each.way == DEFAULT]
    if every:
        over = [
            100.0 * (each.best / each.plain - 1.0)
            for each in every
            if each.plain is not None and each.best is not None
        ]
        found.append(Figure("work in default solves, most", max(each.work or 0.0 for each in every), "", 8.0))
        if over:
            found.append(
                Figure(
                    "best of the gallery above the plain solve's, worst",
                    max(over),
                    "%",
                    0.0,
                    note=f"median {statistics.median(over):+.2g} %, where the plain design is one of them",
                )
            )
    return found


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--ways", nargs="*", default=[], help=f"of {', '.join(WAYS)}; default: all")
    parser.add_argument("--redo", nargs="*", default=[], help="ways to be measured again")
    parser.add_argument("--budget", type=float, default=3600.0, metavar="S", help="seconds at most")
    parser.add_argument("--solves", type=float, default=8.0, help="budget of a gallery, in default solves")
    asked = parser.parse_args()
    known = work(asked, (SCRATCH if asked.quick else RESULTS) / "gallery.jsonl")
    order = sorted(known.values(), key=lambda found: (found.dimension, found.problem, WAYS.index(found.way)))
    columns = (
        *("problem", "grid", "way", "within 2 %", "within 3 %", "within 5 %"),
        *("best against plain %", "difference of two", "work", "drawn", "finished"),
    )
    table = Table("All of them", columns, tuple(map(row, order)))
    finish("gallery", __doc__ or "", asked, figures(known), [summary(known), table])


if __name__ == "__main__":
    main()
