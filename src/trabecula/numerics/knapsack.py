"""The fractional knapsack: where a given amount of material gains most, and how little gains enough.

    most(left)  = max  gain . d   subject to   cost . d <= left,   0 <= d <= room
    least(need) = min  cost . d   subject to   gain . d >= need,   0 <= d <= room

Both linear programmes have a dual with one unknown, the price of material in units of gain:

    most(left)  = min over price >= 0 of   price left + sum (gain - price cost)^+ room
    least(need) = max over price >  0 of  (need - sum (gain - price cost)^+ room) / price

and *every* price bounds the optimum from the safe side.  So the price found by sorting need not be trusted:
the value returned is the dual's, which is rigorous whatever happened before it.  Sums of n terms are widened
by 2 n eps of their absolute terms, more than any order of summation in float64 can lose.

Source: Dantzig 1957, Discrete-variable extremum problems.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)


def slack(terms: int) -> float:
    """Return the relative widening that covers the rounding of a sum of products with so many terms."""
    return 2 * (terms + 8) * EPSILON


def most(gain: Array, room: Array, left: float, cost: Array | None = None) -> float:
    """Bound from above what an amount of material can gain.

    Parameters
    ----------
    gain
        float64, any shape, not negative: gain of one unit of each element's density.
    room
        Same shape, not negative: how much each element can still take.
    left
        Material there is, not negative.
    cost
        Same shape, not negative: material of one unit of density; None means one.

    Returns
    -------
    float
        At least the true maximum; exact up to rounding.
    """
    gain, room, cost = _open(gain, room, cost)
    if not gain.size:
        return 0.0
    price = _price(gain, room, cost, room if cost is None else room * cost, left)
    return (price * left + _excess(gain, room, cost, price)) * (1 + slack(gain.size))


def least(gain: Array, room: Array, need: float, cost: Array | None = None) -> float:
    """Bound from below the material that a gain needs; infinite where all of it does not suffice.

    Parameters
    ----------
    gain, room, cost
        As for `most`.
    need
        Gain that must be reached.

    Returns
    -------
    float
        At most the true minimum; exact up to rounding.
    """
    gain, room, cost = _open(gain, room, cost)
    if need <= 0:
        return 0.0
    if need > inner(gain, room) * (1 + slack(gain.size)):
        return float("inf")
    price = _price(gain, room, cost, room * gain, need)
    if price <= 0:
        price = float(gain[gain > 0].min())
    rest = need * (1 - slack(1)) - _excess(gain, room, cost, price) * (1 + slack(gain.size))
    return max(0.0, rest / price * (1 - slack(1)))


def fill(gain: Array, room: Array, left: float) -> Array:
    """Return the increments that attain `most` (unit costs): the best elements full, the last in part.

    Parameters
    ----------
    gain, room, left
        As for `most`.

    Examples
    --------
    >>> fill(np.array([1.0, 3.0, 2.0]), np.ones(3), 1.5)
    array([0. , 1. , 0.5])
    """
    order = np.argsort(-gain, axis=None, kind="stable")
    sorted_room = room.ravel()[order]
    taken = np.clip(left - (np.cumsum(sorted_room) - sorted_room), 0.0, sorted_room)
    increments = np.empty(gain.size)
    increments[order] = taken
    return increments.reshape(gain.shape)


def _open(gain: Array, room: Array, cost: Array | None) -> tuple[Array, Array, Array | None]:
    """The elements that can take material, flat; where all can, nothing is copied."""
    free = room > 0
    if free.all():
        return gain.reshape(-1), room.reshape(-1), None if cost is None else cost.reshape(-1)
    return gain[free], room[free], None if cost is None else cost[free]


def _excess(gain: Array, room: Array, cost: Array | None, price: float) -> float:
    over = gain - (price if cost is None else price * cost)
    np.maximum(over, 0.0, out=over)
    return inner(over, room)


def _price(gain: Array, room: Array, cost: Array | None, measure: Array, target: float) -> float:
    """Gain per cost of the element at which the best ones' cumulative `measure` reaches the target."""
    if cost is None and measure is room and bool((room == 1.0).all()):
        place = len(gain) - 1 - int(min(target, len(gain)))
        return float(np.partition(gain, place)[place]) if place >= 0 else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = gain if cost is None else np.where(cost > 0, gain / cost, np.where(gain > 0, np.inf, 0.0))
    order = np.argsort(-ratio)
    place = int(np.searchsorted(np.cumsum(measure[order]), target))
    price = float(ratio[order[place]]) if place < len(order) else 0.0
    return price if np.isfinite(price) else float(ratio[np.isfinite(ratio)].max(initial=0.0))
