"""A proposer judged by what it is for: searches of the coarsest grid, with it and without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trabecula.hybrid import SHOWN, Learned
from trabecula.journal import Journal
from trabecula.learning.store import Sample, read_shard
from trabecula.problem import discretise, loads
from trabecula.solve import PROPOSALS
from trabecula.starts import Drawer, ladder
from trabecula.travel import Traveller, settle
from trabecula.way import Search, climbed

MORE = 4
"""Random fields that are tried in place of what the network draws."""


@dataclass(frozen=True)
class Searched:
    """One problem's searches.

    Attributes
    ----------
    merits
        What each search ended with, by its name.
    iterations
        What each took, solves for the network's fields among them.
    """

    merits: dict[str, float]
    iterations: dict[str, int]


def search_of(sample: Sample, drawer: Drawer) -> Searched:
    """Search with the network, as it is at work; without it; and with as many more random fields."""
    grid = ladder(discretise(loads(sample.problem)))[0]
    asked = {
        "with the network": Search(proposals=PROPOSALS, learned=Learned(drawer=drawer)),
        "without it": Search(proposals=PROPOSALS),
        f"{MORE} random fields more": Search(proposals=PROPOSALS + MORE),
    }
    merits, iterations = {}, {}
    for name, search in asked.items():
        traveller = Traveller(Journal())
        found = settle(climbed([grid], 1, traveller, search))
        merits[name] = min(candidate.merit for candidate in found)
        extra = SHOWN if search.learned.drawer is not None else 0
        iterations[name] = sum(stage.iterations for stage in traveller.stages) + extra
    return Searched(merits, iterations)


def every(shards: Iterable[Path]) -> Iterator[Sample]:
    """All samples of some shards."""
    for shard in shards:
        yield from read_shard(shard).samples


def ends(found: list[Searched]) -> list[dict[str, object]]:
    """A row a search: iterations, and per cent above the best of the rows (mean, 90th percentile)."""
    rows: list[dict[str, object]] = []
    for name in found[0].merits if found else ():
        above = [100.0 * (each.merits[name] / min(each.merits.values()) - 1.0) for each in found]
        rows.append(
            {
                "search": name,
                "iterations": round(float(np.mean([each.iterations[name] for each in found])), 1),
                "above the best, mean %": round(float(np.mean(above)), 3),
                "90th percentile": round(float(np.quantile(above, 0.9)), 3),
            }
        )
    return rows
