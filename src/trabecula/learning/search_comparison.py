"""A proposer judged by what it is for: searches of the coarsest grid, with it and without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.store import Sample, read_shard
from trabecula.problem import loads
from trabecula.starts import ProposalNetwork
from trabecula.strategy.learned_first import run_ahead
from trabecula.strategy.learned_steps import PULLS, Learned
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import Runner, run_to_end
from trabecula.strategy.successive_halving import triage
from trabecula.strategy.workbench import Workbench


@dataclass(frozen=True)
class SearchComparison:
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


def compare_searches(sample: Sample, proposer: ProposalNetwork) -> SearchComparison:
    """What is drawn alone, as it goes ahead of a search; a random field; the whole search."""
    grid = grid_hierarchy(discretise(loads(sample.problem)))[0]
    whole = Search(further=0)
    fields = replace(whole, proposals=whole.scouts, kinds=("search",))
    merits: dict[str, float] = {}
    made: dict[str, int] = {}
    bench = Workbench(grid, 1)
    alone = replace(whole, learned=Learned(proposer=proposer))
    drawn = run_to_end(run_ahead(bench, bench.analysis(grid), alone))
    name = "what is drawn"
    merits[name], made[name] = drawn[0][1].merit, count_iterations(bench.runner) + PULLS
    for name, search in (("a random field", fields), ("the whole search", whole)):
        bench = Workbench(grid, 1)
        candidates = run_to_end(triage(bench, bench.analysis(grid), search))
        merits[name], made[name] = candidates[0].merit, count_iterations(bench.runner)
    return SearchComparison(merits, made)


def count_iterations(runner: Runner) -> int:
    """Iterations of all runs together."""
    return sum(stage.iterations for stage in runner.stages)


def all_samples(shards: Iterable[Path]) -> Iterator[Sample]:
    """All samples of some shards."""
    for shard in shards:
        yield from read_shard(shard).samples


def summary_rows(found: list[SearchComparison]) -> list[dict[str, object]]:
    """One row per search: iterations, and per cent above the best of the rows (mean, 90th percentile)."""
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
