"""Designs from one grid to another of the same box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def resample(density: Array, shape: tuple[int, ...]) -> Array:
    """The density of the voxel that each centre of the new grid lies in; any ratio.

    Parameters
    ----------
    density
        float64 `[z, y, x]` or `[y, x]`.
    shape
        Of the grid wanted, in the same order.

    Examples
    --------
    >>> resample(np.array([[0.0, 1.0]]), (1, 4))
    array([[0., 0., 1., 1.]])
    """
    for axis, (old, new) in enumerate(zip(density.shape, shape, strict=True)):
        if old != new:
            index = ((np.arange(new) + 0.5) * (old / new)).astype(np.intp)
            density = np.take(density, np.minimum(index, old - 1), axis=axis)
    return np.ascontiguousarray(density)
