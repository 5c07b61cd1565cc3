"""MMA's separable convex subproblem, solved in its dual by Newton's method with projection on `lam >= 0`.

    min  sum_j p_0j / (U_j - x_j) + q_0j / (x_j - L_j) + sum_i (c_i y_i + y_i^2 / 2)
    s.t. sum_j p_ij / (U_j - x_j) + q_ij / (x_j - L_j) - y_i <= b_i,   alpha <= x <= beta,  y >= 0

The dual function of the few multipliers is concave with continuous gradient, and for given multipliers every
`x_j` is known in closed form: a Newton step costs the machine one pass over the variables.
Sources: Svanberg 1987, section 5; the projection on the active set follows Bertsekas 1982, "Projected Newton
methods for optimization problems with simple constraints".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.physics.machine import Machine

Array = NDArray[np.float64]

TOLERANCE = 1e-9
MOST_STEPS = 200

NEARLY = 1e-9
"""A multiplier is nearly zero below this share of its typical size."""


@dataclass(frozen=True)
class Subproblem:
    """Arrays of one subproblem: `low`, `upp`, `alpha`, `beta` `[variable]`; `p`, `q` `[1 + constraint,
    variable]`, objective first; `limit` (`b`) and `cost` (`c`) `[constraint]`."""

    low: Array
    upp: Array
    alpha: Array
    beta: Array
    p: Array
    q: Array
    limit: Array
    cost: Array


@dataclass(frozen=True)
class _Dual:
    """The dual at some multipliers: `value`, `gradient`, the primal point `x`, and minus the Hessian."""

    multipliers: Array
    x: Array
    value: float
    gradient: Array
    curvature: Array

    def error(self, scale: Array) -> float:
        """Largest violation of the optimality conditions, in units of `scale` `[constraint]`."""
        return float(
            np.max(np.where(self.multipliers > 0.0, abs(self.gradient), self.gradient) / scale, initial=0.0)
        )


def solve(s: Subproblem, machine: Machine, start: Array | None = None) -> tuple[Array, Array]:
    """Minimiser `x` `[variable]` and multipliers `[constraint]`; `start` is a guess of the multipliers."""
    rows = s.p.sum(axis=1) + s.q.sum(axis=1)
    typical = np.maximum(rows[0] / np.maximum(rows[1:], 1e-300), 1e-12)
    scale = np.maximum(1.0, abs(s.limit))
    now = _dual(s, typical if start is None else start, machine)
    for _ in range(MOST_STEPS):
        if now.error(scale) <= TOLERANCE:
            break
        better = _search(s, now, _direction(now, typical), scale, machine)
        if better is None:
            break
        now = better
    return now.x, now.multipliers


def _dual(s: Subproblem, multipliers: Array, machine: Machine) -> _Dual:
    m = multipliers.size
    x, sums = machine.mma_dual(s.low, s.upp, s.alpha, s.beta, s.p, s.q, multipliers)
    y = np.maximum(0.0, multipliers - s.cost)
    value = sums[0] - multipliers @ s.limit + np.sum((s.cost - multipliers) * y + 0.5 * y * y)
    curvature = sums[1 + m :].reshape(m, m) + np.diag(np.where(multipliers > s.cost, 1.0, 0.0))
    return _Dual(multipliers, x, float(value), sums[1 : 1 + m] - s.limit - y, curvature)


def _direction(now: _Dual, typical: Array) -> Array:
    """Newton step on the multipliers that are free to move, no longer than a few times their size.

    One that is nearly zero and on its way down goes all the way and is not free (Bertsekas' epsilon): the
    projection would bend any longer step into one that need not go uphill, and the search would stand still.
    """
    near = now.multipliers <= NEARLY * typical
    free = ~near | (now.gradient > 0.0)
    hessian = now.curvature.copy()
    longest = 10.0 * (now.multipliers + typical)
    # Where bounds hold all variables the dual is flat; these terms keep the step finite and uphill.
    flat = 1e-3 * abs(now.gradient) / longest + 1e-300
    diagonal = np.diag(hessian)
    hessian += np.diag(1e-10 * diagonal.sum() + np.where(diagonal > flat, 0.0, flat))
    step = np.zeros_like(now.multipliers)
    while free.any():
        step[:] = 0.0
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], now.gradient[free])
        outward = near & (step < 0.0) & free
        if not outward.any():
            break
        free &= ~outward
    # Steps down end at zero anyway; those up are bounded, since the dual is only piecewise smooth.
    step /= max(1.0, float(np.max(step / longest)))
    return np.where(free, step, -now.multipliers)


def _search(s: Subproblem, now: _Dual, direction: Array, scale: Array, machine: Machine) -> _Dual | None:
    """The first of the halved, projected steps that raises the dual or lessens the error, if any."""
    length = 1.0
    for _ in range(60):
        multipliers = np.maximum(0.0, now.multipliers + length * direction)
        trial = _dual(s, multipliers, machine)
        enough = now.value + 1e-4 * float(now.gradient @ (multipliers - now.multipliers))
        # Near the optimum the rise drowns in rounding, and the error decides.
        drowned = abs(trial.value - now.value) <= 1e-12 * abs(now.value)
        if trial.value > enough or (drowned and trial.error(scale) < 0.5 * now.error(scale)):
            return trial
        length *= 0.5
    return None
