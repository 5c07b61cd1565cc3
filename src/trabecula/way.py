"""Propose, triage, hand over: the runs that lead from a problem to a design, without proof.

Every choice here is a measured one (docs/decisions/way.md); `Search` holds them as data.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.analysis import Analysis
from trabecula.design import MMA, OC, Adaptive, Schedule
from trabecula.hybrid import Learned, correct, leap, propose, seen
from trabecula.journal import Journal
from trabecula.optimize import MovingAsymptotes, OptimalityCriteria, Optimizer, Plan, Step, Stop, begin, go_on
from trabecula.physics import thread_count
from trabecula.problem.discrete import DiscreteProblem
from trabecula.result import Trial
from trabecula.starts import (
    HalfGrey,
    HandOver,
    Leaper,
    Proposal,
    Proposer,
    Ramps,
    RandomFields,
    ladder,
    volume_of,
)
from trabecula.travel import Event, Run, Traveller, Way

Array = NDArray[np.float64]

FRESH = 30
"""Iterations of the penalty ramp of a design that begins on a grid between."""

SHARPEST = 32.0
"""Steepness the projection ends with."""


@dataclass(frozen=True)
class Search:
    """How wide the search on the coarsest grid is, and how much of it goes up the grids.

    Attributes
    ----------
    proposals
        Designs tried on the coarsest grid, ramps first.
    halvings
        Iterations after which the worse half of the random ones is given up.
    coarse
        Iterations on the coarsest grid for those that stay.
    between
        Iterations on every grid between.
    decide
        Iterations at full penalty on the finest grid after which only the best goes on; None takes all of
        them to the stop.
    hand_over
        From grid to grid.
    freer
        To the finest grid, for all candidates but the best, and without a network: from penalty 1 walls that
        only this grid can resolve may still form. What one way of going up loses the other has kept.
    exponent
        OC exponent while a penalty ramp begins from a uniform design.
    kinds
        Kinds of candidates that take part; fewer only to see what each is worth.
    learned
        Networks that take part, each decided by a solve.
    also
        More designs for the coarsest grid; of other `kinds` than those, they go on only where they beat all.
    """

    proposals: int = 8
    halvings: tuple[int, ...] = (12, 24)
    coarse: int = 60
    between: int = 30
    decide: int | None = 4
    hand_over: HandOver = field(default_factory=HalfGrey)
    freer: HandOver = field(default_factory=lambda: HalfGrey(penalty=1.0))
    exponent: float = 0.7
    tolerance: float = 1e-3
    kinds: tuple[str, ...] = ("ramp", "search")
    learned: Learned = field(default_factory=Learned)
    also: tuple[Proposer, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A design on its way up: `name` and `kind` of its origin, its `density` and `merit` (less is better).

    `coarser` are its designs on the grids before, coarsest first; half precision, for they are only kept.
    """

    name: str
    kind: str
    density: Array
    merit: float
    coarser: tuple[NDArray[np.float16], ...] = ()

    @property
    def path(self) -> tuple[NDArray[np.float16], ...]:
        """Its designs on all grids so far."""
        return (*self.coarser, self.density.astype(np.float16))


def optimizer_for(discrete: DiscreteProblem, threads: int | None, exponent: float = 1.0) -> Optimizer:
    """The optimiser a problem asks for: MMA where named or several constraints need it, else adaptive OC."""
    goal, options = discrete.goal, discrete.options
    several = goal.minimize == "volume" and goal.compliance is not None and len(goal.compliance) > 1
    if options.optimizer == "mma" or several:
        return MovingAsymptotes(MMA(move=options.move))
    oc = OC(move=options.move, exponent=exponent, adaptive=Adaptive(), threads=thread_count(threads))
    return OptimalityCriteria(oc, least_volume=goal.minimize == "volume")


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
    plan = Plan(optimizer, _sharpened(discrete, Schedule(end, end)), stop, tolerance=1e-4)
    traveller = Traveller(journal)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from traveller.run("classical", analysis, Run("classical", plan, begin(plan, x)), 0.5)
    return traveller.arrive(step, plan, analysis)


