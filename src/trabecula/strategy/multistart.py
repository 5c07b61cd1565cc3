"""Propose and triage: many designs on the coarsest grid, of which the best of different kinds go on.

Every choice here is a measured one (docs/decisions/way.md); `Search` holds them as data.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, go_on
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import MMA, OC, Adaptive, MovingAsymptotes, OptimalityCriteria, Optimizer
from trabecula.physics import default_machine
from trabecula.responses import formulate
from trabecula.results.result import Trial
from trabecula.starts import (
    HalfGrey,
    HandOver,
    Proposal,
    Proposer,
    Ramps,
    RandomFields,
)
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.runner import Event, Run, Runner

Array = NDArray[np.float64]

SHARPEST = 32.0
"""Steepness the projection ends with."""

FURTHER = "further"
"""Kind of the random fields that are tried where the best design was found once only."""


@dataclass(frozen=True)
class Search:
    """How wide the search on the coarsest grid is, and how much of it goes up the grids.

    Attributes
    ----------
    proposals
        Designs tried on the coarsest grid, ramps first.
    halvings
        Iterations after which the worse half of the random ones is given up.
    further
        Random fields tried beside them where the best of all was found once only. The best of those goes up
        too, beside the candidates that there would be without them.
    once
        Relative difference on the coarsest grid of the best and the next best above which the best was found
        once only.
    coarse
        Iterations on the coarsest grid for those that stay.
    between
        Iterations on every grid between.
    decide
        Iterations at full penalty on the finest grid after which only the best goes on; None takes all of
        them to the stop.
    later
        The same where further fields take part: what is best of many at one moment flatters itself.
    hand_over
        From grid to grid.
    freer
        To the finest grid, for all candidates but the best and the further one, and without a network: from
        penalty 1 walls that only this grid can resolve may still form. What one way of going up loses the
        other has kept.
    exponent
        OC exponent while a penalty ramp begins from a uniform design.
    kinds
        Kinds of candidates that take part; fewer only to see what each is worth.
    learned
        Networks that take part, each decided by a solve; where something goes ahead, with that alone.
    also
        More designs for the coarsest grid; of other `kinds` than those, they go on only where they beat all.
    ahead
        What goes ahead of the search where no network draws it.
    scouts
        How many designs are tried to go ahead; the best of them goes up all grids to its stop.
    sentinels
        Names of starts of the search that are made before all others.
    agree
        Relative difference, on the coarsest grid, of what went ahead and of all sentinels, up to which what
        went ahead is in no doubt, and nothing is searched.
    """

    proposals: int = 8
    halvings: tuple[int, ...] = (12, 24)
    further: int = 16
    once: float = 0.01
    coarse: int = 60
    between: int = 30
    decide: int | None = 4
    later: int = 15
    hand_over: HandOver = field(default_factory=HalfGrey)
    freer: HandOver = field(default_factory=lambda: HalfGrey(penalty=1.0))
    exponent: float = 0.7
    tolerance: float = 1e-3
    kinds: tuple[str, ...] = ("ramp", "search", FURTHER, "drawn")
    learned: Learned = field(default_factory=Learned)
    also: tuple[Proposer, ...] = ()
    ahead: Proposer | None = None
    scouts: int = 1
    sentinels: tuple[str, ...] = ("cold", "random-1")
    agree: float = 2e-3

    @property
    def goes_ahead(self) -> bool:
        """Whether anything goes ahead of it."""
        return self.learned.proposer is not None or self.ahead is not None


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
    """The optimiser a problem asks for: adaptive OC where its criterion decides, else MMA."""
    formulation, options = formulate(discrete), discrete.options
    if options.optimizer == "mma" or not formulation.is_monotone(discrete):
        return MovingAsymptotes(MMA(move=options.move))
    oc = OC(move=options.move, exponent=exponent, adaptive=Adaptive(), machine=default_machine(threads))
    return OptimalityCriteria(oc, least_volume=formulation.minimises_material(discrete))


def stop_after(iterations: int) -> Stop:
    """No rule but the number of iterations."""
    return Stop(change=0.0, kkt=0.0, limit=iterations)


def stage_of(discrete: DiscreteProblem) -> str:
    """Name of the work on a grid."""
    return discrete.grid.label


def with_projection(discrete: DiscreteProblem, schedule: Schedule) -> Schedule:
    """The schedule with the projection's steepness doubled to the end, where a problem has projection."""
    if not discrete.options.projection:
        return schedule
    return replace(schedule, beta_start=1.0, beta_end=SHARPEST, hold=10)


Ended = list[tuple[Proposal, Step]]
"""Proposals, each with where its run on the coarsest grid ended."""

Tried = Sequence[tuple[Proposal, Step]]
"""The same, of before."""


def triage(
    analysis: Analysis, runner: Runner, search: Search, threads: int | None, tried: Tried = ()
) -> Generator[Event, None, list[Candidate]]:
    """Run the proposals on the coarsest grid, giving up the worse half of the random ones at each halving.

    Parameters
    ----------
    tried
        What of it was made there before, and is not made again.
    """
    ramps, fields, given = make_starts(analysis, search)
    known = {proposal.name: step for proposal, step in tried}
    straight = [p for p in (*ramps, *given) if p.name not in known]
    done = yield from run_proposals(analysis, straight, runner, search, threads)
    done += yield from halve(analysis, fields, known, runner, search, threads)
    random = {proposal.name for proposal in fields}
    done += [(proposal, step) for proposal, step in tried if proposal.name not in random]
    if FURTHER in search.kinds and is_found_once(done, search):
        crowd = further_fields(analysis, search, len(fields))
        done += yield from halve(analysis, crowd, {}, runner, search, threads)
    best = best_of_each_kind([candidate_of(proposal, step) for proposal, step in done])
    runner.trials += trials_of_given(done, search.kinds, stage_of(analysis.discrete), runner)
    return [c for place, c in enumerate(best) if place == 0 or c.kind in search.kinds]


