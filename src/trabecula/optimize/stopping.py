"""The stopping rule: whether and how a run has ended, from the rows of its history."""

from __future__ import annotations

from bisect import bisect_left
from math import isfinite, isinf, isnan

from trabecula.optimize.plan import NOISE, Plan, Stop
from trabecula.optimize.step import Row
from trabecula.status import Status

LOST = 20
"""Iterations one after the other without a state that could be solved after which a run is given up."""

STEEP = 5.0
"""Steepness of a projection from which on steps get shorter as it gets steeper: beyond, what is linear in the
densities says little about what is projected (docs/decisions/crisp.md)."""

HALF_LIFE, LONG, SHORTEST = 20.0, 5, 1.0 / 8.0
"""Iterations in which steps become half as long at the last steepness, after so many that are as long as
before, and the share at which they stay: densities that swing between the ends of their steps come to
rest."""

CLOSE = 1e-4
"""Relative violation above which a steep projection has not converged, however small its KKT residual: the
volume is met in the end by moving all densities, of which those on steep edges move a design far."""


def decide_end(plan: Plan, rows: tuple[Row, ...]) -> Status | None:
    """How a run has ended with its last row; None while there is more to do."""
    if not rows:
        return None
    stop, schedule = plan.stop, plan.schedule
    last = rows[-1]
    is_lost = len(rows) >= LOST and not any(row.is_solved for row in rows[-LOST:])
    if is_lost or not isfinite(last.objective):
        return Status.DIVERGED
    if schedule.is_settled(last.iteration) and last.violation <= stop.violation and last.is_solved:
        begins = bisect_left(rows, True, key=lambda row: schedule.is_settled(row.iteration))
        settled = [row.objective for row in rows[begins:]]
        if is_stationary(plan, last) and (last.violation <= CLOSE or step_share(last.beta) == 1.0):
            return Status.CONVERGED
        if last.change < stop.density_change and not _is_on_its_way(stop, rows[begins:]):
            return Status.CONVERGED
        if len(settled) > stop.window:
            recent, little = settled[-stop.window :], stop.change * stop.window * min(map(abs, settled))
            is_better = min(settled[: -stop.window]) - min(recent) > little
            swings = max(settled[-1 - stop.window], *recent) - min(recent) > NOISE * little
            if not is_better and not swings and not _is_on_its_way(stop, rows[begins:]):
                return Status.CONVERGED
    return Status.LIMIT if len(rows) >= stop.limit else None


def is_stationary(plan: Plan, row: Row) -> bool:
    """Whether the design of a row has a KKT residual at which a run stops."""
    stop = plan.stop
    return row.kkt <= (stop.kkt if step_share(row.beta) == 1.0 else stop.projected_kkt)


def _is_on_its_way(stop: Stop, settled: tuple[Row, ...]) -> bool:
    """Whether a constant objective does not mean convergence.

    A steep projection keeps steps short, and with own weight what a member gains and carries may nearly
    cancel; the KKT residual then decides.
    """
    largest = stop.largest_kkt
    if step_share(settled[-1].beta) < 1.0:
        largest = min(largest, stop.resting_kkt)
    if isinf(largest) or len(settled) >= stop.patience:
        return False
    known = [row.kkt for row in settled if not isnan(row.kkt)]
    return not known or known[-1] > largest


def step_share(beta: float, settled: int = 0) -> float:
    """How much of the move limit may be used at a steepness of the projection (1 without one).

    Parameters
    ----------
    beta
        Steepness.
    settled
        Iterations since it is the last one (`Schedule.iterations_at_end`).
    """
    if beta <= STEEP:
        return 1.0
    return STEEP / beta * max(SHORTEST, float(0.5 ** (max(0, settled - LONG) / HALF_LIFE)))
