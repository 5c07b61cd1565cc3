"""Claim: with a network that was trained, the whole solve takes fewer iterations than without it, and ends no
worse.

`NAME --models DIR` says which: what `trabecula train` wrote, before it ships or instead of it. Every problem
is solved to its end without networks and with this one alone, search and proof of the way being the same.
What the network's designs take to be decided counts as iterations of the grid they are decided on. A run that
never comes within a level of the better end counts as never; medians are over all problems.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import places
from benchmarks.report import RESULTS, SCRATCH, Cell, Figure, Table, arguments, finish
from benchmarks.travelled import Travelled, travel
from benchmarks.ways import eight, with_networks
from trabecula.discretisation import discretise
from trabecula.strategy.learned_steps import Learned
from trabecula.surrogate import Model
from trabecula.surrogate.model import load_model

LEVELS = (1.0, 0.5, 0.1)
"""Per cent above the better of the two ends."""


@dataclass(frozen=True)
class Pair:
    """A problem of a set, solved without and with the network."""

    group: str
    without: Travelled
    with_it: Travelled

    def saved(self, level: float) -> float:
        """Times as many iterations without as with; infinite or 0 where only one arrives, 1 where none."""
        best = min(self.without.compliance, self.with_it.compliance)
        before, after = (
            next((at[2] for at in run.track if at[3] <= best * (1 + level / 100)), math.inf)
            for run in (self.without, self.with_it)
        )
        return 1.0 if before == after else before / after

    @property
    def worse(self) -> float:
        """How far the end with the network is above the other, per cent."""
        return 100 * (self.with_it.compliance / self.without.compliance - 1)


def solve(place: places.Place, networks: Mapping[str, Learned], threads: int) -> dict[str, Pair]:
    """To the end without networks, and with each of some."""
    discrete = discretise(place.problem)
    without = travel(eight, discrete, threads)
    found = {}
    for name, learned in networks.items():
        with_it = travel(partial(with_networks, networks=learned), discrete, threads)
        pair = found[name] = Pair(place.group, without, with_it)
        counts = f"{with_it.iterations} iterations, {without.iterations} without"
        taken = f"{with_it.accepted} taken, {with_it.refused} refused"
        print(f"{place.name} {place.size}, {name}: {counts}; {pair.worse:+.2f} %; {taken}", file=sys.stderr)
    return found


def alone(model: Model) -> Learned:
    """The way with this network and no other."""
    kind, dimension = model.card.name.split("-")[0], model.card.dimension
    return Learned.among(
        lambda asked, for_dimension: model if (asked, for_dimension) == (kind, dimension) else None,
        dimension,
    )


def row(name: str, pairs: Sequence[Pair]) -> tuple[Cell, ...]:
    """A line of the table."""
    taken = sum(pair.with_it.accepted for pair in pairs)
    refused = sum(pair.with_it.refused for pair in pairs)
    return (
        name,
        len(pairs),
        *(statistics.median(pair.saved(level) for pair in pairs) for level in LEVELS),
        statistics.median(pair.without.iterations / pair.with_it.iterations for pair in pairs),
        statistics.median(pair.without.seconds / pair.with_it.seconds for pair in pairs),
        statistics.fmean(pair.worse for pair in pairs),
        max(pair.worse for pair in pairs),
        f"{taken} of {taken + refused}",
    )


COLUMNS = (
    "set", "problems", "to 1 %", "to 0.5 %", "to 0.1 %", "to the end", "wall time",
    "end above, mean %", "worst %", "designs taken",
)  # fmt: skip


def figures(name: str, pairs: Sequence[Pair]) -> Iterable[Figure]:
    """What decides whether it ships."""
    level = LEVELS[0]
    saved = statistics.median(pair.saved(level) for pair in pairs)
    yield Figure(f"{name}: times fewer iterations to {level:g} %, median", saved, "x", 1.0, larger=True)
    worse = statistics.fmean(pair.worse for pair in pairs)
    yield Figure(f"{name}: end above the one without it, mean", worse, "%", 0.0)


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("name", help="of the model, as in its manifest: leap-3d")
    parser.add_argument("--models", type=Path, required=True, help="folder that `trabecula train` wrote")
    parser.add_argument("--sets", nargs="+", default=["solid", "hard", "easy"], choices=sorted(places.SETS))
    parser.add_argument("--limit", type=int, help="problems of a set at most")
    asked = parser.parse_args()
    model = load_model(asked.name, asked.models)
    chosen = places.places(asked.sets, asked.quick, asked.limit)
    pairs = [
        solve(place, {asked.name: alone(model)}, asked.threads)[asked.name]
        for place in chosen
        if place.dimension == model.card.dimension
    ]
    groups = sorted({pair.group for pair in pairs})
    rows = [row(group, [pair for pair in pairs if pair.group == group]) for group in groups]
    rows.append(row("all", pairs))
    title = f"{model.card.label}: times as many iterations without it as with it, medians"
    table = Table(title, COLUMNS, tuple(rows))
    asked.json = asked.json or (SCRATCH if asked.quick else RESULTS) / f"candidate-{asked.name}.json"
    finish("candidate", __doc__ or "", asked, list(figures(asked.name, pairs)), [table])


if __name__ == "__main__":
    main()
