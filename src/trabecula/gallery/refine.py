"""From a sketch on a coarse grid, or from a draw, to a finished design on the finest grid."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.gallery.difference import solid_voxels
from trabecula.gallery.ground import Draw
from trabecula.gallery.search import CoarseDesign
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin, go_on
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.starts import HalfGrey, HandOver
from trabecula.strategy.multistart import Search, stage_of, stop_after
from trabecula.strategy.runner import Event, Outcome, Run, Runner
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

HAND_OVER = HalfGrey()
"""From grid to grid, as in a default solve."""

DECIDE = 6
"""Iterations at full penalty on the finest grid after which a design is looked at for the first time."""

GREY = 20
"""Iterations without projection of a draw for the finest grid, under whatever problem it begins with."""

Look = tuple[Plan, Step]


def hand_over(
    bench: Workbench, finest: Analysis, sketch: CoarseDesign, search: Search, stop: Stop, runner: Runner
) -> Generator[Event, None, Look]:
    """Take a sketch up to the finest grid, and a few iterations further, to be looked at.

    Returns
    -------
    tuple
        How the finest grid is worked on, and where the design stands there.
    """
    density, draw = sketch.density, HAND_OVER
    for level, grid in enumerate(bench.coarse_grids[sketch.level + 1 :], start=sketch.level + 1):
        analysis = bench.analysis(grid)
        plan, first = _begin(bench, analysis, density, draw, stop_after(search.intermediate), search)
        run = Run(f"g-{sketch.name}-{level}", plan, first, sketch.name)
        step = yield from runner.run(stage_of(grid), analysis, run, 0.0)
        density = step.x
    plan, first = _begin(bench, finest, density, draw, stop, search)
    early = replace(plan, stop=stop_after(min(plan.schedule.over + DECIDE, stop.limit)))
    run = Run(f"g-{sketch.name}-look", early, first, sketch.name)
    return plan, (yield from runner.run(stage_of(bench.discrete), finest, run, 0.0))


def begin_draw(
    bench: Workbench, finest: Analysis, source: str, draw: Draw, search: Search, stop: Stop, runner: Runner
) -> Generator[Event, None, Look]:
    """Work on a draw for the finest grid, as far as to be looked at; see `hand_over`.

    The first iterations, without projection and perhaps under another problem, are a run of their own, so
    that the history of what comes out is that of the problem itself.
    """
    discrete, proposal = bench.discrete, draw.proposal
    name, stage = f"g-{source}-{proposal.name}", stage_of(discrete)
    other = finest if draw.make_analysis is None else draw.make_analysis(discrete, bench.machine)
    until = stop_after(max(proposal.schedule.over, GREY))
    early = Plan(bench.optimizer(discrete, search.exponent), proposal.schedule, until, search.tolerance)
    run = Run(f"{name}-grey", early, begin(early, proposal.density), proposal.name)
    step = yield from runner.run(stage, other, run, 0.0)
    end = discrete.options.penalty
    plan = bench.plan(discrete, Schedule(end, end), stop, search.tolerance)
    looked = replace(plan, stop=stop_after(min(DECIDE, stop.limit)))
    run = Run(f"{name}-look", looked, begin(looked, step.x), proposal.name)
    return plan, (yield from runner.run(stage, finest, run, 0.0))


def finish(
    bench: Workbench, finest: Analysis, name: str, looked: Look, runner: Runner
) -> Generator[Event, None, Outcome]:
    """Take a design that was looked at to its stop."""
    plan, step = looked
    run = Run(f"g-{name}-finish", plan, go_on(plan, step), name)
    step = yield from runner.run(stage_of(bench.discrete), finest, run, 0.0)
    return runner.end(step, plan, finest).without_memory()


def _begin(
    bench: Workbench, analysis: Analysis, density: Array, draw: HandOver, stop: Stop, search: Search
) -> Look:
    x, schedule = draw.start(density, analysis.discrete, analysis.chain)
    plan = bench.plan(analysis.discrete, schedule, stop, search.tolerance)
    return plan, begin(plan, x)


def mask_of(analysis: Analysis, plan: Plan, step: Step) -> NDArray[np.bool_]:
    """The solid voxels of a design where it stands, bool `[z, y, x]`."""
    beta = plan.schedule.beta(max(0, len(step.rows) - 1))
    return solid_voxels(analysis.chain.physical(step.x, beta), analysis.discrete)
