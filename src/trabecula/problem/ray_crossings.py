"""Where rays along an axis cross triangles, and from which side; exact at edges and corners.

Whether a triangle lies in the way is decided by its three projected edges, each evaluated in the same order
of its end points whichever triangle it belongs to. So a ray through an edge or a corner crosses exactly one
of the triangles that meet there, and a closed surface is left as often as it is entered, always; no jitter,
no tolerance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def side_of_crossing(corners: Floats, x: Floats, y: Floats) -> NDArray[np.int8]:
    """How rays along the last axis through points cross triangles.

    Parameters
    ----------
    corners
        float64 `[n, corner, axis]`.
    x, y
        First two co-ordinates of a point for each, float64 `[n]`.

    Returns
    -------
    int8 `[n]`: 1 where the triangle's corners run counter-clockwise seen from above, -1 clockwise, 0 where it
    is not crossed.
    """
    turns = np.zeros(len(x), dtype=np.int8)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        a, b = corners[:, i, :2], corners[:, j, :2]
        # The same order of end points for both triangles that share the edge, so that both see the same
        # number.
        swap = (a[:, 1] > b[:, 1]) | ((a[:, 1] == b[:, 1]) & (a[:, 0] > b[:, 0]))
        a, b = np.where(swap[:, None], b, a), np.where(swap[:, None], a, b)
        spans = (a[:, 1] <= y) & (y < b[:, 1])
        rise = np.where(spans, b[:, 1] - a[:, 1], 1.0)
        right = spans & (x < a[:, 0] + (y - a[:, 1]) / rise * (b[:, 0] - a[:, 0]))
        turns += np.where(right, np.where(swap, -1, 1), 0).astype(np.int8)
    return turns


def height_over(corners: Floats, x: Floats, y: Floats) -> Floats:
    """Third co-ordinate of the triangles' planes over points; kept within upright ones."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    upright = np.abs(normal[:, 2]) < 1e-300
    slope = np.where(upright, 1.0, normal[:, 2])
    rise = (normal[:, 0] * (x - a[:, 0]) + normal[:, 1] * (y - a[:, 1])) / slope
    return np.asarray(np.clip(a[:, 2] - rise, corners[:, :, 2].min(axis=1), corners[:, :, 2].max(axis=1)))


def winding_at(points: Floats, triangles: Floats) -> NDArray[np.int64]:
    """How often a closed surface winds around points.

    Parameters
    ----------
    points
        float64 `[point, axis]`.
    triangles
        float64 `[triangle, corner, axis]`.

    Returns
    -------
    int `[point]`: 1 inside a shell that faces outwards, -1 inside one that faces inwards, 0 outside.
    """
    winding = np.zeros(len(points), dtype=np.int64)
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    for k, point in enumerate(points):
        near = ((low[:, :2] <= point[:2]) & (high[:, :2] >= point[:2])).all(axis=1) & (high[:, 2] >= point[2])
        corners = triangles[near]
        x, y = np.full(len(corners), point[0]), np.full(len(corners), point[1])
        side = side_of_crossing(corners, x, y)
        above = height_over(corners, x, y) > point[2]
        winding[k] = int(side[above].sum())
    return winding