def uniform(discrete: DiscreteProblem, threads: int | None, stop: Stop, journal: Journal) -> Way:
    """One grid, uniform start, penalty continuation, adaptive OC."""
    analysis = Analysis(discrete, threads)
    end = discrete.options.penalty
    schedule = _sharpened(discrete, Schedule(min(1.0, end), end, 30 if end > 1 else 0))
    plan = Plan(optimizer_for(discrete, threads, 0.7), schedule, stop)
    traveller = Traveller(journal)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from traveller.run("uniform", analysis, Run("uniform", plan, begin(plan, x)), 0.5)
    return traveller.arrive(step, plan, analysis)


def coarse_to_fine(
    discrete: DiscreteProblem, threads: int | None, stop: Stop, journal: Journal, search: Search | None = None
) -> Way:
    """Search on the coarsest grid, hand the best of different kinds over grid by grid, finish the best."""
    search = search or Search()
    traveller = Traveller(journal)
    grids = ladder(discrete)
    if len(grids) == 1 or discrete.options.penalty <= 1.0:
        return (yield from _single(discrete, threads, stop, traveller, search))
    candidates = yield from climbed(grids[:-1], threads, traveller, search)
    analysis = Analysis(discrete, threads)
    return (yield from _finish(analysis, candidates, traveller, search, stop, threads))


def climbed(
    grids: Sequence[DiscreteProblem], threads: int | None, traveller: Traveller, search: Search
) -> Generator[Event, None, list[Candidate]]:
    """The part of the way on coarse grids: what is handed over to the finest, the best of every kind."""
    candidates = yield from _triage(Analysis(grids[0], threads), traveller, search, threads)
    for level, grid in enumerate(grids[1:], start=1):
        candidates = yield from _climb(Analysis(grid, threads), candidates, level, traveller, search, threads)
    return candidates


def _climb(
    analysis: Analysis,
    candidates: list[Candidate],
    level: int,
    traveller: Traveller,
    search: Search,
    threads: int | None,
) -> Generator[Event, None, list[Candidate]]:
    """Work the candidates out on a grid between, beside a new one: finer walls may be worth it there."""
    grid = analysis.discrete
    origins, runs = [], []
    stop = _for(search.between)
    for candidate in candidates:
        plan, first = _handed_over(analysis, candidate, search, stop, traveller)
        origins.append(replace(candidate, coarser=candidate.path))
        runs.append(Run(f"{level}-{candidate.name}", plan, first))
    if "ramp" in search.kinds:
        (proposal,) = Ramps((FRESH,)).propose(grid, analysis.chain, 1)
        plan, first = _proposed(analysis, proposal, search, threads)
        origins.append(Candidate(f"fresh{level}", "ramp", proposal.density, float("inf")))
        limit = FRESH + search.between - 10
        runs.append(Run(f"{level}-fresh", replace(plan, stop=_for(limit)), first))
    steps = yield from traveller.run_all(_stage(grid), analysis, runs, threads, 0.1 + 0.1 * level)
    return _different([replace(c, density=s.x, merit=s.merit) for c, s in zip(origins, steps, strict=True)])


def _for(iterations: int) -> Stop:
    """No rule but the number of iterations."""
    return Stop(change=0.0, kkt=0.0, limit=iterations)


def _stage(discrete: DiscreteProblem) -> str:
    return "x".join(map(str, discrete.grid.elements))


def _sharpened(discrete: DiscreteProblem, schedule: Schedule) -> Schedule:
    """The schedule with the projection's steepness doubled to the end, where a problem has projection."""
    if not discrete.options.projection:
        return schedule
    return replace(schedule, beta_start=1.0, beta_end=SHARPEST, hold=10)


