"""A network's design is finished before a search begins, and decides whether a search is needed at all.

A network draws a design, which is taken through all grids to its stop before anything is searched. Then some
starts are run on the coarsest grid in which no network has a part (sentinels). Where all of them end in
designs that are as good, the search is left out; else the whole search follows, as it is without a network,
and the better end counts. So a bad network costs the time of its own runs, and never a worse design.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace

from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, look_ahead
from trabecula.optimize.plan import Stop
from trabecula.results.records import Trial
from trabecula.starts import ProposalNetwork, volume_of
from trabecula.strategy.grid_continuation import continue_grids, finish, go_ahead
from trabecula.strategy.learned_steps import Learned, convex_plan, propose
from trabecula.strategy.multistart import Candidate, Search, search_stage, stage_of, widen
from trabecula.strategy.runner import Event, Outcome, Run, Strategy
from trabecula.strategy.successive_halving import (
    Ended,
    Tried,
    candidate_of,
    halve,
    make_starts,
    run_proposals,
    triage,
    trials_of_designs,
)
from trabecula.strategy.workbench import Workbench

AHEAD = 0.4
"""Rough share of the work that goes ahead of a search."""


def finish_ahead(bench: Workbench, search: Search, stop: Stop) -> Strategy:
    """Take the network's design through all grids to its stop; search afterwards where it is in doubt."""
    runner = bench.runner
    finest, coarsest = bench.analysis(bench.discrete), bench.analysis(bench.grids[0])
    runner.share = (0.0, AHEAD)
    clock = time.perf_counter()
    scouts = yield from run_ahead(bench, coarsest, search)
    seconds = time.perf_counter() - clock
    best = candidate_of(*scouts[0])
    outcome = yield from go_ahead(bench, finest, best, search, stop)
    ahead = outcome = outcome.without_memory()
    runner.share = (AHEAD, 1.0)
    in_doubt, made = yield from needs_search(bench, coarsest, scouts, search)
    if in_doubt:
        yield tell_done(finest, outcome, best.name, AHEAD)
        search = replace(search, learned=Learned(proposer=search.learned.proposer))
        candidates = yield from continue_grids(bench, search, made)
        outcome = yield from finish(bench, finest, candidates, search, stop)
        outcome = better_end(finest, ahead, outcome)
    where, is_taken = stage_of(coarsest.discrete), outcome.step is ahead.step
    runner.trials.append(trial_of_proposal(scouts, made, where, is_taken, seconds, search.learned.proposer))
    return runner.update(outcome)


def best_on_one_grid(
    bench: Workbench, analysis: Analysis, search: Search
) -> Generator[Event, None, Candidate]:
    """The same where there is one grid only: the network's design, or the best of the search that follows."""
    clock = time.perf_counter()
    scouts = yield from run_ahead(bench, analysis, search)
    seconds = time.perf_counter() - clock
    best = candidate_of(*scouts[0])
    in_doubt, made = yield from needs_search(bench, analysis, scouts, search)
    if in_doubt:
        found = yield from triage(bench, analysis, search, made)
        best = min(best, found[0], key=lambda c: c.merit)
    where, is_taken = stage_of(analysis.discrete), best.name == scouts[0][0].name
    trial = trial_of_proposal(scouts, made, where, is_taken, seconds, search.learned.proposer)
    bench.runner.trials.append(trial)
    return best


def tell_done(finest: Analysis, end: Outcome, name: str, fraction: float) -> Event:
    """The event that a first design is finished; it is the result if the search finds nothing better.

    Parameters
    ----------
    name
        Of the start that it came of.
    fraction
        Rough share of the whole solve that is done.
    """
    run = Run(f"ahead-{name}", end.plan, end.step, name)
    return Event(stage_of(finest.discrete), finest, end.step, fraction, run, done=True)


def better_end(analysis: Analysis, *ends: Outcome) -> Outcome:
    """The outcome whose design is best, the first of them where two are equal; one solve for each."""
    return min(ends, key=lambda end: _merit(analysis, end))


def _merit(analysis: Analysis, end: Outcome) -> float:
    """Merit of the design that a strategy ends with.

    The last row is about the design before the last step, whose merit may differ by a per cent where the
    iteration swings.
    """
    _, found = look_ahead(analysis, end.plan, end.step)
    return found.merit


def run_ahead(bench: Workbench, analysis: Analysis, search: Search) -> Generator[Event, None, Ended]:
    """Run the network's proposals on the coarsest grid; the worse half is given up as in a search.

    Returns
    -------
    list
        Those that ran to the end, the best first.
    """
    discrete, proposer = analysis.discrete, search.learned.proposer
    count = min(search.scouts, search.proposals)
    if proposer is not None:
        plan = convex_plan(bench.optimizer(discrete))
        convex = Run("0-convex", plan, begin(plan, analysis.chain.uniform(volume_of(discrete))), "convex")
        step = yield from bench.runner.run(search_stage(discrete), analysis, convex, 0.01)
        crowd = propose(analysis, proposer, step.x, count)
    else:
        assert search.ahead is not None
        crowd = list(search.ahead.propose(discrete, analysis.chain, count))
    return (yield from halve(bench, analysis, crowd, {}, search))


def needs_search(
    bench: Workbench, analysis: Analysis, scouts: Tried, search: Search
) -> Generator[Event, None, tuple[bool, Ended]]:
    """Whether a search has to follow on the coarsest grid, and its runs that were made to decide this.

    Sentinels run to the end, independently of each other. So do designs that were given; they may be of
    another problem, and count only where they are better. Where the filter radius is below one voxel of this
    grid, there may be better designs that it cannot represent, and the search always follows.
    """
    if not search.also and search.proposals <= search.scouts:
        return False, []
    if bench.discrete.radius < analysis.discrete.grid.edges[1]:
        return True, []
    ramps, fields, given = make_starts(analysis, search)
    chosen = [p for p in (*ramps, *fields) if p.name in search.sentinels] + given
    made = yield from run_proposals(bench, analysis, chosen, search)
    if not agree(scouts, made, search):
        return True, made
    where, runner = stage_of(analysis.discrete), bench.runner
    runner.trials += trials_of_designs([*scouts, *made], search.kinds, where, runner)
    return False, made


def agree(scouts: Tried, made: Tried, search: Search) -> bool:
    """Whether the network's best design and all sentinels are equally good, and no given one is better.

    False where no solve was possible.
    """
    best = scouts[0][1].merit
    plain = [step.merit for proposal, step in made if proposal.kind in search.kinds]
    others = [step.merit for proposal, step in made if proposal.kind not in search.kinds]
    least = widen(min((best, *plain, *others)), search.agree)
    return bool(plain) and max(best, *plain) <= least < float("inf")


def trial_of_proposal(
    scouts: Tried, made: Tried, where: str, taken: bool, seconds: float, proposer: ProposalNetwork | None
) -> Trial:
    """The network's best design compared with the best of all others, both on the coarsest grid."""
    best, step = scouts[0]
    ordinary = min((other.merit for _, other in made), default=float("inf"))
    label = "" if proposer is None else proposer.model.card.label
    return Trial("proposal", f"{where} {best.name}", taken, ordinary, step.merit, seconds, label)
