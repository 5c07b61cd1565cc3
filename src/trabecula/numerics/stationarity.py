"""How far a design is from stationary: the projected-gradient step of the Lagrangian, freed from all units.

With the compliance's gradient dc and the volume's dv, the optimality ratio of a voxel is B = -dc / (lam
dv): what one unit of material gains there, relative to its price lam.  Optimal are B = 1 between the
bounds, B <= 1 at the lower and B >= 1 at the upper one (Bendsoe & Sigmund 2004, section 1.2.2).  Moving
against the scaled gradient 1 - B of the Lagrangian and back into the bounds is the step

    s = clip(x - (1 - B), lower, upper) - x,

which is zero exactly at such points (Conn, Gould & Toint 2000, section 12.1).  The price is the one for
which the step keeps the limited quantity to first order, so nothing need be known about multipliers.

The step is scaled by the volume's gradient, voxel by voxel, and so must its length be measured (Bertsekas
1982, scaled gradient projection): to first order it lowers the Lagrangian by lam sum(dv s^2) at least.  With
a steep projection most voxels are nearly without effect, on volume and compliance alike; they take long steps
that change nothing, and weigh as little.  That decrease is held against the worth of all material.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]

BLOCK = 65_536
"""Voxels swept at once, so that what a sweep makes on the way stays in the cache."""

SWEEPS = 60
ENOUGH = 1e-9
HUGE = 1e200
LEAST = 1e-12
"""Share of the material there is room for below which a design has none that could be moved."""

NOTHING = 1e-6
"""Benefit, relative to the mean, up to which a voxel whose material costs nothing does nothing: where a
filter is clipped, both of its gradients may be rounding."""


def kkt_residual(
    x: Array,
    objective_gradient: Array,
    limit_gradient: Array | Sequence[Array],
    lower: Array,
    upper: Array,
    *,
    material: Literal["limit", "objective"] = "limit",
    active: bool = True,
    used: float = 0.0,
) -> float:
    """Return the norm of the projected step: about 1 at a uniform start, 0 at a KKT point.

    Parameters
    ----------
    x
        float64 `[z, y, x]`, the design variables, within the bounds.
    objective_gradient
        float64 `[z, y, x]`: of the compliance, or of the volume where that is minimised.
    limit_gradient
        float64 `[z, y, x]`: of what is limited, the volume or the compliance; a sequence where several
        compliances are limited.  Neither gradient's scale matters.
    lower, upper
        Bounds, float64 `[z, y, x]`; voxels where they meet are not designed.
    material
        Whether the volume is what is limited, or what is minimised.
    active
        False where the limit does not bind (own weight can make less material better): the price is then zero
        and the gradient is scaled by its mean size.
    used
        Worth of all material in the metric of the volume's gradient, where that is more than `sum(dv x)`: a
        projection leaves most of the material without effect.

    Returns
    -------
    float
        `sqrt(sum(dv s^2) / max(sum(dv x), used))` over the designed voxels; 0 if there are none.
    """
    free = upper > lower
    if not free.any():
        return 0.0
    x, low, high, objective = (_designed(a, free) for a in (x, lower, upper, objective_gradient))
    if isinstance(limit_gradient, np.ndarray):
        limit = _designed(limit_gradient, free)
    else:
        limits = [_designed(gradient, free) for gradient in limit_gradient]
        limit = limits[0] if len(limits) == 1 else _combined(limits, objective, x, low, high)
    is_volume_limited = material == "limit"
    benefit, cost = (objective, limit) if is_volume_limited else (limit, objective)
    ratio = _ratio(benefit, cost)
    metric = _metric(benefit, cost)
    if active:
        weight = limit if is_volume_limited else -limit
        price = _price(x, ratio, np.maximum(weight, 0.0), low, high)
        return _norm(x, ratio, metric, price, 1.0, low, high, used)
    size = float(np.abs(ratio).mean())
    return _norm(x, ratio, metric, 1 / size if size > 0 else 0.0, 0.0, low, high, used)


def _designed(values: Array, free: NDArray[np.bool_]) -> Array:
    return values.ravel() if free.all() else values[free]


def _ratio(benefit: Array, cost: Array) -> Array:
    """-benefit / cost; where material costs nothing, what helps is worth everything, what harms nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.divide(benefit, cost)
    np.negative(ratio, out=ratio)
    is_free = cost <= 0
    if is_free.any():
        ratio[is_free] = HUGE * -np.sign(benefit[is_free]) * _does_something(benefit)[is_free]
    return ratio


