"""How far a design is from stationary under any constraints, with the multipliers that fit it best.

With the objective's gradient g per unit of volume, freed from its scale, and those of the constraints that
bind, h_i, moving against the gradient of the Lagrangian and back into the bounds is the step

    s(mu) = clip(x - (g + sum mu_i h_i), lower, upper) - x,      mu_i >= 0,

which is zero for some mu exactly at the points of Karush, Kuhn and Tucker (Conn, Gould & Toint 2000, section
12.1). Nothing need be known of the multipliers: those are taken for which the step is shortest, found by
non-negative least squares over the elements that the bounds do not stop, repeated until these stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]

BINDS = -2e-3
"""Relative value of a constraint from which on it is taken to bind: a loop stops this near to its limits."""

ROUNDS = 30
LEAST = 1e-300


def stationarity_residual(
    x: Array,
    objective_gradient: Array,
    values: Sequence[float],
    gradients: Sequence[Array],
    lower: Array,
    upper: Array,
    volumes: Array | None = None,
) -> float:
    """Return the norm of the shortest step: of order 1 where nothing is balanced, 0 at a KKT point.

    Parameters
    ----------
    x, lower, upper
        float64, any shape: design variables and their bounds; where these meet nothing is designed.
    objective_gradient
        Same shape: of what is minimised, in any scale.
    values, gradients
        One a constraint: its value, met where it is not above 0 and relative to its limit, and its gradient.
    volumes
        Same shape: volumes of the elements, in any scale; None where all are the same.

    Returns
    -------
    float
        `sqrt(sum(v s^2) / sum(v x))` over the designed elements; 0 if there are none.
    """
    free = upper > lower
    if not free.any():
        return 0.0
    volume = np.ones(int(free.sum())) if volumes is None else volumes[free] / volumes[free].mean()
    at, low, high = x[free], lower[free], upper[free]
    size = float(np.abs(objective_gradient[free]).sum()) / float(volume.sum())
    if size < LEAST:
        return 0.0
    descent = objective_gradient[free] / (size * volume)
    binding = [g[free] / (size * volume) for v, g in zip(values, gradients, strict=True) if v >= BINDS]
    binding = [g for g in binding if g.any()]
    scales = [float(np.sqrt(inner(g, g))) for g in binding]
    columns = [g / scale for g, scale in zip(binding, scales, strict=True)]
    least, stopped = np.inf, np.zeros(len(at), dtype=np.bool_)
    for _ in range(ROUNDS if columns else 1):
        total = descent + _balance(descent, columns, volume, ~stopped)
        aim = at - total
        step = np.clip(aim, low, high) - at
        least = min(least, inner(volume * step, step))
        beyond = np.asarray((aim < low) | (aim > high))
        if np.array_equal(beyond, stopped):
            break
        stopped = beyond
    material = max(inner(volume, at), 1e-12 * inner(volume, high), LEAST)
    return float(np.sqrt(least / material))


def _balance(descent: Array, columns: list[Array], volume: Array, moved: NDArray[np.bool_]) -> Array:
    """The sum of columns, none with a factor below 0, that best cancels the descent where `moved`."""
    total = np.zeros_like(descent)
    if not columns:
        return total
    from scipy.optimize import nnls

    if not moved.any():
        moved = np.ones_like(moved)
    weight = np.sqrt(volume[moved])
    matrix = np.stack([column[moved] * weight for column in columns], axis=1)
    normal = matrix.T @ matrix
    if not normal.any():
        return total
    multipliers, _ = nnls(normal, -matrix.T @ (descent[moved] * weight))
    for multiplier, column in zip(multipliers, columns, strict=True):
        total += multiplier * column
    return total
