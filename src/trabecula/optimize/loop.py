"""The loop: one grid, one start, iterate to a stop. Every step is a value that can be saved and resumed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.plan import Plan
from trabecula.optimize.step import UNSOLVED, Best, Row, Step
from trabecula.optimize.stopping import decide_end, is_stationary, step_share
from trabecula.responses import Evaluation, optimality_residual
from trabecula.status import Status

Array = NDArray[np.float64]


def begin(plan: Plan, x: Array) -> Step:
    """The first step from a start."""
    return Step(x, plan.optimizer.start())


def advance(analysis: Analysis, plan: Plan, step: Step) -> Step:
    """One iteration: evaluate, step, decide whether to stop."""
    clock = time.perf_counter()
    i = len(step.rows)
    discrete, schedule = analysis.discrete, plan.schedule
    penalty, beta = schedule.penalty(i), schedule.beta(i)
    found = step.known or _evaluate(analysis, plan, step)
    is_good, is_possible = found.is_finite, analysis.formulation.can_be(found.objective)
    u, found = to_single(found.displacements) if is_good else None, replace(found, displacements=())
    adapt = i > 0 and not schedule.changes(i)
    share = step_share(beta if analysis.chain.projects else 0.0, schedule.iterations_at_end(i))
    x, memory, kkt = step.x, step.memory, float("nan")
    if is_good:
        x, memory = plan.optimizer.step(memory, x, found, discrete.lower, discrete.upper, adapt, share)
        kkt = _kkt(analysis, step.x, found) if _is_due(plan, i) else kkt
        is_good = isfinite(inner(x, x))
    row = Row(
        iteration=i,
        penalty=penalty,
        beta=beta if analysis.chain.projects else 1.0,
        objective=found.merit if is_good else float("nan"),
        compliance=found.compliance,
        volume=found.volume,
        violation=found.violation,
        change=_largest_change(step.x, x),
        kkt=kkt,
        cg_iterations=found.iterations,
        residual=found.residual if is_possible else max(found.residual, 1.0),
        seconds=time.perf_counter() - clock,
    )
    rows = (*step.rows, row)
    finished = decide_end(plan, rows)
    if finished is Status.DIVERGED:
        return _go_back(step, rows)
    if finished is Status.CONVERGED and step_share(beta) < 1.0 and analysis.chain.projects:
        x = step.x  # what was looked at is at rest; one more step may be less so
    best = _best(plan, step, row)
    good = None if finished or best else step.x if row.is_solved else step.good
    return Step(x, memory, u, rows, finished, best, good)


def _go_back(step: Step, rows: tuple[Row, ...]) -> Step:
    """End a run that cannot go on (its evaluation is no number) with the last design that was good."""
    x = step.x if step.good is None else step.good
    if step.best is not None:
        x = step.best.x
    return replace(step, x=x, rows=rows, finished=Status.DIVERGED, good=None, known=None)


def _best(plan: Plan, step: Step, row: Row) -> Best | None:
    """The better of the best so far and the design that was just evaluated, which is `step.x`."""
    if (
        not plan.schedule.is_settled(row.iteration)
        or row.violation > plan.stop.violation
        or not row.is_solved
    ):
        return step.best
    merit = np.inf if step.best is None else step.best.merit
    room = plan.stop.indifference * abs(merit) if plan.stop.indifference else 0.0
    is_best = row.objective < merit + room
    return Best(step.x, min(row.objective, merit) if room else row.objective) if is_best else step.best


def _largest_change(before: Array, after: Array) -> float:
    change = after - before
    return float(np.abs(change, out=change).max(initial=0.0))


def look_ahead(analysis: Analysis, plan: Plan, step: Step) -> tuple[Step, Evaluation]:
    """The step with its design already evaluated, as `advance` would, and that evaluation."""
    found = step.known or _evaluate(analysis, plan, step)
    return replace(step, known=found), found


def at_best(analysis: Analysis, plan: Plan, step: Step) -> Step:
    """The step with the best design of its run, for the end of a strategy.

    The last design is one step past the last that was evaluated. It is the best where the objective fell in
    all recent iterations. Where the objective swings, it can be a per cent worse than an earlier one, which
    one more solve decides. A step meets a limit on a compliance only approximately, so that the last design
    is always evaluated where there is one. A stationary design is kept where an earlier one, which was not,
    is better by no more than an objective at rest may vary.
    """
    if step.best is None or step.finished == Status.DIVERGED:
        return step
    late = [row.objective for row in step.rows[-1 - plan.stop.window :]]
    is_falling = all(after <= before for before, after in pairwise(late)) and late[-1] <= step.best.merit
    if is_falling and not analysis.limits_more_than_material:
        return step
    _, found = look_ahead(analysis, plan, step)
    is_solved = found.residual <= UNSOLVED and analysis.formulation.can_be(found.objective)
    last = step.rows[-1]
    is_at_rest = step.finished is Status.CONVERGED and step_share(last.beta) < 1.0
    room = plan.stop.change * plan.stop.window if is_at_rest or is_stationary(plan, last) else 0.0
    room = max(room, plan.stop.indifference) * abs(step.best.merit)
    is_best = found.merit <= step.best.merit + room and found.violation <= plan.stop.violation
    return step if is_best and is_solved else replace(step, x=step.best.x, known=None)


def to_single(displacements: Sequence[Array]) -> tuple[NDArray[np.float32], ...]:
    """Displacements in single precision, as they are kept from step to step to begin the next solve."""
    return tuple(u.astype(np.float32) for u in displacements)


def _evaluate(analysis: Analysis, plan: Plan, step: Step) -> Evaluation:
    i = len(step.rows)
    penalty, beta = plan.schedule.penalty(i), plan.schedule.beta(i)
    return analysis.evaluate(step.x, penalty, beta, step.displacements, plan.tolerance)


def iterate(analysis: Analysis, plan: Plan, step: Step) -> Iterator[Step]:
    """Steps from the one after `step` to the last."""
    while step.finished is None:
        step = advance(analysis, plan, step)
        yield step


def run(analysis: Analysis, plan: Plan, x: Array) -> Step:
    """Iterate from a start to the stop."""
    step = begin(plan, x)
    while step.finished is None:
        step = advance(analysis, plan, step)
    return step


def go_on(plan: Plan, step: Step) -> Step:
    """The step with the verdict of another plan, so that a longer one can take it further."""
    return replace(step, finished=decide_end(plan, step.rows))


def _is_due(plan: Plan, i: int) -> bool:
    """Whether to compute the KKT residual, which costs as much as an OC step, in this iteration."""
    return plan.stop.kkt > 0 and plan.schedule.is_settled(i) and i % plan.stop.kkt_every == 0


def _kkt(analysis: Analysis, x: Array, found: Evaluation) -> float:
    return optimality_residual(
        analysis.formulation, analysis.discrete, x, found.gradient, found.constraints, found.own_weight
    )