def _single(
    discrete: DiscreteProblem, threads: int | None, stop: Stop, traveller: Traveller, search: Search
) -> Way:
    """A problem with one grid, or a convex one: no hand-over, and for a convex one nothing to choose."""
    analysis = Analysis(discrete, threads)
    if discrete.options.penalty <= 1.0:
        schedule = _sharpened(discrete, Schedule(1.0, 1.0))
        plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
        x = analysis.chain.uniform(volume_of(discrete))
        run = Run("convex", plan, begin(plan, x))
        step = yield from traveller.run(_stage(discrete), analysis, run, 0.5)
        return traveller.arrive(step, plan, analysis)
    candidates = yield from _triage(analysis, traveller, search, threads)
    best = min(candidates, key=lambda c: c.merit)
    end = discrete.options.penalty
    schedule = _sharpened(discrete, Schedule(end, end))
    plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
    run = Run("finish", plan, begin(plan, best.density))
    step = yield from traveller.run("finish", analysis, run, 0.7)
    return traveller.arrive(step, plan, analysis)


def _triage(
    analysis: Analysis, traveller: Traveller, search: Search, threads: int | None
) -> Generator[Event, None, list[Candidate]]:
    """Run the proposals on the coarsest grid, giving up the worse half of the random ones at each halving."""
    discrete, chain = analysis.discrete, analysis.chain
    stage = f"search {_stage(discrete)}"
    ramps = list(Ramps().propose(discrete, chain, search.proposals)) if "ramp" in search.kinds else []
    count = search.proposals - len(ramps) if "search" in search.kinds else 0
    crowds = [list(RandomFields(discrete.options.seed).propose(discrete, chain, count))]
    if search.learned.drawer is not None:
        optimizer, drawn = optimizer_for(discrete, threads), max(1, search.proposals // 2)
        crowds.append(propose(analysis, search.learned.drawer, optimizer, drawn))
    ramps += [p for proposer in search.also for p in proposer.propose(discrete, chain, search.proposals)]
    plans = [(p, *_proposed(analysis, p, search, threads)) for p in ramps]
    runs = [Run(f"0-{p.name}", plan, first) for p, plan, first in plans]
    steps = yield from traveller.run_all(stage, analysis, runs, threads, 0.03)
    done = list(zip(ramps, steps, strict=True))
    for crowd in crowds:
        done += yield from _halved(analysis, crowd, traveller, search, threads)
    best = _different([Candidate(p.name, p.kind, s.x, s.merit) for p, s in done])
    traveller.trials += _given(done, search.kinds, _stage(discrete), traveller)
    return [c for place, c in enumerate(best) if place == 0 or c.kind in search.kinds]


def _given(
    done: list[tuple[Proposal, Step]], kinds: tuple[str, ...], where: str, traveller: Traveller
) -> list[Trial]:
    """What became of designs that were given: whether one beat all others, and what its run cost."""
    ordinary = min((step.merit for proposal, step in done if proposal.kind in kinds), default=float("inf"))
    lowest = min(step.merit for _, step in done)
    return [
        Trial(
            proposal.kind,
            f"{where} {proposal.name}",
            step.merit < ordinary and step.merit == lowest,
            ordinary,
            step.merit,
            traveller.took[f"0-{proposal.name}"],
        )
        for proposal, step in done
        if proposal.kind not in kinds
    ]


def _halved(
    analysis: Analysis, crowd: list[Proposal], traveller: Traveller, search: Search, threads: int | None
) -> Generator[Event, None, list[tuple[Proposal, Step]]]:
    """Run proposals side by side, giving up the worse half at each halving; what is left at the end."""
    stage = f"search {_stage(analysis.discrete)}"
    standing = [(p, *_proposed(analysis, p, search, threads)) for p in crowd]
    for iterations in (*(h for h in search.halvings if h < search.coarse), search.coarse):
        runs = []
        for proposal, plan, first in standing:
            limited = replace(plan, stop=_for(iterations))
            runs.append(Run(f"0-{proposal.name}-{iterations}", limited, go_on(limited, first)))
        steps = yield from traveller.run_all(stage, analysis, runs, threads, 0.07)
        standing = [(p, plan, s) for (p, plan, _), s in zip(standing, steps, strict=True)]
        standing.sort(key=lambda entry: entry[2].merit)
        if iterations != search.coarse:
            standing = standing[: -(-len(standing) // 2)]
    return [(proposal, step) for proposal, _, step in standing]


def _proposed(
    analysis: Analysis, proposal: Proposal, search: Search, threads: int | None
) -> tuple[Plan, Step]:
    optimizer = optimizer_for(analysis.discrete, threads, search.exponent)
    limit = max(search.coarse, proposal.schedule.over + search.coarse // 2)
    plan = Plan(optimizer, proposal.schedule, _for(limit), search.tolerance)
    return plan, begin(plan, proposal.density)


def _handed_over(
    analysis: Analysis, candidate: Candidate, search: Search, stop: Stop, traveller: Traveller
) -> tuple[Plan, Step]:
    """By the network, if there is one and its design is better than the coarse one; else half grey."""
    discrete = analysis.discrete
    optimizer, end = optimizer_for(discrete, analysis.threads), discrete.options.penalty
    hand_over, density = search.hand_over, candidate.density
    corrector = search.learned.corrector
    if corrector is not None:
        plan = Plan(optimizer, _sharpened(discrete, Schedule(end, end)), stop, search.tolerance)
        where = f"{_stage(discrete)} {candidate.name}"
        drawn, trial = correct(analysis, corrector, density, plan, where)
        traveller.trials.append(trial)
        if drawn is not None:
            hand_over, density = corrector.hand_over, drawn
    x, schedule = hand_over.start(density, discrete, analysis.chain)
    plan = Plan(optimizer, _sharpened(discrete, schedule), stop, search.tolerance)
    return plan, begin(plan, x)


def _different(candidates: list[Candidate]) -> list[Candidate]:
    """The best of every kind, best first."""
    best: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: c.merit):
        best.setdefault(candidate.kind, candidate)
    return list(best.values())


def _finish(
    analysis: Analysis,
    candidates: list[Candidate],
    traveller: Traveller,
    search: Search,
    stop: Stop,
    threads: int | None,
) -> Way:
    """Try the candidates on the finest grid, and take the best to the stop."""
    stage = _stage(analysis.discrete)
    freely = replace(search, hand_over=search.freer, learned=Learned())
    ready = [
        _handed_over(analysis, candidate, freely if place else search, stop, traveller)
        for place, candidate in enumerate(candidates)
    ]
    if len(candidates) > 1:

        def until(plan: Plan) -> Stop:
            if search.decide is None:
                return stop
            return _for(min(plan.schedule.over + search.decide, stop.limit))

        plans = [plan for plan, _ in ready]
        runs = [
            Run(f"fine-{candidate.name}", replace(plan, stop=until(plan)), first)
            for candidate, (plan, first) in zip(candidates, ready, strict=True)
        ]
        ready.clear()  # steps are memory: `run_all` lets go of each when its run has begun
        steps = yield from traveller.run_all(stage, analysis, runs, threads, 0.6)
        ready = list(zip(plans, steps, strict=True))
        del steps
    best = min(range(len(ready)), key=lambda i: ready[i][1].merit)
    plan, first = ready[best]
    name, coarser = candidates[best].name, candidates[best].path
    ready.clear()
    if search.learned.leaper is not None:
        first = yield from _leap(analysis, search.learned.leaper, plan, go_on(plan, first), name, traveller)
    last = traveller.run(stage, analysis, Run(f"finish-{name}", plan, go_on(plan, first)), 0.8)
    del first
    return replace(traveller.arrive((yield from last), plan, analysis), coarser=coarser)


def _leap(
    analysis: Analysis, leaper: Leaper, plan: Plan, first: Step, name: str, traveller: Traveller
) -> Generator[Event, None, Step]:
    """Iterate until two designs at the full penalty have been seen, and leap from them."""
    stage = _stage(analysis.discrete)
    early = max(len(first.rows), plan.schedule.over + leaper.first)
    step, shown = first, []
    for count in (early, early + leaper.apart):
        limited = replace(plan, stop=replace(plan.stop, limit=min(count, plan.stop.limit)))
        step = yield from traveller.run(
            stage, analysis, Run(f"leap-{name}-{count}", limited, go_on(limited, step)), 0.75
        )
        if step.finished == "converged" or len(step.rows) >= plan.stop.limit:
            return step
        step, design = seen(analysis, plan, step)
        shown.append(design)
    step, trial = leap(analysis, leaper, shown[0], plan, step, f"{stage} {name}")
    traveller.trials.append(trial)
    return step
