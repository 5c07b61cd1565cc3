"""Claim: where a design that a network draws goes ahead of the search, a problem is within 1 % and 0.1 % of
the better end after half of the default's iterations and 1 / 1.7 of its time, nearly never later, and never
ends worse; and plain starts that go ahead do less.

Every problem is solved to its end by the default (all searches here make eight proposals, and none that are
further); by the learned start without any other network (what is
drawn goes ahead, the search follows where it is in doubt); by the same with a random field, with a penalty
ramp and with a network that says nothing but noise; and by what goes ahead alone (`--proposals 1`, and the
same with plain starts; and the four random fields of the hybrid's `few_fields`). Solves are counted by their
share of the full grid's voxels. A gain is the default's count (or seconds) to within a level of the better of
both ends, divided by the way's: the median over all problems, 0 where only the default arrives.

`--dimension 2` does this in the plane. `--models DIR` has another proposer than the one that ships. Runs are
kept in out/, so that a command that is cut goes on; `--fresh` forgets them.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import places
from benchmarks.hybrid_figures import STRONGEST
from benchmarks.optima import keep, load, reached
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish
from benchmarks.travelled import Travelled, travel
from benchmarks.ways import EIGHT, OTHER, Method, Renamed, eight, few_fields, searched
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.problems import draw
from trabecula.starts import ProposalNetwork, Ramps, RandomFields
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import Strategy
from trabecula.surrogate import Model, load_model, shipped_model

LEVELS = (1.0, 0.1)
"""Per cent above the better of two ends."""

SEED = 70_001
"""Of more random problems, easy and hard in turns."""

SETS = {2: ["named", "hard", "easy"], 3: ["solid", "hard", "easy"]}
SECONDS, EQUIVALENTS = 0, 1
SLOWER = 0.95
DEFAULT, LEARNED = "the default", "drawn ahead"
AHEAD = ("random field ahead", "penalty ramp ahead")
NOISE = "network of noise ahead"
ALONE = {"drawn alone": LEARNED, "random field alone": AHEAD[0], "penalty ramp alone": AHEAD[1]}


class Noise(Model):
    """Answers whatever it is asked with noise."""

    def run(self, inputs: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """As many answers as examples, of the right shape."""
        fields = inputs["fields"]
        channels = self.card.answers * self.card.patch**self.card.dimension
        random = np.random.default_rng(0)
        return 4.0 * random.standard_normal((len(fields), channels, *fields.shape[2:]), np.float32)


def way(discrete: DiscreteProblem, threads: int, search: Search) -> Strategy:
    """The default with another search."""
    return searched(discrete, threads, search)


def ways(proposer: ProposalNetwork) -> dict[str, Method]:
    """The default, and what is compared with it."""
    noise = replace(proposer, model=Noise(proposer.model.card, b""))
    searches = {
        LEARNED: replace(EIGHT, learned=Learned(proposer=proposer)),
        AHEAD[0]: replace(EIGHT, ahead=Renamed(RandomFields(OTHER))),
        AHEAD[1]: replace(EIGHT, ahead=Renamed(Ramps())),
        NOISE: replace(EIGHT, learned=Learned(proposer=noise)),
    }
    alone = {name: replace(searches[whole], proposals=1) for name, whole in ALONE.items()}
    made = {name: partial(way, search=search) for name, search in {**searches, **alone}.items()}
    return {DEFAULT: eight, **made, "four random fields alone": few_fields}


@dataclass(frozen=True)
class Against:
    """A way and the default on the same problems."""

    pairs: Sequence[tuple[Travelled, Travelled]]

    def gains(self, part: int, level: float) -> list[float]:
        """Times as much of a part of `Moment` as the way takes, the default takes to the level."""
        return [_gain(plain, run, part, level) for plain, run in self.pairs]

    def gain(self, part: int, level: float) -> float:
        """Their median."""
        return statistics.median(self.gains(part, level))

    @property
    def in_all(self) -> float:
        """The same of the time to the stop."""
        return statistics.median(plain.seconds / run.seconds for plain, run in self.pairs)

    @property
    def slower(self) -> float:
        """Per cent of the problems where it takes longer than the default to the first level."""
        return 100 * statistics.fmean(gain < SLOWER for gain in self.gains(SECONDS, LEVELS[0]))

    @property
    def worse(self) -> list[float]:
        """How far the ends are above the default's, per cent."""
        return [100 * (run.compliance / plain.compliance - 1) for plain, run in self.pairs]


def _gain(plain: Travelled, run: Travelled, part: int, level: float) -> float:
    goal = min(plain.compliance, run.compliance) * (1 + level / 100)
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
            *(against.gain(part, level) for level in LEVELS for part in (EQUIVALENTS, SECONDS)),
            f"{against.slower:.0f} %",
            against.in_all,
            float(worse.mean()),
            float(np.quantile(worse, 0.9)),
            float(worse.max()),
            f"{100 * float((worse > 0.1).mean()):.0f} %",
        )