def _metric(benefit: Array, cost: Array) -> Array:
    """The cost of material; its mean where material costs nothing and yet does something."""
    is_free = cost <= 0
    if not is_free.any():
        return cost
    return np.where(is_free, float(np.abs(cost).mean()) * _does_something(benefit), cost)


def _does_something(benefit: Array) -> NDArray[np.bool_]:
    size = np.abs(benefit)
    return np.asarray(size > NOTHING * size.mean())


def _moved(
    x: Array, ratio: Array, price: float, shift: float, low: Array, high: Array
) -> Iterator[tuple[slice, Array, Array]]:
    """x - shift + price * ratio, block by block, before and after it is brought back between the bounds."""
    for first in range(0, len(x), BLOCK):
        part = slice(first, first + BLOCK)
        far = ratio[part] * price
        far -= shift
        far += x[part]
        near = np.minimum(far, high[part])
        np.maximum(near, low[part], out=near)
        yield part, far, near


def _price(x: Array, ratio: Array, weight: Array, low: Array, high: Array) -> float:
    """The reciprocal 1/lam for which the step keeps `weight . x`, root of a rising piecewise linear function.

    Newton's method (each piece is solved exactly) inside a bracket; a handful of sweeps.
    """
    total = inner(weight, x)
    slopes = weight * ratio
    mean = inner(slopes, x)
    if total <= LEAST * inner(weight, high) or mean <= 0:
        return 0.0
    price, below, above = total / mean, 0.0, np.inf
    for _ in range(SWEEPS):
        excess, slope = -total, 0.0
        for part, far, near in _moved(x, ratio, price, 1.0, low, high):
            excess += inner(weight[part], near)
            slope += inner(slopes[part], np.equal(far, near, out=far, casting="unsafe"))
        if abs(excess) <= ENOUGH * total:
            break
        below, above = (price, above) if excess < 0 else (below, price)
        price = price - excess / slope if slope > 0 else np.inf
        if not below < price < above:
            price = 4.0 * below if above == np.inf else _between(below, above)
        if not 1e-300 < price < 1e300:
            break
    return float(price)


def _between(below: float, above: float) -> float:
    return float(np.sqrt(below * above)) if below > 0 else above / 4.0


def _norm(
    x: Array,
    ratio: Array,
    metric: Array,
    price: float,
    shift: float,
    low: Array,
    high: Array,
    used: float,
) -> float:
    squares = 0.0
    for part, _, near in _moved(x, ratio, price, shift, low, high):
        step = np.subtract(near, x[part], out=near)
        squares += inner(metric[part] * step, step)
    material = max(inner(metric, x), used, LEAST * inner(metric, high), np.finfo(np.float64).tiny)
    return float(np.sqrt(squares / material))


def _combined(limits: list[Array], objective: Array, x: Array, low: Array, high: Array) -> Array:
    """Several limits' gradients with the multipliers that best cancel the objective's between the bounds."""
    from scipy.optimize import nnls

    span = high - low
    between = (x > low + 1e-3 * span) & (x < high - 1e-3 * span)
    if not between.any():
        between[:] = True
    columns = np.stack([-limit[between] for limit in limits], axis=1)
    normal, right = columns.T @ columns, columns.T @ objective[between]
    multipliers, _ = nnls(normal, right)
    if not multipliers.any():
        multipliers = np.ones(len(limits))
    combined = np.zeros_like(x)
    for multiplier, limit in zip(multipliers, limits, strict=True):
        combined += multiplier * limit
    return combined
