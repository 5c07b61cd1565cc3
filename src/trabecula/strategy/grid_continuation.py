"""Hand over and finish: what a search found, grid by grid to the finest, and there to the stop."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from trabecula.design import Schedule
from trabecula.discretisation.discrete import DiscreteProblem
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
    Tried,
    best_of_each_kind,
    optimizer_for,
    plan_proposal,
    stage_of,
    stop_after,
    triage,
    with_projection,
)
from trabecula.strategy.runner import (
    Event,
    Run,
    Runner,
    Way,
)

FRESH = 30
"""Iterations of the penalty ramp of a design that begins on a grid between."""


Going = tuple[Candidate, Plan, Step]
"""A candidate on the finest grid, how it is worked on, and where it stands."""


def continue_grids(
    grids: Sequence[DiscreteProblem],
    threads: int | None,
    runner: Runner,
    search: Search,
    tried: Tried = (),
) -> Generator[Event, None, list[Candidate]]:
    """Search, and climb all grids but the finest: what is handed over to that, the best of every kind.

    Parameters
    ----------
    grids
        The coarse ones.
    tried
        What of the search was made on the coarsest of them before.
    """
    candidates = yield from triage(Analysis(grids[0], threads), runner, search, threads, tried)
    for level, grid in enumerate(grids[1:], start=1):
        candidates = yield from _climb(Analysis(grid, threads), candidates, level, runner, search, threads)
    return candidates


def _climb(
    analysis: Analysis,
    candidates: list[Candidate],
    level: int,
    runner: Runner,
    search: Search,
    threads: int | None,
) -> Generator[Event, None, list[Candidate]]:
    """Work the candidates out on a grid between, beside a new one: finer walls may be worth it there."""
    grid = analysis.discrete
    next_ones = [_next(analysis, candidate, level, runner, search) for candidate in candidates]
    origins, runs = [origin for origin, _ in next_ones], [run for _, run in next_ones]
    next_ones.clear()  # steps are memory
    if "ramp" in search.kinds:
        (proposal,) = Ramps((FRESH,)).propose(grid, analysis.chain, 1)
        plan, first = plan_proposal(analysis, proposal, search, threads)
        origins.append(Candidate(f"fresh{level}", "ramp", proposal.density, float("inf")))
        plan = replace(plan, stop=stop_after(FRESH + search.between - 10))
        runs.append(Run(f"{level}-fresh", plan, first))
    steps = yield from runner.run_all(stage_of(grid), analysis, runs, threads, 0.1 + 0.1 * level)
    return best_of_each_kind(
        [replace(c, density=s.x, merit=s.merit) for c, s in zip(origins, steps, strict=True)]
    )


def _next(
    analysis: Analysis, candidate: Candidate, level: int, runner: Runner, search: Search
) -> tuple[Candidate, Run]:
    """A candidate handed over to a grid between, and its run there."""
    plan, first = _handed_over(analysis, candidate, search, stop_after(search.between), runner)
    return replace(candidate, coarser=candidate.path), Run(f"{level}-{candidate.name}", plan, first)


def go_ahead(
    grids: Sequence[DiscreteProblem],
    finest: Analysis,
    candidate: Candidate,
    runner: Runner,
    search: Search,
    stop: Stop,
) -> Way:
    """Take one candidate of the coarsest grid up all grids to the stop.

    Parameters
    ----------
    grids
        The coarse ones.
    """
    for level, grid in enumerate(grids[1:], start=1):
        analysis = Analysis(grid, finest.threads)
        origin, run = _next(analysis, candidate, level, runner, search)
        step = yield from runner.run(stage_of(grid), analysis, run, 0.1 + 0.1 * level)
        candidate = replace(origin, density=step.x, merit=step.merit)
    going = [(candidate, *_handed_over(finest, candidate, search, stop, runner))]
    return (yield from _to_the_stop(finest, going, "ahead", runner, search))


def _handed_over(
    analysis: Analysis, candidate: Candidate, search: Search, stop: Stop, runner: Runner
) -> tuple[Plan, Step]:
    """By the network, if there is one and its design is better than the coarse one; else half grey."""
    discrete = analysis.discrete
    optimizer, end = optimizer_for(discrete, analysis.threads), discrete.options.penalty
    hand_over, density = search.hand_over, candidate.density
    corrector = search.learned.corrector
    if corrector is not None:
        plan = Plan(optimizer, with_projection(discrete, Schedule(end, end)), stop, search.tolerance)
        where = f"{stage_of(discrete)} {candidate.name}"
        drawn, trial = correct(analysis, corrector, density, plan, where)
        runner.trials.append(trial)
        if drawn is not None:
            hand_over, density = corrector.hand_over, drawn
    x, schedule = hand_over.start(density, discrete, analysis.chain)
    plan = Plan(optimizer, with_projection(discrete, schedule), stop, search.tolerance)
    return plan, begin(plan, x)


def finish(
    analysis: Analysis,
    candidates: list[Candidate],
    runner: Runner,
    search: Search,
    stop: Stop,
    threads: int | None,
) -> Way:
    """Try the candidates on the finest grid, and take the best to the stop."""
    freely = replace(search, hand_over=search.freer, learned=Learned())
    is_further = [candidate.kind == FURTHER for candidate in candidates]
    own = [place for place, further in enumerate(is_further) if not further]
    going = [
        (
            candidate,
            *_handed_over(analysis, candidate, freely if place in own[1:] else search, stop, runner),
        )
        for place, candidate in enumerate(candidates)
    ]
    decide = search.later if search.decide is not None and any(is_further) else search.decide

    def until(plan: Plan) -> Stop:
        if decide is None:
            return stop
        return stop_after(min(plan.schedule.over + decide, stop.limit))

    if len(going) > 1:
        contenders = [(candidate, plan) for candidate, plan, _ in going]
        runs = [
            Run(f"fine-{candidate.name}", replace(plan, stop=until(plan)), first)
            for candidate, plan, first in going
        ]
        going.clear()  # steps are memory: `best_of` lets go of each when its run has begun
        stage = stage_of(analysis.discrete)
        place, step = yield from runner.best_of(stage, analysis, runs, threads, 0.6)
        going = [(*contenders[place], step)]
        del step
    return (yield from _to_the_stop(analysis, going, "finish", runner, search))


def _to_the_stop(analysis: Analysis, going: list[Going], word: str, runner: Runner, search: Search) -> Way:
    """Finish the one that is going, leaping on the way where there is a network for it.

    The list is used up: where a run began is memory that nothing needs any more.
    """
    candidate, plan, first = going.pop()
    if search.learned.leaper is not None:
        first = yield from _leap(analysis, search.learned.leaper, plan, first, candidate.name, runner)
    last = runner.run(
        stage_of(analysis.discrete), analysis, Run(f"{word}-{candidate.name}", plan, go_on(plan, first)), 0.8
    )
    del first
    return replace(runner.arrive((yield from last), plan, analysis), coarser=candidate.path)


def _leap(
    analysis: Analysis, leaper: ExtrapolationNetwork, plan: Plan, first: Step, name: str, runner: Runner
) -> Generator[Event, None, Step]:
    """Iterate until two designs at the full penalty have been seen, and leap from them."""
    stage = stage_of(analysis.discrete)
    early = max(len(first.rows), plan.schedule.over + leaper.first)
    step, shown = go_on(plan, first), []
    for count in (early, early + leaper.apart):
        limited_plan = replace(plan, stop=replace(plan.stop, limit=min(count, plan.stop.limit)))
        step = yield from runner.run(
            stage, analysis, Run(f"leap-{name}-{count}", limited_plan, go_on(limited_plan, step)), 0.75
        )
        if step.finished in (Status.CONVERGED, Status.DIVERGED) or len(step.rows) >= plan.stop.limit:
            return step
        step, design = observe(analysis, plan, step)
        shown.append(design)
    step, trial = leap(analysis, leaper, shown[0], plan, step, f"{stage} {name}")
    runner.trials.append(trial)
    return step