def figures(found: Mapping[str, Against], dimension: int, ships: bool = True) -> Iterator[Figure]:
    """What the claim says, and whether it is about what ships."""
    drawn, (wall, solves) = found[LEARNED], STRONGEST[dimension]
    where = f"{dimension}-D" + ("" if ships else " (no network that ships)")
    here = f"{LEARNED}, {where}"
    for level in LEVELS:
        for part, called, goal in ((EQUIVALENTS, "solves", solves), (SECONDS, "wall time", wall)):
            what = f"{here}: {called} of the default to {level:g} %, median"
            yield Figure(what, drawn.gain(part, level), "x", goal, larger=True)
    yield Figure(f"{here}: not slower than {SLOWER}x to 1 %", 100 - drawn.slower, "%", 95.0, larger=True)
    yield Figure(f"{here}: wall time of the default to the stop, median", drawn.in_all, "x")
    for name in (LEARNED, NOISE):
        what = f"{name}, {where}: end above the default's, worst"
        yield Figure(what, max(found[name].worse), "%", 0.1)
    for name in AHEAD:
        other = found[name]
        fewer = other.slower - drawn.slower
        yield Figure(f"{here}: slower on fewer problems than {name}", fewer, "%", 0.0, larger=True)
        ends = statistics.fmean(drawn.worse) - statistics.fmean(other.worse)
        yield Figure(f"{here}: end above that of {name}, mean", ends, "%", 0.0)
    for name in list(ALONE)[1:]:
        ends = statistics.fmean(found["drawn alone"].worse) - statistics.fmean(found[name].worse)
        yield Figure(f"drawn alone, {where}: end above that of {name}, mean", ends, "%", 0.0)


COLUMNS = (
    "way", "problems", "solves to 1 %", "wall time to 1 %", "solves to 0.1 %", "wall time to 0.1 %",
    "slower to 1 %", "wall time in all", "end above the default's, mean %", "90th percentile", "worst",
    "more than 0.1 % above",
)  # fmt: skip


def problems(
    dimension: int, asked_sets: Sequence[str], quick: bool, limit: int | None, more: int
) -> Iterator[places.Place]:
    """Those of the sets that are of a dimension, and more random ones."""
    for place in places.places(asked_sets, quick, limit):
        if place.dimension == dimension:
            yield place
    for index in range(more):
        problem = draw(SEED, index, dimension, index % 2 == 1, places.VOXELS[dimension])
        yield places.Place("more", "more", f"more {dimension}-D {index}", problem)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--dimension", type=int, default=3, choices=(2, 3))
    parser.add_argument("--models", type=Path, help="folder with the proposer; default: what ships")
    parser.add_argument("--sets", nargs="*", choices=sorted(places.SETS), help="of problems")
    parser.add_argument("--limit", type=int, help="problems of a set at most")
    parser.add_argument("--more", type=int, default=40, help="random problems beside the sets")
    parser.add_argument("--fresh", action="store_true", help="forget the runs that are kept")
    asked = parser.parse_args()
    dimension, name = asked.dimension, f"proposer-{asked.dimension}d"
    model = load_model(name, asked.models) if asked.models else shipped_model("proposer", dimension)
    if model is None:
        sys.exit(f"no {name} ships; name one with --models")
    sets = SETS[dimension] if asked.sets is None else asked.sets
    path = SCRATCH / f"scouts-{model.card.sha256[:12]}.jsonl"
    if asked.fresh:
        path.unlink(missing_ok=True)
    runs, compared = load(path), ways(ProposalNetwork.of(model))
    pairs: dict[str, list[tuple[Travelled, Travelled]]] = {name: [] for name in compared}
    for place in problems(dimension, sets, asked.quick, asked.limit, asked.more):
        discrete = discretise(place.problem)
        for name, method in compared.items():
            key = (place.name, place.size, name)
            if key not in runs:
                runs[key] = travel(method, discrete, asked.threads)
                keep(path, key, runs[key], asked.threads)
            pairs[name].append((runs[place.name, place.size, DEFAULT], runs[key]))
        ends = ", ".join(f"{each[-1][1].compliance:.5g}" for each in pairs.values())
        print(f"{place.name} {place.size}: {ends}", file=sys.stderr)
    found = {name: Against(each) for name, each in pairs.items() if name != DEFAULT}
    table = Table(
        "Ways beside the default, times as much as the way takes the default takes",
        COLUMNS,
        tuple(rows(found)),
    )
    asked.json = asked.json or (SCRATCH if asked.quick else RESULTS) / f"scouts-{dimension}d.json"
    finish("scouts", __doc__ or "", asked, list(figures(found, dimension, asked.models is None)), [table])


if __name__ == "__main__":
    main()
