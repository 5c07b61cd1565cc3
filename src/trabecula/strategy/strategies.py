"""From a problem to a design, without proof: one grid, or a search on coarse grids that is handed over.

Every choice here is a measured one (docs/decisions/way.md, docs/decisions/proposer.md).
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace

from trabecula.design import Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints
from trabecula.optimize.loop import begin, look_ahead
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import OptimalityCriteria, Optimizer
from trabecula.starts import volume_of
from trabecula.strategy.grid_continuation import continue_grids, finish, go_ahead
from trabecula.strategy.learned_first import needs_search, run_ahead, trial_of_proposal
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.multistart import (
    Candidate,
    Search,
    candidate_of,
    optimizer_for,
    stage_of,
    triage,
    with_projection,
)
from trabecula.strategy.runner import (
    Event,
    Outcome,
    Run,
    Runner,
    Way,
)

AHEAD = 0.4
"""Rough share of the work that goes ahead of a search."""


def classical(
    discrete: DiscreteProblem, threads: int | None, iterations: int | None, checkpoints: Checkpoints
) -> Way:
    """The schedule of the 88-line code: fixed penalty, OC exponent 1/2, until no density changes by 0.01."""
    analysis = Analysis(discrete, threads)
    end = discrete.options.penalty
    optimizer: Optimizer = optimizer_for(discrete, threads)
    if isinstance(optimizer, OptimalityCriteria):
        oc = replace(optimizer.oc, exponent=0.5, adaptive=None, floor=0.0)
        optimizer = OptimalityCriteria(oc, optimizer.least_volume)
    stop = Stop(change=0.0, kkt=0.0, density_change=0.01, limit=iterations or 2000)
    plan = Plan(optimizer, with_projection(discrete, Schedule(end, end)), stop, tolerance=1e-4)
    runner = Runner(checkpoints)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from runner.run("classical", analysis, Run("classical", plan, begin(plan, x)), 0.5)
    return runner.arrive(step, plan, analysis)


def uniform(discrete: DiscreteProblem, threads: int | None, stop: Stop, checkpoints: Checkpoints) -> Way:
    """One grid, uniform start, penalty continuation, adaptive OC."""
    analysis = Analysis(discrete, threads)
    end = discrete.options.penalty
    schedule = with_projection(discrete, Schedule(min(1.0, end), end, 30 if end > 1 else 0))
    plan = Plan(optimizer_for(discrete, threads, 0.7), schedule, stop)
    runner = Runner(checkpoints)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from runner.run("uniform", analysis, Run("uniform", plan, begin(plan, x)), 0.5)
    return runner.arrive(step, plan, analysis)


def coarse_to_fine(
    discrete: DiscreteProblem,
    threads: int | None,
    stop: Stop,
    checkpoints: Checkpoints,
    search: Search | None = None,
) -> Way:
    """Search on the coarsest grid, hand the best of different kinds over grid by grid, finish the best.

    What a network draws goes ahead: up all grids to the stop. The search follows where that is in doubt, and
    the better end counts.
    """
    search = search or Search()
    runner = Runner(checkpoints)
    grids = grid_hierarchy(discrete)
    if len(grids) == 1 or discrete.options.penalty <= 1.0:
        return (yield from _single(discrete, threads, stop, runner, search))
    analysis = Analysis(discrete, threads)
    if search.goes_ahead:
        return (yield from _scouts_first(grids, analysis, runner, search, stop))
    candidates = yield from continue_grids(grids[:-1], threads, runner, search)
    return (yield from finish(analysis, candidates, runner, search, stop, threads))


def _scouts_first(
    grids: Sequence[DiscreteProblem],
    finest: Analysis,
    runner: Runner,
    search: Search,
    stop: Stop,
) -> Way:
    """What goes ahead goes up all grids; the search follows where that is in doubt."""
    threads, coarsest = finest.threads, Analysis(grids[0], finest.threads)
    runner.share = (0.0, AHEAD)
    clock = time.perf_counter()
    scouts = yield from run_ahead(coarsest, runner, search, threads)
    seconds = time.perf_counter() - clock
    best = candidate_of(*scouts[0])
    outcome = yield from go_ahead(grids[:-1], finest, best, runner, search, stop)
    ahead = outcome = outcome.light()
    runner.share = (AHEAD, 1.0)
    in_doubt, made = yield from needs_search(coarsest, finest.discrete, scouts, runner, search, threads)
    if in_doubt:
        yield _done(finest, outcome, best.name)
        search = replace(search, learned=Learned(proposer=search.learned.proposer))
        candidates = yield from continue_grids(grids[:-1], threads, runner, search, made)
        outcome = yield from finish(finest, candidates, runner, search, stop, threads)
        outcome = min(ahead, outcome, key=lambda end: _merit(finest, end))
    where, is_taken = stage_of(grids[0]), outcome.step is ahead.step
    runner.trials.append(trial_of_proposal(scouts, made, where, is_taken, seconds, search.learned.proposer))
    return runner.again(outcome)


def _done(finest: Analysis, end: Outcome, name: str) -> Event:
    """Says that a design is finished which will do if nothing better is found."""
    run = Run(f"ahead-{name}", end.plan, end.step)
    return Event(stage_of(finest.discrete), finest, end.step, AHEAD, run, done=True)


def _merit(analysis: Analysis, end: Outcome) -> float:
    """Of the design a way ends with: what its last iteration evaluated is the one before, and may be a per
    cent off where the iteration swings."""
    _, found = look_ahead(analysis, end.plan, end.step)
    return found.merit


def _single(
    discrete: DiscreteProblem, threads: int | None, stop: Stop, runner: Runner, search: Search
) -> Way:
    """A problem with one grid, or a convex one: no hand-over, and for a convex one nothing to choose."""
    analysis = Analysis(discrete, threads)
    if discrete.options.penalty <= 1.0:
        schedule = with_projection(discrete, Schedule(1.0, 1.0))
        plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
        x = analysis.chain.uniform(volume_of(discrete))
        run = Run("convex", plan, begin(plan, x))
        step = yield from runner.run(stage_of(discrete), analysis, run, 0.5)
        return runner.arrive(step, plan, analysis)
    best = yield from _best_of_all(analysis, runner, search, threads)
    end = discrete.options.penalty
    schedule = with_projection(discrete, Schedule(end, end))
    plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
    run = Run("finish", plan, begin(plan, best.density))
    step = yield from runner.run("finish", analysis, run, 0.7)
    return runner.arrive(step, plan, analysis)


def _best_of_all(
    analysis: Analysis, runner: Runner, search: Search, threads: int | None
) -> Generator[Event, None, Candidate]:
    """The best of a search on the only grid, or what goes ahead of it, where that is in no doubt."""
    if not search.goes_ahead:
        candidates = yield from triage(analysis, runner, search, threads)
        return candidates[0]
    clock = time.perf_counter()
    scouts = yield from run_ahead(analysis, runner, search, threads)
    seconds = time.perf_counter() - clock
    best = candidate_of(*scouts[0])
    in_doubt, made = yield from needs_search(analysis, analysis.discrete, scouts, runner, search, threads)
    if in_doubt:
        found = yield from triage(analysis, runner, search, threads, made)
        best = min(best, found[0], key=lambda c: c.merit)
    where, is_taken = stage_of(analysis.discrete), best.name == scouts[0][0].name
    runner.trials.append(trial_of_proposal(scouts, made, where, is_taken, seconds, search.learned.proposer))
    return best
