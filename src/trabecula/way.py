"""Propose, triage, hand over: the runs that lead from a problem to a design, without proof.

Every choice here is a measured one (docs/decisions/way.md); `Search` holds them as data.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.analysis import Analysis
from trabecula.design import MMA, OC, Adaptive, Schedule
from trabecula.journal import Journal
from trabecula.optimize import MovingAsymptotes, OptimalityCriteria, Optimizer, Plan, Step, Stop, begin, go_on
from trabecula.physics import thread_count
from trabecula.problem.discrete import DiscreteProblem
from trabecula.result import Stage
from trabecula.starts import HalfGrey, HandOver, Proposal, Ramps, RandomFields, ladder, volume_of

Array = NDArray[np.float64]

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
        Iterations at full penalty on the finest grid after which only the best goes on.
    hand_over
        From grid to grid.
    exponent
        OC exponent while a penalty ramp begins from a uniform design.
    kinds
        Kinds of candidates that take part; fewer only to see what each is worth.
    """

    proposals: int = 8
    halvings: tuple[int, ...] = (12, 24)
    coarse: int = 60
    between: int = 30
    decide: int = 4
    hand_over: HandOver = field(default_factory=HalfGrey)
    exponent: float = 0.7
    tolerance: float = 1e-3
    kinds: tuple[str, ...] = ("ramp", "search")


@dataclass(frozen=True)
class Candidate:
    """A design on its way up: `name` and `kind` of its origin, its `density` and `merit` (less is better)."""

    name: str
    kind: str
    density: Array
    merit: float


@dataclass(frozen=True)
class Event:
    """Something happened: `stage`, the analysis of the grid it happened on, and the step."""

    stage: str
    analysis: Analysis
    step: Step
    fraction: float


@dataclass(frozen=True)
class Arrival:
    """The end of a way: the finished step on the finest grid, its plan and analysis, the stages it took."""

    step: Step
    plan: Plan
    analysis: Analysis
    stages: tuple[Stage, ...]


Way = Generator[Event, None, Arrival]


class Traveller:
    """Runs plans by name through a journal, and keeps the time of every stage."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._iterations: dict[str, int] = {}
        self._seconds: dict[str, float] = {}

    def run(
        self, name: str, stage: str, analysis: Analysis, plan: Plan, first: Step, fraction: float
    ) -> Generator[Event, None, Step]:
        """Take a run to its stop."""
        clock, before = time.perf_counter(), len(first.rows)
        step = first
        for step in self.journal.run(name, analysis, plan, lambda: first):
            yield Event(stage, analysis, step, fraction)
        self._iterations[stage] = self._iterations.get(stage, 0) + len(step.rows) - before
        self._seconds[stage] = self._seconds.get(stage, 0.0) + time.perf_counter() - clock
        return step

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What every stage took so far."""
        return tuple(Stage(n, i, self._seconds[n]) for n, i in self._iterations.items())


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
        oc = replace(optimizer.oc, exponent=0.5, adaptive=None, floor=1e-3)
        optimizer = OptimalityCriteria(oc, optimizer.least_volume)
    stop = Stop(change=0.0, kkt=0.0, density_change=0.01, limit=iterations or 2000)
    plan = Plan(optimizer, _sharpened(discrete, Schedule(end, end)), stop, tolerance=1e-4)
    traveller = Traveller(journal)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from traveller.run("classical", "classical", analysis, plan, begin(plan, x), 0.5)
    return Arrival(step, plan, analysis, traveller.stages)


def uniform(discrete: DiscreteProblem, threads: int | None, stop: Stop, journal: Journal) -> Way:
    """One grid, uniform start, penalty continuation, adaptive OC."""
    analysis = Analysis(discrete, threads)
    end = discrete.options.penalty
    schedule = _sharpened(discrete, Schedule(min(1.0, end), end, 30 if end > 1 else 0))
    plan = Plan(optimizer_for(discrete, threads, 0.7), schedule, stop)
    traveller = Traveller(journal)
    x = analysis.chain.uniform(volume_of(discrete))
    step = yield from traveller.run("uniform", "uniform", analysis, plan, begin(plan, x), 0.5)
    return Arrival(step, plan, analysis, traveller.stages)


def coarse_to_fine(
    discrete: DiscreteProblem, threads: int | None, stop: Stop, journal: Journal, search: Search | None = None
) -> Way:
    """Search on the coarsest grid, hand the best of different kinds over grid by grid, finish the best."""
    search = search or Search()
    traveller = Traveller(journal)
    grids = ladder(discrete)
    if len(grids) == 1 or discrete.options.penalty <= 1.0:
        return (yield from _single(discrete, threads, stop, traveller, search))
    analysis = Analysis(grids[0], threads)
    candidates = yield from _triage(analysis, traveller, search, threads)
    for level, grid in enumerate(grids[1:-1], start=1):
        analysis = Analysis(grid, threads)
        fraction = 0.1 + 0.3 * level / len(grids)
        plan_stop = Stop(change=0.0, kkt=0.0, limit=search.between)
        found = []
        for candidate in candidates:
            plan, first = _handed_over(analysis, candidate, search, plan_stop, threads)
            step = yield from traveller.run(
                f"{level}-{candidate.name}", _stage(grid), analysis, plan, first, fraction
            )
            found.append(replace(candidate, density=step.x, merit=step.merit))
        if "ramp" in search.kinds:
            found.append((yield from _from_nothing(analysis, traveller, search, threads, level, fraction)))
        candidates = _different(found)
    analysis = Analysis(discrete, threads)
    return (yield from _finish(analysis, candidates, traveller, search, stop, threads))


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
        step = yield from traveller.run("convex", _stage(discrete), analysis, plan, begin(plan, x), 0.5)
        return Arrival(step, plan, analysis, traveller.stages)
    candidates = yield from _triage(analysis, traveller, search, threads)
    best = min(candidates, key=lambda c: c.merit)
    end = discrete.options.penalty
    schedule = _sharpened(discrete, Schedule(end, end))
    plan = Plan(optimizer_for(discrete, threads), schedule, stop, search.tolerance)
    step = yield from traveller.run("finish", "finish", analysis, plan, begin(plan, best.density), 0.7)
    return Arrival(step, plan, analysis, traveller.stages)


