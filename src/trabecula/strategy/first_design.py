"""A first design is finished quickly before the search, from one of the search's own starts.

Most problems have many good designs, and one start that is taken up the grids by short runs finds one of them
in a fifth of the time that the whole solve takes. The search follows as it is without it, and the better end
counts. Every choice here is a measured one (docs/decisions/sooner.md).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.design import sharpen_late, sharpen_soon
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, go_on
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.starts import HalfGrey, HandOver, Proposal
from trabecula.starts.propose import RAMPS
from trabecula.status import Status
from trabecula.strategy.grid_continuation import continue_grids, finish
from trabecula.strategy.learned_first import better_end, tell_done
from trabecula.strategy.multistart import Candidate, Search, search_stage, stage_of, stop_after
from trabecula.strategy.runner import Event, Run, Strategy
from trabecula.strategy.successive_halving import candidate_of, make_starts, plan_proposal
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

SHARE = 0.2
"""Rough share of the work that the first design takes."""

LEAST = 6_000
"""Voxels below which nothing is finished first: the whole solve takes less than a second, of which the first
design would take a fifth."""

START = f"ramp-{RAMPS[-1]}"
"""Name of the start that is finished first, the shortest ramp of those that the search makes."""

COARSE, INTERMEDIATE = 40, 15
"""Iterations on the coarsest grid, where the search goes on with the run later, and on every grid between it
and the finest."""

LIMIT = 50
"""Iterations on the finest grid; a design that has not converged by then is given up."""

HAND_OVER = HalfGrey(0.5, 2.0, 3)
"""From grid to grid."""


def has_first_design(bench: Workbench, search: Search) -> bool:
    """Whether a first design is finished before the search.

    Only where designs are projected: a result without projection, as the literature has it, does not depend
    on what went ahead. A search of so few starts that this one is not among them is quick itself.
    """
    discrete = bench.discrete
    is_among = search.proposals >= len(RAMPS) and "ramp" in search.kinds
    is_wanted = search.first_design and is_among and discrete.options.projection is True
    return is_wanted and discrete.grid.count >= LEAST


def finish_first(bench: Workbench, search: Search, stop: Stop) -> Strategy:
    """Finish a first design, search as without it, and end with the better of both.

    A design that did not converge in time is no finished one; it is given up.
    """
    runner = bench.runner
    finest, coarsest = bench.analysis(bench.discrete), bench.analysis(bench.grids[0])
    runner.share = (0.0, SHARE)
    begun = yield from _begin_on_coarsest(bench, coarsest, search)
    first = (yield from _take_up(bench, finest, candidate_of(*begun), search, stop)).without_memory()
    is_finished = first.step.finished is Status.CONVERGED
    if is_finished:
        yield tell_done(finest, first, START, SHARE)
    runner.share = (SHARE, 1.0)
    tried = yield from _go_on_on_coarsest(bench, coarsest, begun, search)
    candidates = yield from continue_grids(bench, search, [tried])
    found = yield from finish(bench, finest, candidates, search, stop)
    return runner.update(better_end(finest, found, first)) if is_finished else found


def _begin_on_coarsest(
    bench: Workbench, coarsest: Analysis, search: Search
) -> Generator[Event, None, tuple[Proposal, Step]]:
    """Make the first iterations of the start on the coarsest grid, as the search makes them."""
    ramps, _, _ = make_starts(coarsest, search)
    proposal = next(ramp for ramp in ramps if ramp.name == START)
    plan, begun = plan_proposal(bench, coarsest, proposal, search)
    run = Run(f"0-{START}-{COARSE}", replace(plan, stop=stop_after(COARSE)), begun, START)
    step = yield from bench.runner.run(search_stage(coarsest.discrete), coarsest, run, 0.1)
    return proposal, step


def _go_on_on_coarsest(
    bench: Workbench, coarsest: Analysis, begun: tuple[Proposal, Step], search: Search
) -> Generator[Event, None, tuple[Proposal, Step]]:
    """Take the same run to the end that it has in the search."""
    proposal, step = begun
    plan, _ = plan_proposal(bench, coarsest, proposal, search)
    run = Run(f"0-{START}", plan, go_on(plan, step), START)
    step = yield from bench.runner.run(search_stage(coarsest.discrete), coarsest, run, 0.0)
    return proposal, step


def _take_up(
    bench: Workbench, finest: Analysis, candidate: Candidate, search: Search, stop: Stop
) -> Strategy:
    """Take the candidate through all grids to the stop, by short runs."""
    runner = bench.runner
    for level, grid in enumerate(bench.coarse_grids[1:], start=1):
        analysis = bench.analysis(grid)
        x, schedule = HAND_OVER.start(candidate.density, grid, analysis.chain)
        plan = bench.plan(grid, schedule, stop_after(INTERMEDIATE), search.loose)
        plan = replace(plan, schedule=sharpen_late(plan.schedule, INTERMEDIATE))
        begun = begin(plan, x)
        run = Run(f"first-{level}-{START}", plan, begun, START)
        step = yield from runner.run(stage_of(grid), analysis, run, 0.1 + 0.1 * level)
        candidate = replace(candidate, density=step.x, merit=step.merit, coarser=candidate.path)
    plan, begun = begin_soon(bench, finest, candidate.density, HAND_OVER, search, stop)
    run = Run(f"first-{START}", plan, begun, START)
    step = yield from runner.run(stage_of(finest.discrete), finest, run, 0.5)
    return replace(runner.end(step, plan, finest), coarser=candidate.path)


def begin_soon(
    bench: Workbench, finest: Analysis, density: Array, hand_over: HandOver, search: Search, stop: Stop
) -> tuple[Plan, Step]:
    """Hand a design over to a short run on the finest grid, whose projection is sharpened soon."""
    x, schedule = hand_over.start(density, finest.discrete, finest.chain)
    sooner = replace(stop, limit=min(stop.limit, LIMIT), kkt_every=1)
    plan = bench.plan(finest.discrete, schedule, sooner, search.tolerance)
    plan = replace(plan, schedule=sharpen_soon(plan.schedule))
    return plan, begin(plan, x)
