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
from trabecula.design import final_penalty, sharpen_soon
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import begin
from trabecula.optimize.plan import Stop
from trabecula.part.finish import joined_parts, target_volume
from trabecula.part.measure import Bimodal
from trabecula.part.threshold import Ranking
from trabecula.responses import DesignPoint
from trabecula.starts import HalfGrey
from trabecula.status import Status
from trabecula.strategy.multistart import Search, stage_of
from trabecula.strategy.runner import Outcome, Run, Strategy
from trabecula.strategy.workbench import Workbench

Array = NDArray[np.float64]

HAND_OVER = HalfGrey(0.2, 2.0, 3)
"""From the part to the densities that it is worked out with."""

LIMIT = 50
"""Iterations; a design that has not converged by then is given up."""

LOOSE = 1e-4
"""Relative residual of the solves that compare parts with designs."""


def finish_whole(bench: Workbench, outcome: Outcome, search: Search, stop: Stop) -> Strategy:
    """The outcome; where members hang on corners, the design that comes of its part if that is stiffer."""
    analysis = outcome.analysis
    if not _is_asked(analysis, outcome):
        return outcome
    mask, is_all = _part(analysis, outcome)
    if is_all:
        return outcome
    lost = _compliance(analysis, mask)
    if lost <= _design_compliance(analysis, outcome) * (1.0 + NEAR):
        return outcome
    outcome = outcome.without_memory()
    x, schedule = HAND_OVER.start(mask, bench.discrete, analysis.chain)
    sooner = replace(stop, limit=min(stop.limit, LIMIT), kkt_every=1)
    plan = bench.plan(bench.discrete, schedule, sooner, search.tolerance)
    plan = replace(plan, schedule=sharpen_soon(plan.schedule))
    run = Run("whole", plan, begin(plan, x), "part")
    step = yield from bench.runner.run(stage_of(bench.discrete), analysis, run, 0.9)
    found = replace(bench.runner.end(step, plan, analysis), coarser=outcome.coarser)
    is_finished = found.step.finished is Status.CONVERGED
    if is_finished and _compliance(analysis, _part(analysis, found)[0]) < lost:
        return found
    return bench.runner.update(outcome)


def _is_asked(analysis: Analysis, outcome: Outcome) -> bool:
    """Whether a design is one for which this pays: projected, at rest, as stiff as its volume allows."""
    discrete, formulation = analysis.discrete, analysis.formulation
    is_plain = not formulation.limits_more_than_material(discrete) and not discrete.gravity.any()
    is_compliance = formulation.volume_limit(discrete) is not None and discrete.goal.minimize == "compliance"
    is_crisp = bool(discrete.options.projection) and discrete.options.penalty > 1.0
    return is_plain and is_compliance and is_crisp and outcome.step.finished is Status.CONVERGED


def _part(analysis: Analysis, outcome: Outcome) -> tuple[Array, bool]:
    """The voxels of a design's part, 0 or 1, and whether they are all those of the highest densities."""
    physical = analysis.chain.physical(outcome.step.x, _beta(outcome))
    ranking, volume = Ranking.of(analysis.discrete, physical), target_volume(analysis.discrete, physical)
    mask = joined_parts(ranking, volume)[0].mask
    return mask.astype(np.float64), np.array_equal(ranking.keep(volume)[0], mask)


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
