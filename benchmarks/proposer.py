"""Claim: a design that a network draws out of noise is a better start than a random field, to the end of a
run on the coarsest grid.

`--data DIR` is a data set of `trabecula generate`, `--models DIR` a folder with a proposer that was trained
on it. The coarsest grids of `--count` problems nobody trained on (the shards held out, and solids of nearly
three times as many voxels of a reserved seed) are solved from many starts at the full penalty, `LIMIT`
iterations each; each row says how far above the best of all runs its best of so many starts is. Beside random
fields stand the plainest alternatives to a network: the cold start, and the convex design that the network is
shown, its log-odds moved by smooth random fields.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Cell, Figure, Table, arguments, finish
from trabecula.design import Schedule
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.problems import draw
from trabecula.learning.search_comparison import all_samples
from trabecula.learning.validate import split_shards
from trabecula.numerics.gaussian import blur
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import run
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import make_optimizer
from trabecula.problem import Problem, loads
from trabecula.starts import (
    Proposal,
    ProposalNetwork,
    Ramps,
    RandomFields,
    log_odds,
    target_volume,
)
from trabecula.starts.proposal_network import GREY
from trabecula.starts.volume import fill
from trabecula.strategy.learned_steps import convex_design, proposer_ratios
from trabecula.surrogate import load_model

Array = NDArray[np.float64]

LIMIT, STARTS = 60, 4
SHOWN = (12, 24, 60)
"""Iterations after which starts are compared."""

GREYS = (0.2, GREY)
"""Shares of grey in what is drawn."""

RANDOM, DRAWN = "random fields", f"drawn, {100 * GREY:g} % grey"
COUNTS = (1, 2, 4)

LARGER, SEED = 27_000, 70_001
"""Voxels and seed of the larger problems."""

AMPLITUDE, SMOOTHNESS = 2.0, (1.0, 2.0)
"""Of the fields that move a convex design: log-odds, and widths in voxels in turns."""


def nudged(convex: Array, analysis: Analysis, count: int) -> Iterator[Proposal]:
    """The convex design, its log-odds moved by random fields, with a fifth of grey."""
    discrete, chain = analysis.discrete, analysis.chain
    volume, end = target_volume(convex, discrete, chain), discrete.options.penalty
    for k in range(count):
        field = np.random.default_rng([discrete.options.seed, k]).standard_normal(discrete.grid.shape)
        field = blur(field, SMOOTHNESS[k % len(SMOOTHNESS)])
        field *= AMPLITUDE / (float(field.std()) or 1.0)
        design = fill(log_odds(convex) + field, volume, discrete, chain)
        x = np.clip(0.8 * design + 0.2 * volume, discrete.lower, discrete.upper)
        yield Proposal(f"nudged-{k}", "nudged", x, Schedule(end, end))


def starts(analysis: Analysis, proposer: ProposalNetwork) -> dict[str, list[Proposal]]:
    """All starts of a problem by what they are."""
    discrete, chain = analysis.discrete, analysis.chain
    convex = convex_design(analysis, make_optimizer(discrete, 1))
    pulls = proposer_ratios(analysis, convex)
    found = {
        "cold": list(Ramps((0,)).propose(discrete, chain, 1)),
        RANDOM: list(RandomFields(discrete.options.seed).propose(discrete, chain, STARTS)),
        "convex, nudged": list(nudged(convex, analysis, STARTS)),
    }
    for grey in GREYS:
        greyer = replace(proposer, grey=grey)
        name = f"drawn, {100 * grey:g} % grey"
        found[name] = list(greyer.propose(convex, pulls, discrete, chain, STARTS, 1))
    return found


def course(analysis: Analysis, proposal: Proposal) -> Array:
    """The best objective so far after every iteration."""
    optimizer = make_optimizer(analysis.discrete, 1, 0.7)
    plan = Plan(optimizer, proposal.schedule, Stop(change=0.0, kkt=0.0, limit=LIMIT), 1e-3)
    step = run(analysis, plan, proposal.density)
    objectives: Array = np.minimum.accumulate([row.objective for row in step.rows])
    return objectives


def solve(discrete: DiscreteProblem, proposer: ProposalNetwork) -> Courses:
    """Courses of all starts on the coarsest grid of a problem."""
    analysis = Analysis(grid_hierarchy(discrete)[0], 1)
    return {
        name: [course(analysis, each) for each in given] for name, given in starts(analysis, proposer).items()
    }


def larger() -> Iterator[Problem]:
    """Solids of more voxels than those that were trained on, easy and hard in turns."""
    for index in range(10**6):
        yield draw(SEED, index, 3, index % 2 == 1, LARGER)


Courses = dict[str, list[Array]]


def above(found: Sequence[Courses], name: str, count: int, after: int) -> Array:
    """Per cent above the best of all runs, a problem each: the best of so many starts after so many
    iterations."""
    best = np.array([min(float(done[-1]) for runs in each.values() for done in runs) for each in found])
    reached = np.array([min(float(done[after - 1]) for done in each[name][:count]) for each in found])
    return np.asarray(100.0 * (reached / best - 1.0))


def rows(found: Sequence[Courses]) -> Iterator[tuple[Cell, ...]]:
    """A line a kind of start and number of them: mean and 90th percentile."""
    for name, runs in found[0].items():
        for count in COUNTS:
            if count <= len(runs):
                each = [above(found, name, count, after) for after in SHOWN]
                yield name, count, *(f"{e.mean():.2f} ({np.quantile(e, 0.9):.1f})" for e in each)


def figures(found: Sequence[Courses], title: str) -> Iterator[Figure]:
    """How what is drawn compares with random fields in the end."""
    for count in COUNTS:
        drawn, random = (above(found, name, count, LIMIT).mean() for name in (DRAWN, RANDOM))
        what = f"above the best known, best of {count} drawn to best of {count} random fields, {title}"
        yield Figure(what, float(drawn / random), "x", 1.0)


def measure(
    problems: Iterator[Problem], title: str, proposer: ProposalNetwork, asked: argparse.Namespace
) -> list[Courses]:
    """Solve `--count` problems from all starts."""

    def work(problem: Problem) -> Courses:
        return solve(discretise(problem), proposer)

    with ThreadPoolExecutor(asked.threads) as crew:
        found = []
        for each in crew.map(work, islice(problems, asked.count)):
            found.append(each)
            print(f"{title}: {len(found)}/{asked.count}", file=sys.stderr)
    return found


def table(found: Sequence[Courses], title: str) -> Table:
    """All starts."""
    columns = ("start", "best of", *(f"after {after}" for after in SHOWN))
    said = f"{len(found)} problems {title}: per cent above the best of all runs, mean (90th percentile)"
    return Table(said, columns, tuple(rows(found)))


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--data", type=Path, required=True, help="3-D data set of `trabecula generate`")
    parser.add_argument("--models", type=Path, required=True, help="folder with proposer-3d")
    parser.add_argument("--count", type=int, default=160, help="problems of either kind")
    asked = parser.parse_args()
    proposer = ProposalNetwork.of(load_model("proposer-3d", asked.models))
    _, kept = split_shards(sorted(asked.data.glob("shard-*.npz")))
    small = (loads(sample.problem) for sample in all_samples(kept))
    found = {
        title: measure(problems, title, proposer, asked)
        for title, problems in (("as large as those trained on", small), ("three times as large", larger()))
    }
    shown = [figure for title, each in found.items() for figure in figures(each, title)]
    tables = [table(each, title) for title, each in found.items()]
    finish("proposer", __doc__ or "", asked, shown, tables)


if __name__ == "__main__":
    main()
