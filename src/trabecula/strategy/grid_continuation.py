"""Grid continuation: designs of a search are handed over grid by grid, and finished on the finest grid."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from trabecula.design import Schedule
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, go_on
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.starts import ExtrapolationNetwork, Ramps
from trabecula.status import Status
from trabecula.strategy.learned_steps import (
    Learned,
    correct,
    leap,
    observe,
)
from trabecula.strategy.multistart import (
    FURTHER,
    Candidate,
    Search,
    best_of_each_kind,
    stage_of,
    stop_after,
)
from trabecula.strategy.runner import Event, Run, Strategy
from trabecula.strategy.successive_halving import Tried, plan_proposal, triage
from trabecula.strategy.workbench import Workbench

FRESH = 30
"""Iterations of the penalty ramp of a design that begins on an intermediate grid."""


Contender = tuple[Candidate, Plan, Step]
"""A candidate on the finest grid, how it is worked on, and where it stands."""


def continue_grids(
    bench: Workbench, search: Search, tried: Tried = ()
) -> Generator[Event, None, list[Candidate]]:
    """Search on the coarsest grid, and hand over to all grids but the finest.

    Returns the best candidate of every kind there.

    Parameters
    ----------
    tried
        Designs of this search that were made on the coarsest grid before.
    """
    coarsest, *intermediate = bench.coarse_grids
    candidates = yield from triage(bench, bench.analysis(coarsest), search, tried)
    for level, grid in enumerate(intermediate, start=1):
        candidates = yield from _continue_on(bench, bench.analysis(grid), candidates, level, search)
    return candidates


def _continue_on(
    bench: Workbench, analysis: Analysis, candidates: list[Candidate], level: int, search: Search
) -> Generator[Event, None, list[Candidate]]:
    """Work on the candidates on an intermediate grid, beside a new one that begins there.

    The new one may have walls that are too thin for the coarser grids.
    """
    grid = analysis.discrete
    next_ones = [_next(bench, analysis, candidate, level, search) for candidate in candidates]
    origins, runs = [origin for origin, _ in next_ones], [run for _, run in next_ones]
    next_ones.clear()  # steps are memory
    if "ramp" in search.kinds:
        (proposal,) = Ramps((FRESH,)).propose(grid, analysis.chain, 1)
        limit = FRESH + search.intermediate - 10
        plan, first = plan_proposal(bench, analysis, proposal, search, limit)
        origins.append(Candidate(f"fresh{level}", "ramp", proposal.density, float("inf")))
        runs.append(Run(f"{level}-fresh", plan, first, f"fresh{level}"))
    steps = yield from bench.runner.run_all(stage_of(grid), analysis, runs, 0.1 + 0.1 * level)
    return best_of_each_kind(
        [replace(c, density=s.x, merit=s.merit) for c, s in zip(origins, steps, strict=True)]
    )


def _next(
    bench: Workbench, analysis: Analysis, candidate: Candidate, level: int, search: Search
) -> tuple[Candidate, Run]:
    """Hand a candidate over to an intermediate grid, and make its run there."""
    plan, first = _hand_over(bench, analysis, candidate, search, stop_after(search.intermediate))
    run = Run(f"{level}-{candidate.name}", plan, first, candidate.name)
    return replace(candidate, coarser=candidate.path), run


def go_ahead(
    bench: Workbench, finest: Analysis, candidate: Candidate, search: Search, stop: Stop
) -> Strategy:
    """Take one candidate of the coarsest grid through all grids to the stop."""
    for level, grid in enumerate(bench.coarse_grids[1:], start=1):
        analysis = bench.analysis(grid)
        origin, run = _next(bench, analysis, candidate, level, search)
        step = yield from bench.runner.run(stage_of(grid), analysis, run, 0.1 + 0.1 * level)
        candidate = replace(origin, density=step.x, merit=step.merit)
    contenders = [(candidate, *_hand_over(bench, finest, candidate, search, stop))]
    return (yield from _finish_one(bench, finest, contenders, "ahead", search))


def _hand_over(
    bench: Workbench, analysis: Analysis, candidate: Candidate, search: Search, stop: Stop
) -> tuple[Plan, Step]:
    """Hand over by the network if its design is better than the coarse one, else half grey."""
    discrete = analysis.discrete
    end = discrete.options.penalty
    hand_over, density = search.hand_over, candidate.density
    corrector = search.learned.corrector
    if corrector is not None:
        plan = bench.plan(discrete, Schedule(end, end), stop, search.loose)
        where = f"{stage_of(discrete)} {candidate.name}"
        drawn, trial = correct(analysis, corrector, density, plan, where)
        bench.runner.trials.append(trial)
        if drawn is not None:
            hand_over, density = corrector.hand_over, drawn
    x, schedule = hand_over.start(density, discrete, analysis.chain)
    plan = bench.plan(discrete, schedule, stop, search.loose)
    return plan, begin(plan, x)


def finish(
    bench: Workbench, analysis: Analysis, candidates: list[Candidate], search: Search, stop: Stop
) -> Strategy:
    """Try the candidates on the finest grid, and take the best to the stop."""
    has_fresh = _needs_fresh(bench, search)
    candidates = candidates[:1] if has_fresh else candidates
    search_of_others = replace(search, hand_over=search.hand_over_of_others, learned=Learned())
    is_further = [candidate.kind == FURTHER for candidate in candidates]
    own = [place for place, further in enumerate(is_further) if not further]
    contenders = [
        (
            candidate,
            *_hand_over(bench, analysis, candidate, search_of_others if place in own[1:] else search, stop),
        )
        for place, candidate in enumerate(candidates)
    ]
    if has_fresh:
        contenders.append(_begin_fresh(bench, analysis, search, stop))
    decide = search.decide_further if search.decide is not None and any(is_further) else search.decide

    def until(plan: Plan) -> Stop:
        if decide is None:
            return stop
        return stop_after(min(plan.schedule.over + decide, stop.limit))

    if len(contenders) > 1:
        planned = [(candidate, plan) for candidate, plan, _ in contenders]
        runs = [
            Run(f"fine-{candidate.name}", replace(plan, stop=until(plan)), first, candidate.name)
            for candidate, plan, first in contenders
        ]
        contenders.clear()  # steps are memory: `best_of` lets go of each when its run has begun
        place, step = yield from bench.runner.best_of(stage_of(analysis.discrete), analysis, runs, 0.6)
        contenders = [(*planned[place], step)]
        del step
    return (yield from _finish_one(bench, analysis, contenders, "finish", search))


def _needs_fresh(bench: Workbench, search: Search) -> bool:
    """Whether a design that begins on the finest grid takes part, in place of the second best of the search.

    In solids members are thinner than the voxels of a coarse grid can be; where there are grids between, one
    begins there.
    """
    is_solid = bench.discrete.grid.dimension == 3
    return search.fresh and is_solid and len(bench.coarse_grids) == 1 and "ramp" in search.kinds


def _begin_fresh(bench: Workbench, analysis: Analysis, search: Search, stop: Stop) -> Contender:
    """A uniform design with a penalty ramp on the finest grid."""
    discrete = analysis.discrete
    (proposal,) = Ramps((FRESH,)).propose(discrete, analysis.chain, 1)
    plan = bench.plan(discrete, proposal.schedule, stop, search.loose, search.exponent)
    candidate = Candidate("fresh", "ramp", proposal.density, float("inf"), is_fresh=True)
    return candidate, plan, begin(plan, proposal.density)


def _finish_one(
    bench: Workbench, analysis: Analysis, contenders: list[Contender], word: str, search: Search
) -> Strategy:
    """Take the last candidate to its stop, with leaps where there is a network for them.

    The list is emptied, because the designs that runs began with need memory that can be freed.
    """
    candidate, plan, first = contenders.pop()
    plan = replace(plan, tolerance=search.tolerance)
    if search.learned.leaper is not None:
        first = yield from _leap(bench, analysis, search.learned.leaper, plan, first, candidate.name)
    run = Run(f"{word}-{candidate.name}", plan, go_on(plan, first), candidate.name)
    steps = bench.runner.run(stage_of(analysis.discrete), analysis, run, 0.8)
    del first, run
    return replace(bench.runner.end((yield from steps), plan, analysis), coarser=candidate.path)


def _leap(
    bench: Workbench, analysis: Analysis, leaper: ExtrapolationNetwork, plan: Plan, first: Step, name: str
) -> Generator[Event, None, Step]:
    """Iterate until two designs at the full penalty have been seen, and leap from them."""
    stage = stage_of(analysis.discrete)
    early = max(len(first.rows), plan.schedule.over + leaper.first)
    step, shown = go_on(plan, first), []
    for count in (early, early + leaper.apart):
        limited_plan = replace(plan, stop=replace(plan.stop, limit=min(count, plan.stop.limit)))
        run = Run(f"leap-{name}-{count}", limited_plan, go_on(limited_plan, step), name)
        steps = bench.runner.run(stage, analysis, run, 0.75)
        del run  # where it begins is memory
        step = yield from steps
        if step.finished in (Status.CONVERGED, Status.DIVERGED) or len(step.rows) >= plan.stop.limit:
            return step
        step, design = observe(analysis, plan, step)
        shown.append(design)
    step, trial = leap(analysis, leaper, shown[0], plan, step, f"{stage} {name}")
    bench.runner.trials.append(trial)
    return step
