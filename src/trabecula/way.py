"""From a problem to a design, without proof: one grid, or a search on coarse grids that is handed over.

Every choice here is a measured one (docs/decisions/way.md, docs/decisions/proposer.md).
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace

from trabecula.analysis import Analysis
from trabecula.climb import climbed, finish, gone_ahead
from trabecula.design import Schedule
from trabecula.hybrid import Learned
from trabecula.journal import Journal
from trabecula.optimize import OptimalityCriteria, Optimizer, Plan, Stop, begin, looked
from trabecula.problem.discrete import DiscreteProblem
from trabecula.scouts import doubted, scouted, told
from trabecula.search import Candidate, Search, candidate_of, optimizer_for, sharpened, stage_of, triage
from trabecula.starts import ladder, volume_of
from trabecula.travel import Arrival, Event, Run, Traveller, Way

AHEAD = 0.4
"""Rough share of the work that goes ahead of a search."""


def classical(
    discrete: DiscreteProblem, threads: int | None, iterations: int | None, journal: Journal
) -> Way:
    """The schedule of the 88-line code: fixed penalty, OC exponent 1/2, until no density changes by 0.01."""
    analysis = Analysis(discrete, threads)
    end = discrete.options.penalty
    optimizer: Optimizer = optimizer_for(discrete, threads)
    if isinstance(optimizer, OptimalityCriteria):
        oc = replace(optimizer.oc, exponent=0.5, adaptive=None, floor=0.0)
        optimizer = OptimalityCriteria(oc, optimizer.least_volume)
    stop = Stop(change=0.0, kkt=0.0, density_change=0.01, limit=iterations or 2000)
    plan = Plan(optimizer, sharpened(discrete, Schedule(end, end)), stop, tolerance=1e-4)
    traveller = Traveller(journal)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from traveller.run("classical", analysis, Run("classical", plan, begin(plan, x)), 0.5)
    return traveller.arrive(step, plan, analysis)


def uniform(discrete: DiscreteProblem, threads: int | None, stop: Stop, journal: Journal) -> Way:
    """One grid, uniform start, penalty continuation, adaptive OC."""
    analysis = Analysis(discrete, threads)
    end = discrete.options.penalty
    schedule = sharpened(discrete, Schedule(min(1.0, end), end, 30 if end > 1 else 0))
    plan = Plan(optimizer_for(discrete, threads, 0.7), schedule, stop)
    traveller = Traveller(journal)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from traveller.run("uniform", analysis, Run("uniform", plan, begin(plan, x)), 0.5)
    return traveller.arrive(step, plan, analysis)


def coarse_to_fine(
    discrete: DiscreteProblem, threads: int | None, stop: Stop, journal: Journal, search: Search | None = None
) -> Way:
    """Search on the coarsest grid, hand the best of different kinds over grid by grid, finish the best.

    What a network draws goes ahead: up all grids to the stop. The search follows where that is in doubt, and
    the better end counts.
    """
    search = search or Search()
    traveller = Traveller(journal)
    grids = ladder(discrete)
    if len(grids) == 1 or discrete.options.penalty <= 1.0:
        return (yield from _single(discrete, threads, stop, traveller, search))
    analysis = Analysis(discrete, threads)
    if search.goes_ahead:
        return (yield from _scouts_first(grids, analysis, traveller, search, stop))
    candidates = yield from climbed(grids[:-1], threads, traveller, search)
    return (yield from finish(analysis, candidates, traveller, search, stop, threads))


def _scouts_first(
    grids: Sequence[DiscreteProblem],
    finest: Analysis,
    traveller: Traveller,
    search: Search,
    stop: Stop,
) -> Way:
    """What goes ahead goes up all grids; the search follows where that is in doubt."""
    threads, coarsest = finest.threads, Analysis(grids[0], finest.threads)
    traveller.share = (0.0, AHEAD)
    clock = time.perf_counter()
    scouts = yield from scouted(coarsest, traveller, search, threads)
    seconds = time.perf_counter() - clock
    best = candidate_of(*scouts[0])
    arrival = yield from gone_ahead(grids[:-1], finest, best, traveller, search, stop)
    ahead = arrival = arrival.light()
    traveller.share = (AHEAD, 1.0)
    in_doubt, made = yield from doubted(coarsest, finest.discrete, scouts, traveller, search, threads)
    if in_doubt:
        yield _done(finest, arrival, best.name)
        search = replace(search, learned=Learned(drawer=search.learned.drawer))
        candidates = yield from climbed(grids[:-1], threads, traveller, search, made)
        arrival = yield from finish(finest, candidates, traveller, search, stop, threads)
        arrival = min(ahead, arrival, key=lambda end: _merit(finest, end))
    where, is_taken = stage_of(grids[0]), arrival.step is ahead.step
    traveller.trials.append(told(scouts, made, where, is_taken, seconds, search.learned.drawer))
    return traveller.again(arrival)


def _done(finest: Analysis, end: Arrival, name: str) -> Event:
    """Says that a design is finished which will do if nothing better is found."""
    run = Run(f"ahead-{name}", end.plan, end.step)
    return Event(stage_of(finest.discrete), finest, end.step, AHEAD, run, done=True)


def _merit(analysis: Analysis, end: Arrival) -> float:
    """Of the design a way ends with: what its last iteration evaluated is the one before, and may be a per
    cent off where the iteration swings."""
    _, found = looked(analysis, end.plan, end.step)
    return found.merit


def _single(
    discrete: DiscreteProblem, threads: int | None, stop: Stop, traveller: Traveller, search: Search
) -> Way:
    """A problem with one grid, or a convex one: no hand-over, and for a convex one nothing to choose."""
    analysis = Analysis(discrete, threads)
    if discrete.options.penalty <= 1.0:
        schedule = sharpened(discrete, Schedule(1.0, 1.0))
        plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
        x = analysis.chain.uniform(volume_of(discrete))
        run = Run("convex", plan, begin(plan, x))
        step = yield from traveller.run(stage_of(discrete), analysis, run, 0.5)
        return traveller.arrive(step, plan, analysis)
    best = yield from _best_of_all(analysis, traveller, search, threads)
    end = discrete.options.penalty
    schedule = sharpened(discrete, Schedule(end, end))
    plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
    run = Run("finish", plan, begin(plan, best.density))
    step = yield from traveller.run("finish", analysis, run, 0.7)
    return traveller.arrive(step, plan, analysis)


def _best_of_all(
    analysis: Analysis, traveller: Traveller, search: Search, threads: int | None
) -> Generator[Event, None, Candidate]:
    """The best of a search on the only grid, or what goes ahead of it, where that is in no doubt."""
    if not search.goes_ahead:
        candidates = yield from triage(analysis, traveller, search, threads)
        return candidates[0]
    clock = time.perf_counter()
    scouts = yield from scouted(analysis, traveller, search, threads)
    seconds = time.perf_counter() - clock
    best = candidate_of(*scouts[0])
    in_doubt, made = yield from doubted(analysis, analysis.discrete, scouts, traveller, search, threads)
    if in_doubt:
        found = yield from triage(analysis, traveller, search, threads, made)
        best = min(best, found[0], key=lambda c: c.merit)
    where, is_taken = stage_of(analysis.discrete), best.name == scouts[0][0].name
    traveller.trials.append(told(scouts, made, where, is_taken, seconds, search.learned.drawer))
    return best
