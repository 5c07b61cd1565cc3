"""What goes ahead of a search, and whether a search is needed after it.

A network draws a design, and that goes up all grids to its stop before anything is searched. Then starts are
made that no network has a part in. Where all of them find a design as good on the coarsest grid, there is
nothing to search for; else the whole search follows, as it is without a network, and the better end counts.
So a bad network costs its own runs, and never a worse design.
"""

from __future__ import annotations

from collections.abc import Generator

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin
from trabecula.results.result import Trial
from trabecula.starts import ProposalNetwork, volume_of
from trabecula.strategy.learned_steps import convex_plan, propose
from trabecula.strategy.multistart import (
    Ended,
    Search,
    Tried,
    halve,
    make_starts,
    optimizer_for,
    run_proposals,
    search_stage,
    stage_of,
    trials_of_given,
    widen,
)
from trabecula.strategy.runner import Event, Run, Runner


def run_ahead(
    analysis: Analysis, runner: Runner, search: Search, threads: int | None
) -> Generator[Event, None, Ended]:
    """What may go ahead, worked out on the coarsest grid; the worse half is given up as in a search.

    Returns
    -------
    list
        Those that were worked out to the end, the best first.
    """
    discrete, proposer = analysis.discrete, search.learned.proposer
    count = min(search.scouts, search.proposals)
    if proposer is not None:
        plan = convex_plan(optimizer_for(discrete, threads))
        convex = Run("0-convex", plan, begin(plan, analysis.chain.uniform(volume_of(discrete))))
        step = yield from runner.run(search_stage(discrete), analysis, convex, 0.01)
        crowd = propose(analysis, proposer, step.x, count)
    else:
        assert search.ahead is not None
        crowd = list(search.ahead.propose(discrete, analysis.chain, count))
    return (yield from halve(analysis, crowd, {}, runner, search, threads))


def needs_search(
    analysis: Analysis,
    finest: DiscreteProblem,
    scouts: Tried,
    runner: Runner,
    search: Search,
    threads: int | None,
) -> Generator[Event, None, tuple[bool, Ended]]:
    """Whether a search has to follow on the coarsest grid, and what was made of it to find out.

    The sentinels are worked out without regard of each other, and so are designs that were given: those may
    be of another problem, and only raise a doubt by being better. Where the filter is thinner than a voxel of
    this grid, there may be better designs that it cannot show, and it settles nothing.
    """
    if not search.also and search.proposals <= search.scouts:
        return False, []
    if finest.radius < analysis.discrete.grid.edges[1]:
        return True, []
    ramps, fields, given = make_starts(analysis, search)
    chosen = [p for p in (*ramps, *fields) if p.name in search.sentinels] + given
    made = yield from run_proposals(analysis, chosen, runner, search, threads)
    if not agree(scouts, made, search):
        return True, made
    runner.trials += trials_of_given([*scouts, *made], search.kinds, stage_of(analysis.discrete), runner)
    return False, made


def agree(scouts: Tried, made: Tried, search: Search) -> bool:
    """Whether the best scout and all sentinels are as good as each other, and no given design is better.

    Where no solve was possible there is nothing to agree on.
    """
    best = scouts[0][1].merit
    plain = [step.merit for proposal, step in made if proposal.kind in search.kinds]
    others = [step.merit for proposal, step in made if proposal.kind not in search.kinds]
    least = widen(min((best, *plain, *others)), search.agree)
    return bool(plain) and max(best, *plain) <= least < float("inf")


def trial_of_proposal(
    scouts: Tried, made: Tried, where: str, taken: bool, seconds: float, proposer: ProposalNetwork | None
) -> Trial:
    """What became of the best scout, beside the best of what else was made; both on the coarsest grid."""
    best, step = scouts[0]
    ordinary = min((other.merit for _, other in made), default=float("inf"))
    label = "" if proposer is None else proposer.model.card.label
    return Trial("proposal", f"{where} {best.name}", taken, ordinary, step.merit, seconds, label)
