"""The search on a coarse grid: what the sources draw is worked on, and all that ends well is kept."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.gallery.difference import DIFFERENT, Comparison, solid_voxels
from trabecula.gallery.ground import Draw, Ground, MakeAnalysis
from trabecula.gallery.work import Work
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import go_on
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import Step
from trabecula.physics import Machine
from trabecula.strategy.multistart import Search, search_stage, stop_after, widen
from trabecula.strategy.runner import Event, Run
from trabecula.strategy.successive_halving import plan_proposal
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

HALVING = 24
"""Iterations after which the worse half of the draws of a round is given up, where nothing pushed them."""


@dataclass(frozen=True, eq=False)
class CoarseDesign:
    """A design on a coarse grid.

    Attributes
    ----------
    name, source
        Of the draw, and of the source it came from.
    density
        float64 `[z, y, x]`: the design variables.
    mask
        bool `[z, y, x]`: its solid voxels.
    merit
        Its objective there; less is better.
    level
        Which grid that is, the coarsest is 0.
    """

    name: str
    source: str
    density: Array
    mask: Mask
    merit: float
    level: int = 0


def search_round(
    bench: Workbench,
    ground: Ground,
    level: int,
    source: str,
    draws: Sequence[Draw],
    search: Search,
    work: Work,
) -> Generator[Event, None, list[CoarseDesign]]:
    """Work on the draws of one source to their ends on the grid of a ground; what has no merit goes.

    Draws that begin under another problem are all taken to the end: their merit says nothing before.
    """
    analysis = ground.analysis
    pushed = [draw for draw in draws if draw.make_analysis is not None and draw.released > 0]
    plain = [draw for draw in draws if draw not in pushed]
    planned = {draw.proposal.name: plan_proposal(bench, analysis, draw.proposal, search) for draw in draws}
    ended = yield from _halve(analysis, source, plain, planned, work)
    for draw in pushed:
        plan, first = planned[draw.proposal.name]
        ended.append((draw, (yield from _push(bench, analysis, source, draw, plan, first, work))))
    runs = [_run(source, draw, "", planned[draw.proposal.name][0], step) for draw, step in ended]
    steps = yield from work.runner(source).run_all(search_stage(analysis.discrete), analysis, runs, 0.0)
    sketches = [
        _sketch(analysis, level, source, draw, planned[draw.proposal.name][0], step)
        for (draw, _), step in zip(ended, steps, strict=True)
    ]
    return [sketch for sketch in sketches if np.isfinite(sketch.merit)]


def _halve(
    analysis: Analysis,
    source: str,
    draws: list[Draw],
    planned: dict[str, tuple[Plan, Step]],
    work: Work,
) -> Generator[Event, None, list[tuple[Draw, Step]]]:
    """The better half of the draws after the halving; all of them where they are few."""
    firsts = [planned[draw.proposal.name] for draw in draws]
    plans = [replace(plan, stop=stop_after(HALVING)) for plan, _ in firsts]
    if len(draws) < 4:
        return [(draw, first) for draw, (_, first) in zip(draws, firsts, strict=True)]
    runs = [
        _run(source, draw, f"-{HALVING}", plan, first)
        for draw, plan, (_, first) in zip(draws, plans, firsts, strict=True)
    ]
    steps = yield from work.runner(source).run_all(search_stage(analysis.discrete), analysis, runs, 0.0)
    order = sorted(range(len(draws)), key=lambda k: (steps[k].merit, k))
    return [(draws[k], steps[k]) for k in order[: -(-len(order) // 2)]]


def _push(
    bench: Workbench,
    analysis: Analysis,
    source: str,
    draw: Draw,
    plan: Plan,
    first: Step,
    work: Work,
) -> Generator[Event, None, Step]:
    """The first iterations of a draw under another problem."""
    assert draw.make_analysis is not None
    discrete = analysis.discrete
    other = draw.make_analysis(discrete, bench.machine)
    runner = work.runner(source, partial(_make_alone, draw.make_analysis, bench.machine.with_threads(1)))
    shorter = replace(plan, stop=stop_after(draw.released))
    run = _run(source, draw, "-pushed", shorter, first)
    step = yield from runner.run(search_stage(discrete), other, run, 0.0)
    return replace(step, displacements=None, best=None)


def _make_alone(make: MakeAnalysis, machine: Machine, discrete: DiscreteProblem) -> Analysis:
    return make(discrete, machine)


def _run(source: str, draw: Draw, suffix: str, plan: Plan, step: Step) -> Run:
    name = draw.proposal.name
    return Run(f"g-{source}-{name}{suffix}", plan, go_on(plan, step), f"{source} {name}")


def _sketch(analysis: Analysis, level: int, source: str, draw: Draw, plan: Plan, step: Step) -> CoarseDesign:
    beta = plan.schedule.beta(len(step.rows) - 1)
    mask = solid_voxels(analysis.chain.physical(step.x, beta), analysis.discrete)
    return CoarseDesign(f"{source}-{draw.proposal.name}", source, step.x, mask, step.merit, level)


def different(
    sketches: Sequence[CoarseDesign], comparison: Comparison, share: float, apart: float = DIFFERENT
) -> list[CoarseDesign]:
    """The sketches within a share above the best that differ from all better ones, best first.

    Parameters
    ----------
    apart
        Least difference of two of them.
    """
    ordered = sorted(sketches, key=lambda sketch: sketch.merit)
    chosen: list[CoarseDesign] = []
    images: list[Mask] = []
    for sketch in ordered:
        if sketch.merit > widen(ordered[0].merit, share):
            break
        if comparison.least(sketch.mask, images) > apart:
            chosen.append(sketch)
            images += comparison.images(sketch.mask)
    return chosen