def make_starts(analysis: Analysis, search: Search) -> tuple[list[Proposal], list[Proposal], list[Proposal]]:
    """What a search begins with: penalty ramps, random fields, and designs that were given."""
    discrete, chain = analysis.discrete, analysis.chain
    ramps = list(Ramps().propose(discrete, chain, search.proposals)) if "ramp" in search.kinds else []
    count = search.proposals - len(ramps) if "search" in search.kinds else 0
    fields = list(RandomFields(discrete.options.seed).propose(discrete, chain, count))
    given = [p for also in search.also for p in also.propose(discrete, chain, search.proposals)]
    return ramps, fields, given


def is_found_once(done: Tried, search: Search) -> bool:
    """Whether no other design of its own is nearly as good as the best: there may be more such."""
    merits = sorted(step.merit for proposal, step in done if proposal.kind in search.kinds)
    return len(merits) > 1 and merits[1] > widen(merits[0], search.once)


def widen(merit: float, share: float) -> float:
    """A merit made worse by a share of its size, whatever its sign."""
    return merit * (1.0 + share if merit > 0.0 else 1.0 - share)


def further_fields(analysis: Analysis, search: Search, first: int) -> list[Proposal]:
    """Random fields of a kind of their own, from number `first` on."""
    discrete, most = analysis.discrete, first + search.further
    fields = RandomFields(discrete.options.seed).propose(discrete, analysis.chain, most)
    return [replace(proposal, kind=FURTHER) for proposal in islice(fields, first, None)]


def search_stage(discrete: DiscreteProblem) -> str:
    """Name of the search on a grid."""
    return f"search {stage_of(discrete)}"


def candidate_of(proposal: Proposal, step: Step) -> Candidate:
    """A proposal that was worked out on the coarsest grid."""
    return Candidate(proposal.name, proposal.kind, step.x, step.merit)


def best_of_each_kind(candidates: list[Candidate]) -> list[Candidate]:
    """The best of every kind, best first."""
    best: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: c.merit):
        best.setdefault(candidate.kind, candidate)
    return list(best.values())


def plan_proposal(
    analysis: Analysis, proposal: Proposal, search: Search, threads: int | None
) -> tuple[Plan, Step]:
    """How a proposal is worked on, and its first step."""
    optimizer = optimizer_for(analysis.discrete, threads, search.exponent)
    limit = max(search.coarse, proposal.schedule.over + search.coarse // 2)
    plan = Plan(optimizer, proposal.schedule, stop_after(limit), search.tolerance)
    return plan, begin(plan, proposal.density)


def run_proposals(
    analysis: Analysis,
    proposals: Sequence[Proposal],
    runner: Runner,
    search: Search,
    threads: int | None,
) -> Generator[Event, None, Ended]:
    """Run proposals to the end on the coarsest grid, without regard of each other."""
    planned = [plan_proposal(analysis, p, search, threads) for p in proposals]
    runs = [Run(f"0-{p.name}", plan, first) for p, (plan, first) in zip(proposals, planned, strict=True)]
    steps = yield from runner.run_all(search_stage(analysis.discrete), analysis, runs, threads, 0.03)
    return list(zip(proposals, steps, strict=True))


def halve(
    analysis: Analysis,
    crowd: list[Proposal],
    known: Mapping[str, Step],
    runner: Runner,
    search: Search,
    threads: int | None,
) -> Generator[Event, None, Ended]:
    """Run proposals side by side, giving up the worse half at each halving; what is left at the end.

    `known` ones are not run: they are told by how good they were then.
    """
    standing = [(p, *plan_proposal(analysis, p, search, threads)) for p in crowd]
    for iterations in (*(h for h in search.halvings if h < search.coarse), search.coarse):
        runs = []
        for proposal, plan, first in standing:
            if proposal.name not in known:
                shorter = replace(plan, stop=stop_after(iterations))
                runs.append(Run(f"0-{proposal.name}-{iterations}", shorter, go_on(shorter, first)))
        made = yield from runner.run_all(search_stage(analysis.discrete), analysis, runs, threads, 0.07)
        steps = iter(made)
        standing = [(p, plan, known[p.name] if p.name in known else next(steps)) for p, plan, _ in standing]
        standing.sort(key=lambda entry: merit_after(entry[2], iterations))
        if iterations != search.coarse:
            standing = standing[: -(-len(standing) // 2)]
    return [(proposal, step) for proposal, _, step in standing]


def merit_after(step: Step, iterations: int) -> float:
    """The merit a run had after so many iterations, or has where it made fewer."""
    return replace(step, rows=step.rows[:iterations]).merit


def trials_of_given(done: Tried, kinds: tuple[str, ...], where: str, runner: Runner) -> list[Trial]:
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
            runner.took[f"0-{proposal.name}"],
        )
        for proposal, step in done
        if proposal.kind not in kinds
    ]
