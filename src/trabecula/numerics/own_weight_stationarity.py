"""How far a design that has to carry itself is from stationary.

Where material has weight, the gradient of a compliance has two parts: `-q`, by which more material is
stiffer, and `p`, by which it is more to carry. One unit of material costs its price `lam dv` and its own
weight `p`, and gains `q`, so that the optimality ratio is

    B = q / (p + lam dv),

and all else is as in `stationarity`: the step is `s = clip(x - (1 - B), lower, upper) - x`, its length is
measured in the metric of the costs, and without own weight it is the same number. The price is not below
zero, and zero where the design does not want all the material that it may have.

Source: Bruyneel & Duysinx 2005, "Note on topology optimization of continuum structures including
self-weight" (the two parts, and that the volume need not bind); the residual is our own.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]

ROUNDS = 30
HUGE = 1e200
TINY = 1e-300


def gain_and_burden(gradient: Array, own_weight: Array) -> tuple[Array, Array]:
    """What material gains and what it costs to carry, `q >= 0` and `p >= 0`; `p - q` is the gradient.

    Parameters
    ----------
    gradient
        float64, any shape: of a compliance.
    own_weight
        Same shape: the part of it that is own weight's. Where that is below zero (own weight lifts the loads)
        it counts as gain.
    """
    burden = np.maximum(own_weight, 0.0)
    gain = burden - gradient
    np.maximum(gain, 0.0, out=gain)
    return gain, burden


def own_weight_residual(
    x: Array,
    gradient: Array,
    own_weight: Array,
    volume_gradient: Array,
    lower: Array,
    upper: Array,
    *,
    price: float | None = None,
    used: float = 0.0,
) -> float:
    """Return the norm of the projected step: about 1 at a uniform start, 0 at a KKT point.

    Parameters
    ----------
    x, lower, upper
        float64, any shape: design variables and their bounds; where these meet nothing is designed.
    gradient, own_weight
        Same shape: of the compliance, and the part of it that is own weight's, in any scale.
    volume_gradient
        Same shape: of the volume, in any scale.
    price
        Of a unit of the volume where it is known: 0 where a limit on the volume does not bind, infinite where
        the volume is minimised and the limit on the compliance does not bind. None: not below zero, and such
        that the step is shortest.
    used
        Worth of all material at a price of one, where that is more than `sum(dv x)` (`kkt_residual`).

    Returns
    -------
    float
        `sqrt(sum(c s^2) / max(sum(c x), lam used))` with `c = p + lam dv` over the designed voxels; 0 if
        there are none.
    """
    free = upper > lower
    if not free.any():
        return 0.0
    at, low, high = x[free], lower[free], upper[free]
    gain, burden = gain_and_burden(gradient[free], own_weight[free])
    volume = np.maximum(volume_gradient[free], 0.0)
    if price == inf:
        gain, burden, price = np.zeros_like(gain), volume, 0.0

    def look(price: float) -> tuple[float, NDArray[np.bool_], Array]:
        cost = burden + price * volume
        ratio = np.divide(gain, cost, out=np.where(gain > 0.0, HUGE, 1.0), where=cost > TINY)
        aim = at - (1.0 - ratio)
        step = np.clip(aim, low, high) - at
        material = max(inner(cost, at), price * used, 1e-12 * inner(cost, high), TINY)
        is_stopped = np.asarray((aim <= low) | (aim >= high))
        return inner(cost * step, step) / material, is_stopped, cost

    if price is not None:
        return float(np.sqrt(look(price)[0]))
    stopped, cost = np.asarray((at <= low) | (at >= high)), volume  # which begins alike in any unit
    least = inf
    for _ in range(ROUNDS):
        moved = ~stopped if not stopped.all() else np.ones_like(stopped)
        share = np.divide(volume, cost, out=np.zeros_like(cost), where=cost > TINY)[moved]
        price = max(0.0, inner(share, (gain - burden)[moved]) / max(inner(share, volume[moved]), TINY))
        squares, beyond, cost = look(price)
        is_settled = squares >= least and np.array_equal(beyond, stopped)
        least, stopped = min(least, squares), beyond
        if is_settled:
            break
    return float(np.sqrt(least))
