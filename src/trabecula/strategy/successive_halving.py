"""The search on the coarsest grid: many designs tried, of which the best of different kinds go on.

Random ones are given up by successive halving: many short runs, few long ones.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from trabecula.design import sharpen_late
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, go_on
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Step
from trabecula.results.records import Trial
from trabecula.starts import Proposal, Ramps, RandomFields
from trabecula.strategy.multistart import (
    FURTHER,
    Candidate,
    Search,
    best_of_each_kind,
    search_stage,
    stage_of,
    stop_after,
    widen,
)
from trabecula.strategy.runner import Event, Run, Runner
from trabecula.strategy.workbench import Workbench

Ended = list[tuple[Proposal, Step]]
"""Proposals, each with where its run on the coarsest grid ended."""

Tried = Sequence[tuple[Proposal, Step]]
"""The same, of before."""


def triage(
    bench: Workbench, analysis: Analysis, search: Search, tried: Tried = ()
) -> Generator[Event, None, list[Candidate]]:
    """Run the proposals on the coarsest grid, giving up the worse half of the random ones at each halving.

    Parameters
    ----------
    tried
        Runs of this search that were made before, and are not made again.
    """
    ramps, fields, given = make_starts(analysis, search)
    known = {proposal.name: step for proposal, step in tried}
    straight = [p for p in (*ramps, *given) if p.name not in known]
    done = yield from run_proposals(bench, analysis, straight, search)
    done += yield from halve(bench, analysis, fields, known, search)
    random = {proposal.name for proposal in fields}
    done += [(proposal, step) for proposal, step in tried if proposal.name not in random]
    if FURTHER in search.kinds and is_found_once(done, search):
        crowd = further_fields(analysis, search, len(fields))
        done += yield from halve(bench, analysis, crowd, {}, search)
    best = best_of_each_kind([candidate_of(proposal, step) for proposal, step in done])
    runner = bench.runner
    runner.trials += trials_of_designs(done, search.kinds, stage_of(analysis.discrete), runner)
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
    """Whether no other design of this search is nearly as good as the best: a wider one may pay."""
    merits = sorted(step.merit for proposal, step in done if proposal.kind in search.kinds)
    return len(merits) > 1 and merits[1] > widen(merits[0], search.agreement)


def further_fields(analysis: Analysis, search: Search, first: int) -> list[Proposal]:
    """Random fields of a kind of their own, from number `first` on."""
    discrete, most = analysis.discrete, first + search.further
    fields = RandomFields(discrete.options.seed).propose(discrete, analysis.chain, most)
    return [replace(proposal, kind=FURTHER) for proposal in islice(fields, first, None)]


def candidate_of(proposal: Proposal, step: Step) -> Candidate:
    """The candidate that a finished run of a proposal on the coarsest grid makes."""
    return Candidate(proposal.name, proposal.kind, step.x, step.merit)


def plan_proposal(
    bench: Workbench, analysis: Analysis, proposal: Proposal, search: Search, limit: int | None = None
) -> tuple[Plan, Step]:
    """How a proposal is worked on, and its first step.

    Parameters
    ----------
    limit
        Iterations; None: as many as the search makes, and more where the penalty's ramp is long.
    """
    discrete, schedule = analysis.discrete, proposal.schedule
    limit = limit or max(search.coarse, schedule.over + search.coarse // 2)
    if discrete.options.projection:
        schedule = sharpen_late(schedule, limit)
    optimizer = bench.optimizer(discrete, search.exponent)
    plan = Plan(optimizer, schedule, stop_after(limit), search.loose)
    return plan, begin(plan, proposal.density)


def run_proposals(
    bench: Workbench, analysis: Analysis, proposals: Sequence[Proposal], search: Search
) -> Generator[Event, None, Ended]:
    """Run proposals to their ends on the coarsest grid, independently of each other."""
    runs = []
    for proposal in proposals:
        plan, first = plan_proposal(bench, analysis, proposal, search)
        runs.append(Run(f"0-{proposal.name}", plan, first, proposal.name))
    steps = yield from bench.runner.run_all(search_stage(analysis.discrete), analysis, runs, 0.03)
    return list(zip(proposals, steps, strict=True))


def halve(
    bench: Workbench, analysis: Analysis, crowd: list[Proposal], known: Mapping[str, Step], search: Search
) -> Generator[Event, None, Ended]:
    """Run proposals side by side, giving up the worse half at each halving; what is left at the end.

    Those in `known` are not run again; they are ranked by their merit after as many iterations.
    """
    stage = search_stage(analysis.discrete)
    standing = [(p, *plan_proposal(bench, analysis, p, search)) for p in crowd]
    for iterations in (*(h for h in search.halvings if h < search.coarse), search.coarse):
        runs = []
        for proposal, plan, first in standing:
            if proposal.name not in known:
                shorter = replace(plan, stop=stop_after(iterations))
                name = f"0-{proposal.name}-{iterations}"
                runs.append(Run(name, shorter, go_on(shorter, first), proposal.name))
        made = yield from bench.runner.run_all(stage, analysis, runs, 0.07)
        steps = iter(made)
        standing = [(p, plan, known[p.name] if p.name in known else next(steps)) for p, plan, _ in standing]
        standing.sort(key=lambda entry: merit_after(entry[2], iterations))
        if iterations != search.coarse:
            standing = standing[: -(-len(standing) // 2)]
    return [(proposal, step) for proposal, _, step in standing]


def merit_after(step: Step, iterations: int) -> float:
    """The merit a run had after so many iterations, or has where it made fewer."""
    return replace(step, rows=step.rows[:iterations]).merit


def trials_of_designs(done: Tried, kinds: tuple[str, ...], where: str, runner: Runner) -> list[Trial]:
    """The trials of given designs: whether one was better than all others, and what its run cost."""
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
