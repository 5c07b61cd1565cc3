"""Places in the plane for designs, so that what looks alike lies together: classical scaling of distances.

Source: Torgerson 1952, "Multidimensional scaling: I. Theory and method".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def place_in_plane(distances: Array) -> Array:
    """Places whose distances are as near to the given ones as two dimensions allow, in squares.

    Parameters
    ----------
    distances
        float64 `[design, design]`, symmetric, zero on the diagonal.

    Returns
    -------
    NDArray[np.float64]
        `[design, (x, y)]`, about the origin; the larger axis first, each turned so that its largest entry is
        positive, so that the same distances give the same places everywhere.
    """
    count = len(distances)
    centre = np.eye(count) - 1.0 / max(count, 1)
    inner = -0.5 * centre @ np.square(distances) @ centre
    values, vectors = np.linalg.eigh(inner)
    order = np.argsort(-values, kind="stable")[:2]
    places = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
    places = np.pad(places, [(0, 0), (0, 2 - places.shape[1])])
    largest = np.abs(places).argmax(axis=0)
    signs = np.where(places[largest, np.arange(2)] < 0.0, -1.0, 1.0)
    return np.asarray(places * signs)
