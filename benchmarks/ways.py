"""Every way from a problem to a design that is compared, but those that need more than the problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks.runs import begin_uniform, cold_plan
from trabecula.design import DesignChain
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, at_best, iterate
from trabecula.optimize.plan import Stop
from trabecula.physics.assembled import AssembledState
from trabecula.solve import KKT, TOLERANCE
from trabecula.starts import (
    HalfGrey,
    Proposal,
    Proposer,
    RandomFields,
    UpscalingNetwork,
)
from trabecula.strategy.coarse import coarse_to_fine
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import (
    Event,
    Outcome,
    Run,
    Strategy,
)
from trabecula.strategy.uniform import continue_penalty, iterate_classically
from trabecula.strategy.workbench import Workbench
from trabecula.surrogate import shipped_model

COLD_LIMIT, LONG_LIMIT = 300, 600
LONG_PROPOSALS, LONG_TOLERANCE = 48, 1e-4
EIGHT = Search(further=0)
"""The default's search without further fields: eight proposals, whatever they find."""

OTHER = 70_001
"""Seed of random fields that are none of the search's own."""


def stop_of(change: float = TOLERANCE, limit: int = 300) -> Stop:
    """The stop of `trabecula.solve`."""
    return Stop(change=change, kkt=KKT, limit=limit)


def searched(discrete: DiscreteProblem, threads: int, search: Search, stop: Stop | None = None) -> Strategy:
    """From coarse to fine, with another search or stop than the default's."""
    return coarse_to_fine(Workbench(discrete, threads), search, stop or stop_of())


def cold(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The usual cold start, with the loose solves of the other ways, so that only the way is compared."""
    analysis = Analysis(discrete, threads)
    plan = cold_plan(discrete, threads, COLD_LIMIT, 1e-3)
    step = begin_uniform(analysis, plan)
    run = Run("cold", plan, step)
    while step.finished is None:
        step = advance(analysis, plan, step)
        yield Event("cold", analysis, step, 0.5, run)
    return Outcome(at_best(analysis, plan, step), plan, analysis, ())


def continuation(discrete: DiscreteProblem, threads: int) -> Strategy:
    """One grid, penalty ramp, adaptive OC: `--start uniform`."""
    return continue_penalty(Workbench(discrete, threads), stop_of())


def default(discrete: DiscreteProblem, threads: int) -> Strategy:
    """`--start coarse`."""
    return searched(discrete, threads, Search())


def eight(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default without further fields."""
    return searched(discrete, threads, EIGHT)


def ramps(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default with its deterministic candidates only."""
    search = Search(kinds=("ramp",))
    return searched(discrete, threads, search)


def fields(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default with its random candidates only."""
    search = Search(kinds=("search",))
    return searched(discrete, threads, search)


def few_fields(discrete: DiscreteProblem, threads: int) -> Strategy:
    """Four random candidates, of which only the best goes up: the plainest way to be quicker."""
    search = Search(proposals=4, kinds=("search",))
    return searched(discrete, threads, search)


@dataclass(frozen=True)
class Renamed:
    """Starts of a proposer, as what goes ahead of a search of starts like these."""

    proposer: Proposer

    def propose(self, discrete: DiscreteProblem, chain: DesignChain, count: int) -> Iterator[Proposal]:
        """The proposer's, under other names."""
        for k, proposal in enumerate(self.proposer.propose(discrete, chain, count)):
            yield replace(proposal, name=f"ahead-{k}", kind="drawn")


def field_ahead(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The learned way without a network: a random field goes ahead of the search."""
    search = Search(ahead=Renamed(RandomFields(OTHER)))
    return searched(discrete, threads, search)


def mma(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default with MMA in place of adaptive OC."""
    return default(replace(discrete, options=replace(discrete.options, optimizer="mma")), threads)


def practice(discrete: DiscreteProblem, threads: int) -> Strategy:
    """What people use: fixed penalty, OC exponent 1/2, until no density changes by 0.01.

    As `--start classical`, in 2-D with a direct solver; in 3-D with our multigrid, which favours it.
    """
    if discrete.grid.dimension == 3:
        return iterate_classically(Workbench(discrete, threads), COLD_LIMIT)
    return _direct(discrete, threads)


def _direct(discrete: DiscreteProblem, threads: int) -> Strategy:
    analysis = Analysis(discrete, threads, AssembledState(discrete))
    plan = cold_plan(discrete, threads, COLD_LIMIT, 1e-4)
    run = Run("classical", plan, begin_uniform(analysis, plan))
    for step in iterate(analysis, plan, run.first):
        yield Event("classical", analysis, step, 0.5, run)
    return Outcome(at_best(analysis, plan, step), plan, analysis, ())


def short(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default with a short hand-over: 40 % grey, penalty 2 to 3 over 3 iterations."""
    hand_over = HalfGrey(0.4, 2.0, 3)
    search = Search(hand_over=hand_over, hand_over_of_others=hand_over, intermediate=23)
    return searched(discrete, threads, search)


def medium(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default with the hand-over that the first corrector uses: half grey, penalty 2 to 3 over 5."""
    hand_over = HalfGrey(0.5, 2.0, 5)
    search = Search(hand_over=hand_over, hand_over_of_others=hand_over, intermediate=25)
    return searched(discrete, threads, search)


def learned(discrete: DiscreteProblem, threads: int) -> Strategy:
    """`--start learned`: what a network draws goes ahead, the search follows where it is in doubt."""
    search = Search(learned=Learned.load(discrete.grid.dimension))
    return searched(discrete, threads, search)


def only_corrector(discrete: DiscreteProblem, threads: int) -> Strategy:
    """The default with the network that hands over, which ships beside the one that proposes."""
    model = shipped_model("corrector", discrete.grid.dimension)
    return with_networks(
        discrete, threads, Learned(corrector=None if model is None else UpscalingNetwork.of(model))
    )


def with_networks(discrete: DiscreteProblem, threads: int, networks: Learned) -> Strategy:
    """Without further fields, and with networks in place of some of the steps."""
    search = replace(EIGHT, learned=networks)
    return searched(discrete, threads, search)


def quick(discrete: DiscreteProblem, threads: int) -> Strategy:
    """`--start learned --proposals 1`: what is drawn goes ahead, and nothing follows."""
    search = Search(proposals=1, learned=Learned.load(discrete.grid.dimension))
    return searched(discrete, threads, search)


def more_fields(discrete: DiscreteProblem, threads: int, more: int) -> Strategy:
    """So many more random fields than the default's, whatever was found; no further ones."""
    search = replace(EIGHT, proposals=EIGHT.proposals + more)
    return searched(discrete, threads, search)


def long(discrete: DiscreteProblem, threads: int) -> Strategy:
    """Six times as many proposals, and a finish to a third of the tolerance."""
    search = replace(EIGHT, proposals=LONG_PROPOSALS)
    return searched(discrete, threads, search, stop_of(LONG_TOLERANCE, LONG_LIMIT))


Method = Callable[[DiscreteProblem, int], Strategy]

METHODS: dict[str, Method] = {
    function.__name__: function for function in (cold, default, continuation, ramps, fields, mma, long)
}
"""What `benchmarks.optima` compares."""
