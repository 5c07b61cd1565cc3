"""Designs of any grid on one small grid: mean densities along the box's own sides, and how long those are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SIDE = {2: 64, 3: 24}
"""Cells along every side of the small grid, in 2-D and 3-D."""


def average_onto(density: Array, shape: tuple[int, ...]) -> Array:
    """The mean density within each voxel of another grid of the same box; any ratio.

    Parameters
    ----------
    density
        float64 `[z, y, x]` or `[y, x]`.
    shape
        Of the grid wanted, in the same order.

    Examples
    --------
    >>> averaged(np.array([[0.0, 1.0, 1.0]]), (1, 2))
    array([[0.33333333, 1.        ]])
    """
    for axis, (old, new) in enumerate(zip(density.shape, shape, strict=True)):
        if old == new:
            continue
        low, other = np.arange(new)[:, None] * old, np.arange(old)[None, :] * new  # in whole units: ties stay
        common = np.minimum(low + old, other + new) - np.maximum(low, other)
        shares = np.maximum(common, 0) / old
        density = np.moveaxis(np.tensordot(shares, density, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(density)


def interpolate_onto(values: Array, shape: tuple[int, ...]) -> Array:
    """Values at the centres of another grid of the same box, linear between the old centres; any ratio.

    Parameters
    ----------
    values
        float64 `[z, y, x]` or `[y, x]`.
    shape
        Of the grid wanted, in the same order.

    Examples
    --------
    >>> between(np.array([[0.0, 1.0]]), (1, 4))
    array([[0.  , 0.25, 0.75, 1.  ]])
    """
    for axis, (old, new) in enumerate(zip(values.shape, shape, strict=True)):
        if old == new:
            continue
        place = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0.0, old - 1.0)
        low = np.minimum(place.astype(np.intp), max(old - 2, 0))
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
        high = np.minimum(low + 1, old - 1)
        values = (1.0 - share) * np.take(values, low, axis) + share * np.take(values, high, axis)
    return np.ascontiguousarray(values)


def canonical(density: NDArray[np.floating]) -> Floats:
    """A design on the small grid of its dimension, float32 `[z, y, x]` or `[y, x]`."""
    side = SIDE[density.ndim]
    return average_onto(np.asarray(density, np.float64), (side,) * density.ndim).astype(np.float32)


def aspects(size: Sequence[float]) -> Floats:
    """How long a box's sides are for each other: logarithm of side over geometric mean.

    Parameters
    ----------
    size
        Sides along x, y(, z), in any unit.

    Returns
    -------
    NDArray[np.float32]
        Along z, y, x: in the order of the arrays.
    """
    sides = np.log(np.asarray(size, np.float64)[::-1])
    return np.asarray(sides - sides.mean(), np.float32)


def moves(dimension: int, turned: bool = True) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """All orders of the array axes with all sets of axes to mirror then; the design as it is comes first.

    Parameters
    ----------
    turned
        Whether axes change places; else only mirrors: 4 moves in 2-D and 8 in 3-D instead of 8 and 48.
    """
    orders = list(permutations(range(dimension))) if turned else [tuple(range(dimension))]
    flips = [
        tuple(axis for axis, flip in enumerate(chosen) if flip)
        for chosen in product((0, 1), repeat=dimension)
    ]
    return [(order, flip) for order in orders for flip in flips]