def _triage(
    analysis: Analysis, traveller: Traveller, search: Search, threads: int | None
) -> Generator[Event, None, list[Candidate]]:
    """Run the proposals on the coarsest grid, giving up the worse half of the random ones at each halving."""
    discrete, chain = analysis.discrete, analysis.chain
    stage = f"search {_stage(discrete)}"
    ramps = list(Ramps().propose(discrete, chain, search.proposals)) if "ramp" in search.kinds else []
    count = search.proposals - len(ramps) if "search" in search.kinds else 0
    fields = RandomFields(discrete.options.seed).propose(discrete, chain, count)
    done = []
    for proposal in ramps:
        step = yield from traveller.run(
            f"0-{proposal.name}", stage, analysis, *_proposed(analysis, proposal, search, threads), 0.02
        )
        done.append((proposal, step))
    racing = [(p, _proposed(analysis, p, search, threads)) for p in fields]
    rounds = [*(h for h in search.halvings if h < search.coarse), search.coarse]
    standing = [(p, plan, first) for p, (plan, first) in racing]
    for iterations in rounds:
        after = []
        for proposal, plan, first in standing:
            limited = replace(plan, stop=replace(plan.stop, limit=iterations))
            step = yield from traveller.run(
                f"0-{proposal.name}-{iterations}", stage, analysis, limited, go_on(limited, first), 0.06
            )
            after.append((proposal, plan, step))
        after.sort(key=lambda entry: entry[2].merit)
        standing = after[: -(-len(after) // 2)] if iterations != search.coarse else after
    done += [(proposal, step) for proposal, _, step in standing]
    return _different([Candidate(p.name, p.kind, s.x, s.merit) for p, s in done])


def _proposed(
    analysis: Analysis, proposal: Proposal, search: Search, threads: int | None
) -> tuple[Plan, Step]:
    optimizer = optimizer_for(analysis.discrete, threads, search.exponent)
    stop = Stop(change=0.0, kkt=0.0, limit=max(search.coarse, proposal.schedule.over + search.coarse // 2))
    plan = Plan(optimizer, proposal.schedule, stop, search.tolerance)
    return plan, begin(plan, proposal.density)


def _from_nothing(
    analysis: Analysis, traveller: Traveller, search: Search, threads: int | None, level: int, fraction: float
) -> Generator[Event, None, Candidate]:
    """A ramp from a uniform design on a grid between: thinner walls may be worth it there."""
    discrete = analysis.discrete
    (proposal,) = Ramps((30,)).propose(discrete, analysis.chain, 1)
    plan, first = _proposed(analysis, proposal, search, threads)
    plan = replace(plan, stop=replace(plan.stop, limit=30 + search.between - 10))
    step = yield from traveller.run(f"{level}-fresh", _stage(discrete), analysis, plan, first, fraction)
    return Candidate(f"fresh{level}", "ramp", step.x, step.merit)


def _handed_over(
    analysis: Analysis, candidate: Candidate, search: Search, stop: Stop, threads: int | None
) -> tuple[Plan, Step]:
    x, schedule = search.hand_over.start(candidate.density, analysis.discrete, analysis.chain)
    plan = Plan(
        optimizer_for(analysis.discrete, threads),
        _sharpened(analysis.discrete, schedule),
        stop,
        search.tolerance,
    )
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
    tried = []
    for candidate in candidates:
        plan, first = _handed_over(analysis, candidate, search, stop, threads)
        if len(candidates) > 1:
            limit = min(plan.schedule.over + search.decide, stop.limit)
            short = replace(plan, stop=replace(stop, change=0.0, limit=limit))
            first = yield from traveller.run(f"fine-{candidate.name}", stage, analysis, short, first, 0.6)
        tried.append((plan, first, candidate))
    plan, first, candidate = min(tried, key=lambda entry: entry[1].merit)
    first = go_on(plan, first)
    step = yield from traveller.run(f"finish-{candidate.name}", stage, analysis, plan, first, 0.8)
    return Arrival(step, plan, analysis, traveller.stages)


def settle(way: Way) -> Arrival:
    """Travel a way to its end, without looking at what happens."""
    while True:
        try:
            next(way)
        except StopIteration as end:
            arrival: Arrival = end.value
            return arrival
