"""Shares of a load moved by a linear factor until their centroid is where the geometry says it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import fsum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 2.0**30
"""Offsets are rounded to this share of a voxel, so that rounding errors of co-ordinates count as none."""


def recentre(shares: Floats, middle: dict[int, float], spacing: tuple[float, ...]) -> Floats:
    """Shift the centroid of shares.

    What is selected ends at nodes, what was meant may end between them: the difference is under half a voxel,
    and a factor `1 + a.(x - c)` on the shares takes it away. Where it would need a negative share (a single
    row of nodes cannot be shifted) the shares stay as they are.

    Parameters
    ----------
    shares
        float64 `[z, y, x]` over nodes, summing to one.
    middle
        Co-ordinate of the centroid that is wanted, by number of the axis, in metres.
    spacing
        Edge lengths of a voxel along x, y(, z).

    Returns
    -------
    float64 `[z, y, x]`, summing to one: the same array where nothing is to be done. A mirrored problem has
    the mirrored shares to the last bit.
    """
    index = np.nonzero(shares)
    weights = shares[index]
    total = fsum(weights)
    axes, arms, offsets = [], [], []
    for axis, wanted in middle.items():
        place = index[shares.ndim - 1 - axis]
        first, last = int(place.min()), int(place.max())
        arm = place - 0.5 * (first + last)  # exact: halves of integers
        centre = fsum(weights * arm) / total
        offset = round((wanted / spacing[axis] - 0.5 * (first + last) - centre) * _STEPS) / _STEPS
        if first == last or offset == 0.0:
            continue
        axes.append(axis)
        arms.append(np.asarray(arm - centre, dtype=np.float64))
        offsets.append(offset)
    if not axes:
        return shares
    factor = _factor(weights / total, arms, offsets, _is_product(shares))
    if factor is None or np.min(factor) <= 0.0:
        return shares
    moved = weights * factor
    out = np.zeros(shares.shape)
    out[index] = moved / fsum(moved)
    return out


def _factor(
    weights: Floats, arms: Sequence[Floats], offsets: Sequence[float], is_product: bool
) -> Floats | None:
    """What shifts the centroid by the offsets; None where all weights lie in one line."""
    if is_product:  # every axis by itself, which keeps corners from running short
        shifts = (
            1.0 + offset / fsum(weights * arm * arm) * arm for arm, offset in zip(arms, offsets, strict=True)
        )
        return np.asarray(reduce(np.multiply, shifts))
    spread = np.array([[fsum(weights * a * b) for b in arms] for a in arms])
    if np.linalg.matrix_rank(spread) < len(arms):
        return None
    slopes = np.linalg.solve(spread, np.array(offsets))
    return np.asarray(1.0 + sum(slope * arm for slope, arm in zip(slopes, arms, strict=True)))


def _is_product(shares: Floats) -> bool:
    """Whether shares are the product of one row of numbers per axis, as on a rectangle or box."""
    rows = [shares.sum(axis=tuple(a for a in range(shares.ndim) if a != axis)) for axis in range(shares.ndim)]
    return bool(np.allclose(shares, reduce(np.multiply.outer, rows), rtol=1e-9, atol=1e-15))
