"""Claim: on problems nobody trained on, the learned start comes within 1 % and 0.1 % of the better of two
ends at least 20 times faster than practice in 3-D and 10 times in 2-D, 4 times faster than continuation on
one grid, and with half of the full-resolution iterations and 1 / 1.7 of the wall time of the same way without
networks in 3-D (1 / 1.4 in 2-D); at most one problem in twenty takes more than 1.05 times as long, and none
ends more than 0.1 % worse.

Methods, all on the same solver: `practice` (P: uniform start, penalty 3, OC exponent 1/2, until no density
changes by 0.01), `continuation` (C: one grid, tuned OC), `default` (S: the strongest way without networks),
`short` (S with a short hand-over, which is better on easy problems), `fields` (N: that way with random
proposals only), `learned` (L: with the networks that ship). Sets: `named` problems, `families` of Hoyer et
al. 2019, `easy` and `hard` random problems of a seed that no training saw, `solid` (48x24x24), `large`
(96x48x48), and `scaled` (the same problems at 1, 2 and 4 times the resolution). Wall time holds everything:
features, coarse grids, networks, refused designs; the first use of a model loads it.

Every run is kept as a line of results/hybrid.jsonl and done once, as in `benchmarks.optima`: `--budget`,
`--sets`, `--methods`, `--redo`, `--summary`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import families, optima
from benchmarks.optima import Runs, reached
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish, size_text
from benchmarks.ways import HYBRID, Travelled
from trabecula.learning.problems import draw
from trabecula.problem import Problem, problems

UNSEEN = 90_001
"""Seed of the random problems; those that are trained on have other seeds."""

RANDOM = 12
"""Random problems of a kind and dimension."""

SOLID = ("cantilever_3d", "torsion", "hook", "table", "jet_bracket")
SCALED = ("cantilever_3d", "torsion")
LEVELS = (5.0, 2.0, 1.0, 0.5, 0.1)
AGAINST = {"practice": "P", "continuation": "C", "default": "S", "short": "S", "fields": "N"}
WORSE, SLOWER = 1e-3, 1.05


@dataclass(frozen=True)
class Place:
    """A problem of a set; `hard` where it is known to be."""

    set: str
    name: str
    problem: Problem

    @property
    def size(self) -> str:
        """Of its grid."""
        return size_text(self.problem.domain.elements)

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return self.problem.domain.dimension


def places(asked: argparse.Namespace) -> list[Place]:
    """The problems of the sets that are asked for."""
    return [place for name in asked.sets for place in SETS[name](asked.quick)]


def _named(quick: bool) -> Iterator[Place]:
    for name in problems.names():
        problem = problems.get(name)
        if quick:
            problem = problems.get(name, tuple(n // 2 for n in problem.domain.elements))
        if not name.startswith("heat"):  # the networks that ship know elasticity only
            yield Place("named", name, problem)


def _families(quick: bool) -> Iterator[Place]:
    for problem in families.suite("small" if quick else "medium"):
        yield Place("families", problem.name, problem)


def _random(quick: bool, hard: bool) -> Iterator[Place]:
    kind = "hard" if hard else "easy"
    for dimension in (3, 2):
        for index in range(3 if quick else RANDOM):
            voxels = None if quick else {2: 16_000, 3: 27_000}[dimension]
            problem = draw(UNSEEN + hard, index, dimension, hard, voxels)
            yield Place(kind, f"{kind} {dimension}-D {index}", problem)


def _grids(quick: bool, kind: str, grow: int) -> Iterator[Place]:
    for name in SOLID:
        elements = problems.get(name).domain.elements
        times = grow * 24 / sorted(elements)[1] / (2 if quick else 1)
        grid = tuple(2 * max(2, round(times * n / 2)) for n in elements)
        yield Place(kind, f"{kind} {name}", problems.get(name, grid))


def _scaled(quick: bool) -> Iterator[Place]:
    for name in SCALED:
        for times in (1, 2) if quick else (1, 2, 4):
            base = {"cantilever_3d": (24, 12, 12), "torsion": (24, 12, 12)}[name]
            yield Place("scaled", f"{name} x{times}", problems.get(name, tuple(times * n for n in base)))


SETS = {
    "solid": lambda quick: _grids(quick, "solid", 1),
    "easy": lambda quick: _random(quick, False),
    "hard": lambda quick: _random(quick, True),
    "named": _named,
    "families": _families,
    "scaled": _scaled,
    "large": lambda quick: _grids(quick, "large", 2),
}


def work(asked: argparse.Namespace, found: Sequence[Place]) -> Runs:
    """Do what is not done yet, as long as the budget lasts."""
    named = {place.name: place.problem for place in found}
    path = (SCRATCH if asked.quick else RESULTS) / "hybrid.jsonl"
    asked.skip_long = True
    return optima.work(
        asked, named, path, tuple(m for m in HYBRID if not asked.methods or m in asked.methods)
    )


def speed(runs: Runs, found: Sequence[Place], other: str, level: float, part: int) -> list[float]:
    """How many times less `learned` takes than another method to a level of the better of the two ends.

    Parameters
    ----------
    part
        Of a `Moment`: 0 seconds, 1 equivalents, 2 full-resolution iterations.

    Returns
    -------
    list
        One a problem where both were run: inf where only `learned` gets there, 0 where only the other does;
        left out where neither does.
    """
    ratios = []
    for place in found:
        pair = [runs.get((place.name, place.size, m)) for m in ("learned", other)]
        if pair[0] is None or pair[1] is None:
            continue
        goal = min(run.compliance for run in pair if run is not None) * (1 + level / 100)
        ours, theirs = (reached(run, goal) for run in pair if run is not None)
        if ours is None and theirs is None:
            continue
        if ours is None:
            ratios.append(0.0)
        elif theirs is None:
            ratios.append(math.inf)
        else:
            ratios.append(theirs[part] / max(ours[part], 1e-9))
    return ratios


def against(runs: Runs, found: Sequence[Place]) -> Table:
    """Distribution of the gain by set, dimension, opponent, level."""
    rows: list[tuple[Cell, ...]] = []
    groups = sorted({(place.set, place.dimension) for place in found})
    for kind, dimension in groups:
        here = [place for place in found if (place.set, place.dimension) == (kind, dimension)]
        for other, letter in AGAINST.items():
            for level in (1.0, 0.1):
                times = speed(runs, here, other, level, 0)
                if not times:
                    continue
                its = speed(runs, here, other, level, 2)
                quantiles = [round(float(q), 2) for q in _quantiles(times)]
                rows.append(
                    (
                        f"{kind} {dimension}-D",
                        f"{letter} {other}",
                        f"{level:g} %",
                        len(times),
                        round(statistics.median(its), 2),
                        *quantiles,
                    )
                )
    columns = ("set", "against", "within", "problems", "iterations", "p10", "median", "p90", "worst")
    return Table(
        "How many times less the learned start takes (iterations: median; wall time)", columns, tuple(rows)
    )


def _quantiles(values: Sequence[float]) -> tuple[float, float, float, float]:
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in (0.1, 0.9)]
    return at[0], statistics.median(ordered), at[1], ordered[0]


def ends(runs: Runs, found: Sequence[Place]) -> Table:
    """Share of problems within levels of the best known, by set and method."""
    rows: list[tuple[Cell, ...]] = []
    for kind, dimension in sorted({(place.set, place.dimension) for place in found}):
        here = [place for place in found if (place.set, place.dimension) == (kind, dimension)]
        for method in HYBRID:
            excess = [
                100 * (runs[place.name, place.size, method].compliance / best(runs, place) - 1)
                for place in here
                if (place.name, place.size, method) in runs
            ]
            if excess:
                rows.append(
                    (
                        f"{kind} {dimension}-D",
                        method,
                        len(excess),
                        f"{100 * np.mean([e <= 1 for e in excess]):.0f} %",
                        f"{100 * np.mean([e <= 0.1 for e in excess]):.0f} %",
                        round(statistics.median(excess), 3),
                        round(max(excess), 2),
                    )
                )
    columns = ("set", "method", "problems", "within 1 %", "within 0.1 %", "median above %", "worst %")
    return Table("Ends, against the best known of all methods", columns, tuple(rows))


def best(runs: Runs, place: Place) -> float:
    """The best compliance known of a problem."""
    return optima.best_known(runs, place.name, place.size)[1]


def decisions(runs: Runs, found: Sequence[Place]) -> Table:
    """Designs of networks that were taken and refused, by set."""
    rows: list[tuple[Cell, ...]] = []
    for kind, dimension in sorted({(place.set, place.dimension) for place in found}):
        here = [
            runs[key]
            for place in found
            if (place.set, place.dimension) == (kind, dimension)
            and (key := (place.name, place.size, "learned")) in runs
        ]
        if here:
            taken, refused = sum(r.accepted for r in here), sum(r.refused for r in here)
            rows.append((f"{kind} {dimension}-D", len(here), taken, refused))
    return Table("Networks' designs", ("set", "problems", "taken", "refused"), tuple(rows))


def figures(runs: Runs, found: Sequence[Place]) -> list[Figure]:
    """The claim's numbers, over all sets."""
    made = []
    goals = {
        "practice": {3: 20.0, 2: 10.0},
        "continuation": {3: 4.0, 2: 4.0},
        "default": {3: 1.7, 2: 1.4},
        "short": {3: 1.7, 2: 1.4},
    }
    for dimension in (3, 2):
        here = [place for place in found if place.dimension == dimension]
        for other, goal in goals.items():
            for level in (1.0, 0.1):
                if times := speed(runs, here, other, level, 0):
                    what = f"wall time against {other}, {dimension}-D, to {level:g} %, median"
                    note = f"{len(times)} problems"
                    made.append(
                        Figure(what, _finite(statistics.median(times)), "x", goal[dimension], True, note)
                    )
        if its := speed(runs, here, "default", 1.0, 2):
            what = f"full-resolution iterations against default, {dimension}-D, to 1 %, median"
            made.append(
                Figure(what, _finite(statistics.median(its)), "x", 2.0 if dimension == 3 else 1.4, True)
            )
        worse = [
            100 * (ours.compliance / theirs.compliance - 1)
            for place in here
            if (ours := runs.get((place.name, place.size, "learned")))
            and (theirs := runs.get((place.name, place.size, "default")))
        ]
        if worse:
            made.append(Figure(f"end above the default's, {dimension}-D, worst", max(worse), "%", 0.1))
            made.append(
                Figure(f"end above the default's, {dimension}-D, median", statistics.median(worse), "%")
            )
            whole = list(_whole(runs, here))
            share = 100 * float(np.mean([r <= SLOWER for r in whole]))
            made.append(
                Figure(f"problems not slower than default to the end, {dimension}-D", share, "%", 95.0, True)
            )
    return made


def _whole(runs: Runs, found: Sequence[Place]) -> Iterator[float]:
    """Wall time of whole solves, learned over default."""
    for place in found:
        pair: list[Travelled | None] = [runs.get((place.name, place.size, m)) for m in ("learned", "default")]
        if pair[0] is not None and pair[1] is not None:
            yield pair[0].seconds / pair[1].seconds


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def main() -> None:
    """Run what is left, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", type=float, default=math.inf, help="begin no run after so many seconds")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=tuple(SETS))
    parser.add_argument("--methods", nargs="*", default=[], choices=tuple(HYBRID))
    parser.add_argument("--redo", nargs="*", default=[], help="methods to run again, or all")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    asked = parser.parse_args()
    if asked.summary:
        asked.budget = -1.0
    found = places(asked)
    runs = work(asked, found)
    known = {key[:2] for key in runs}
    found = [place for place in found if (place.name, place.size) in known]
    if not found:
        sys.exit("no runs yet")
    tables = [against(runs, found), ends(runs, found), decisions(runs, found)]
    finish("hybrid", __doc__ or "", asked, figures(runs, found), tables)


if __name__ == "__main__":
    main()
