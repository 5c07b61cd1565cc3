"""How much a hand-over saves the solver: design iterations to within a level of the best known, true solves.

Networks are chosen by this, never by the error of their voxels (Habibi et al. 2025: the two disagree).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, begin
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import make_optimizer
from trabecula.starts import HalfGrey, UpscalingNetwork
from trabecula.strategy.learned_steps import correct

Array = NDArray[np.float64]

LEVELS = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
"""How near to the best known."""

NEVER = 10_000
"""Stands for iterations that did not reach a level."""

HandOver = HalfGrey | UpscalingNetwork


@dataclass(frozen=True)
class HandOverRun:
    """Objective after every solve of one hand-over's run: infinite while the penalty is not yet full.

    Attributes
    ----------
    name
        Of the hand-over.
    objectives
        One per solve, those for the network's fields and for refused designs included.
    accepted
        Whether a network's design was taken; None where there was none.
    """

    name: str
    objectives: tuple[float, ...]
    accepted: bool | None = None

    def solves_to(self, target: float) -> int:
        """Solves until the objective is at most `target`, `NEVER` if it never is."""
        for i, value in enumerate(self.objectives):
            if value <= target:
                return i + 1
        return NEVER


def run_hand_overs(
    analysis: Analysis,
    coarse: Array,
    hand_overs: Mapping[str, HandOver],
    iterations: int = 60,
    enough: float = -float("inf"),
) -> list[HandOverRun]:
    """Run every hand-over of one coarse design for so many iterations on its problem's grid.

    Parameters
    ----------
    coarse
        float64 `[z, y, x]` of the coarser grid.
    enough
        An objective at the full penalty at which a run may end earlier.
    """
    found = []
    for name, hand_over in hand_overs.items():
        plan, step, spent, accepted = _begin(analysis, coarse, hand_over, iterations, name)
        full = plan.schedule.end
        while step.finished is None and not _is_good_enough(step, full, enough):
            step = advance(analysis, plan, step)
        objectives = [row.objective if row.penalty == full else float("inf") for row in step.rows]
        found.append(HandOverRun(name, (*[float("inf")] * spent, *objectives), accepted))
    return found


def solves_to_levels(found: Sequence[HandOverRun], best: float | None = None) -> dict[str, list[int]]:
    """Solves of every course to each of `LEVELS` of the best objective known (of all of them by default)."""
    lowest = min(min(course.objectives) for course in found)
    best = lowest if best is None else min(best, lowest)
    return {course.name: [course.solves_to(best * (1 + level)) for level in LEVELS] for course in found}


def _is_good_enough(step: Step, full: float, enough: float) -> bool:
    return bool(step.rows) and step.rows[-1].penalty == full and step.rows[-1].objective <= enough


def _begin(
    analysis: Analysis, coarse: Array, hand_over: HandOver, iterations: int, name: str
) -> tuple[Plan, Step, int, bool | None]:
    """Plan and first step of a hand-over, and the solves it took to get there."""
    discrete = analysis.discrete
    optimizer, end = make_optimizer(discrete, analysis.threads), discrete.options.penalty
    stop = Stop(change=0.0, kkt=0.0, limit=iterations)
    if isinstance(hand_over, UpscalingNetwork):
        plan = Plan(optimizer, Schedule(end, end), stop, 1e-3)
        drawn, trial = correct(analysis, hand_over, coarse, plan, name)
        if drawn is not None:
            plan, step, _, _ = _begin(analysis, drawn, hand_over.hand_over, iterations, name)
        else:
            plan, step, _, _ = _begin(analysis, coarse, HalfGrey(), iterations, name)
        return plan, step, 2, trial.accepted
    x, schedule = hand_over.start(coarse, discrete, analysis.chain)
    plan = Plan(optimizer, schedule, stop, 1e-3)
    return plan, begin(plan, x), 0, None
