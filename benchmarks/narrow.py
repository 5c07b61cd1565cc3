"""Claim: one design that a network draws, in place of the search on the coarsest grid, is quicker to 1 % than
the default, and ends better than the plain ways that cost as little.

`--models DIR` has the proposer. Every problem is solved to its end by the default and by narrower ways: one
random field, one ramp, four random fields (of each only the best goes up the grids), one design that the
network draws, and that one beside two random fields. Solves are counted by their share of the full grid's
voxels, those for the network's fields among them; a gain is the median over all problems of the default's
count (or seconds) to within 1 % of the better of both ends, divided by the way's.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from benchmarks import places
from benchmarks.optima import reached
from benchmarks.report import Cell, Figure, Table, arguments, finish
from benchmarks.travelled import Travelled, travel
from benchmarks.ways import Method, default, few_fields, nowhere, stop_of
from trabecula.hybrid import SHOWN, Learned
from trabecula.learning.problems import draw
from trabecula.problem import discretise
from trabecula.problem.discrete import DiscreteProblem
from trabecula.starts import Drawer, ladder
from trabecula.surrogate import load_model
from trabecula.travel import Way
from trabecula.way import Search, coarse_to_fine

LEVEL = 1.0
"""Per cent above the better of two ends."""

SEED, VOXELS = 70_001, 27_000
"""Of more random problems, easy and hard in turns."""

SECONDS, EQUIVALENTS = 0, 1
DEFAULT, DRAWN, PLAIN = "the default", "one design drawn", ("one random field", "one ramp")


def narrow(discrete: DiscreteProblem, threads: int, search: Search) -> Way:
    """The default with another search."""
    return coarse_to_fine(discrete, threads, stop_of(), nowhere(), search)


def ways(drawer: Drawer) -> dict[str, Method]:
    """The default, and what is compared with it."""
    learned, fields = Learned(drawer=drawer), ("search",)  # of fewer than four proposals one is drawn
    return {
        DEFAULT: default,
        PLAIN[0]: partial(narrow, search=Search(proposals=1, kinds=fields)),
        PLAIN[1]: partial(narrow, search=Search(proposals=1, kinds=("ramp",))),
        "four random fields": few_fields,
        DRAWN: partial(narrow, search=Search(proposals=0, kinds=fields, learned=learned)),
        "one drawn, two random fields": partial(
            narrow, search=Search(proposals=2, kinds=fields, learned=learned)
        ),
    }


def run(discrete: DiscreteProblem, method: Method, threads: int, is_drawn: bool) -> Travelled:
    """A way to its end; what the network is shown is counted as if it had come first."""
    found = travel(method, discrete, threads)
    if not is_drawn:
        return found
    share = SHOWN * prod(ladder(discrete)[0].grid.elements) / prod(discrete.grid.elements)
    track = tuple((at[0], at[1] + share, at[2], at[3]) for at in found.track)
    return replace(found, track=track, equivalents=found.equivalents + share)


@dataclass(frozen=True)
class Against:
    """A way and the default on the same problems."""

    pairs: Sequence[tuple[Travelled, Travelled]]

    def gain(self, part: int) -> float:
        """Times as much of a part of `Moment` as the default takes to the level, median."""
        return statistics.median(_gain(plain, run, part) for plain, run in self.pairs)

    @property
    def worse(self) -> list[float]:
        """How far the ends are above the default's, per cent."""
        return [100 * (run.compliance / plain.compliance - 1) for plain, run in self.pairs]


def _gain(plain: Travelled, run: Travelled, part: int) -> float:
    goal = min(plain.compliance, run.compliance) * (1 + LEVEL / 100)
    moments = (reached(each, goal) for each in (plain, run))
    before, after = (math.inf if moment is None else moment[part] for moment in moments)
    return 1.0 if before == after else before / after


def rows(found: Mapping[str, Against]) -> Iterator[tuple[Cell, ...]]:
    """A line a way."""
    for name, against in found.items():
        worse = np.array(against.worse)
        yield (
            name,
            len(against.pairs),
            against.gain(EQUIVALENTS),
            against.gain(SECONDS),
            statistics.median(plain.seconds / run.seconds for plain, run in against.pairs),
            float(worse.mean()),
            float(np.quantile(worse, 0.9)),
            float(worse.max()),
            f"{100 * float((worse <= 0.1).mean()):.0f} %",
        )


def figures(found: Mapping[str, Against]) -> Iterator[Figure]:
    """What the claim says."""
    drawn = found[DRAWN]
    yield Figure(
        "one design drawn: solves of the default to 1 %, median",
        drawn.gain(EQUIVALENTS),
        "x",
        2.0,
        larger=True,
    )
    yield Figure(
        "one design drawn: wall time of the default to 1 %, median",
        drawn.gain(SECONDS),
        "x",
        1.7,
        larger=True,
    )
    mine = statistics.fmean(drawn.worse)
    for name in PLAIN:
        other = statistics.fmean(found[name].worse)
        yield Figure(f"one design drawn: end above that of {name}, mean", mine - other, "%", 0.0)
    yield Figure("one design drawn: end above the default's, worst", max(drawn.worse), "%", 0.1)


COLUMNS = (
    "way", "problems", "solves to 1 %", "wall time to 1 %", "wall time in all",
    "end above the default's, mean %", "90th percentile", "worst", "at most 0.1 % above",
)  # fmt: skip


def problems(asked_sets: Sequence[str], quick: bool, limit: int | None, more: int) -> Iterator[places.Place]:
    """Those of the sets that are solid, and more random ones."""
    yield from (place for place in places.places(asked_sets, quick, limit) if place.dimension == 3)
    for index in range(more):
        problem = draw(SEED, index, 3, index % 2 == 1, VOXELS)
        yield places.Place("more", "more", f"more 3-D {index}", problem)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--models", type=Path, required=True, help="folder with proposer-3d")
    parser.add_argument("--sets", nargs="*", default=["solid", "hard", "easy"], choices=sorted(places.SETS))
    parser.add_argument("--limit", type=int, help="problems of a set at most")
    parser.add_argument("--more", type=int, default=40, help="random problems beside the sets")
    asked = parser.parse_args()
    compared = ways(Drawer.of(load_model("proposer-3d", asked.models)))
    runs: dict[str, list[Travelled]] = {name: [] for name in compared}
    for place in problems(asked.sets, asked.quick, asked.limit, asked.more):
        discrete = discretise(place.problem)
        for name, method in compared.items():
            runs[name].append(run(discrete, method, asked.threads, "drawn" in name))
        ends = ", ".join(f"{each[-1].compliance:.5g}" for each in runs.values())
        print(f"{place.name} {place.size}: {ends}", file=sys.stderr)
    found = {
        name: Against(list(zip(runs[DEFAULT], each, strict=True)))
        for name, each in runs.items()
        if name != DEFAULT
    }
    table = Table(
        "Narrower ways against the default, times as much as the way takes", COLUMNS, tuple(rows(found))
    )
    finish("narrow", __doc__ or "", asked, list(figures(found)), [table])


if __name__ == "__main__":
    main()
