"""How far points are from the nearest of some nodes, where that is not far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def distance(nodes: NDArray[np.bool_], spacing: Sequence[float], points: Floats, limit: float) -> Floats:
    """Distances up to a limit, exact at nodes and interpolated between them.

    The squared distance is a minimum over one axis after the other (Felzenszwalb & Huttenlocher 2012), here
    over the few steps within the limit, in the box the chosen nodes lie in.

    Parameters
    ----------
    nodes
        bool `[z, y, x]`: the chosen nodes, at least one.
    spacing
        Between nodes along x, y, z, in metres.
    points
        float64 `[point, (x, y, z)]` in metres, in the box of all nodes.
    limit
        In metres; what is farther off is said to be so far.

    Returns
    -------
    NDArray
        float64 `[point]`, metres.
    """
    steps = np.asarray(spacing, dtype=np.float64)[::-1]
    reach = np.ceil(limit / steps).astype(int) + 1
    found = [np.flatnonzero(nodes.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    low = np.array([max(0, ends[0] - r) for ends, r in zip(found, reach, strict=True)])
    high = [min(n, ends[-1] + r + 1) for n, ends, r in zip(nodes.shape, found, reach, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(low.tolist(), high, strict=True))
    square = np.where(nodes[box], 0.0, limit**2)
    for axis, (step, far) in enumerate(zip(steps, reach.tolist(), strict=True)):
        along = np.moveaxis(square, axis, 0)
        before = along.copy()
        for k in range(1, min(far, len(along))):
            np.minimum(along[k:], before[:-k] + (k * step) ** 2, out=along[k:])
            np.minimum(along[:-k], before[k:] + (k * step) ** 2, out=along[:-k])
    return _interpolate(np.sqrt(square), points[:, ::-1] / steps - low, limit)


def _interpolate(values: Floats, places: Floats, outside: float) -> Floats:
    """Values `[z, y, x]` at places `[point, (z, y, x)]` in cells; `outside` beyond the array."""
    result = np.full(len(places), outside)
    ends = np.array(values.shape) - 1
    inside = np.flatnonzero(((places >= -1e-9) & (places <= ends + 1e-9)).all(axis=1))
    whole = np.clip(places[inside].astype(np.int64), 0, np.maximum(ends - 1, 0))
    share = np.clip(places[inside] - whole, 0, 1)
    total = np.zeros(len(inside))
    for corner in np.ndindex((2, 2, 2)):
        weight = np.prod(np.where(corner, share, 1 - share), axis=1)
        total += weight * values[tuple(np.minimum(whole + corner, ends).T)]
    result[inside] = total
    return result
