"""A design whose part loses a member is worked out once more from that part, for nothing may hang on corners.

A projected member may end as a chain of voxels that meet in corners only. The elements pass forces through
the corner nodes, as hinges; the part, which is joined through faces, has no such member and is then much less
stiff than the design. So the optimiser begins once more with the part, nearly black and white, and spends the
material elsewhere. Where it is left more freedom the chain comes back (docs/decisions/part.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.words import NEAR
from trabecula.design import final_penalty
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.plan import Stop
from trabecula.part.finish import joined_parts, target_volume
from trabecula.part.measure import Bimodal
from trabecula.part.threshold import Ranking
from trabecula.responses import DesignPoint
from trabecula.starts import HalfGrey
from trabecula.status import Status
from trabecula.strategy.first_design import begin_soon
from trabecula.strategy.multistart import Search, stage_of
from trabecula.strategy.runner import Outcome, Run, Strategy
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

HAND_OVER = HalfGrey(0.2, 2.0, 3)
"""From the part to the densities that it is worked out with."""

LOOSE = 1e-4
"""Relative residual of the solves that compare parts with designs."""


def finish_whole(bench: Workbench, outcome: Outcome, search: Search, stop: Stop) -> Strategy:
    """The outcome; where members hang on corners, the design that comes of its part if that is stiffer."""
    analysis = outcome.analysis
    if not _is_asked(analysis, outcome):
        return outcome
    masks, is_all = _parts(analysis, outcome)
    if is_all:
        return outcome
    lost, mask = _stiffest(analysis, masks)
    if lost <= _design_compliance(analysis, outcome) * (1.0 + NEAR):
        return outcome
    outcome = outcome.without_memory()
    plan, begun = begin_soon(bench, analysis, mask, HAND_OVER, search, stop)
    run = Run("whole", plan, begun, "part")
    step = yield from bench.runner.run(stage_of(bench.discrete), analysis, run, 0.9)
    found = replace(bench.runner.end(step, plan, analysis), coarser=outcome.coarser)
    is_finished = found.step.finished is Status.CONVERGED
    if is_finished and _stiffest(analysis, _parts(analysis, found)[0])[0] < lost:
        return found
    return bench.runner.update(outcome)


def _is_asked(analysis: Analysis, outcome: Outcome) -> bool:
    """Whether a design is one for which this pays: projected, at rest, as stiff as its volume allows."""
    discrete, formulation = analysis.discrete, analysis.formulation
    is_plain = not formulation.limits_more_than_material(discrete) and not discrete.gravity.any()
    is_compliance = formulation.volume_limit(discrete) is not None and discrete.goal.minimize == "compliance"
    is_crisp = bool(discrete.options.projection) and discrete.options.penalty > 1.0
    return is_plain and is_compliance and is_crisp and outcome.step.finished is Status.CONVERGED


def _parts(analysis: Analysis, outcome: Outcome) -> tuple[list[Array], bool]:
    """The parts that a design's is the stiffest of, voxels 0 or 1; whether nothing is lost in the first."""
    physical = analysis.chain.physical(outcome.step.x, _beta(outcome))
    ranking, volume = Ranking.of(analysis.discrete, physical), target_volume(analysis.discrete, physical)
    masks = [shape.mask for shape in joined_parts(ranking, volume)]
    return [m.astype(np.float64) for m in masks], np.array_equal(ranking.keep(volume)[0], masks[0])


def _stiffest(analysis: Analysis, masks: list[Array]) -> tuple[float, Array]:
    """The least compliance of some parts, and the part that has it."""
    found = [(_compliance(analysis, mask), mask) for mask in masks]
    return min(found, key=lambda each: each[0])


def _compliance(analysis: Analysis, mask: Array) -> float:
    stiffness = Bimodal(analysis.discrete.options.minimum_stiffness)
    at = DesignPoint(analysis.discrete, analysis.state, mask, stiffness, tolerance=LOOSE)
    at.solve_cases()
    analysis.solves += at.solves
    return at.weighted_compliance


def _design_compliance(analysis: Analysis, outcome: Outcome) -> float:
    step, penalty = outcome.step, final_penalty(analysis.discrete)
    return analysis.evaluate(step.x, penalty, _beta(outcome), step.displacements, LOOSE).compliance


def _beta(outcome: Outcome) -> float:
    return outcome.plan.schedule.beta(len(outcome.step.rows) - 1)
