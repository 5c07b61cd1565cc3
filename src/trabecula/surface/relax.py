"""Smoothing of an iso-surface that keeps its exact parts, and every vertex in its own voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.nodes import REACH, SurfaceNodes

_FORWARD, _BACKWARD = 0.5, -0.53


def relax(
    nodes: SurfaceNodes, quads: NDArray[np.int64], cell: NDArray[np.float64], rounds: int
) -> NDArray[np.float64]:
    """Offsets from the voxel corners after smoothing, float64 `[vertex, (x, y, z)]` in voxels.

    Each round moves vertices towards the mean of their neighbours and back a little more (Taubin 1995), so
    the part does not shrink. Exact co-ordinates stay; a vertex on an exact plane or line looks only at
    neighbours on the same one; no vertex goes further than `REACH` from its voxel corner (Gibson 1998).

    Parameters
    ----------
    nodes
        Voxel corners with their vertices.
    quads
        int64 `[quad, 4]`: vertices in order around each quadrilateral.
    cell
        float64 `(x, y, z)`: edge lengths of a voxel.
    rounds
        Number of rounds.
    """
    if rounds <= 0 or not len(quads):
        return nodes.offset
    sees, seen = _neighbours(nodes, quads)
    count = np.bincount(sees, minlength=len(nodes.corner))
    movable = np.flatnonzero(count)
    sees, count = (np.cumsum(count > 0) - 1)[sees], count[movable]
    offset = nodes.offset.copy()
    for axis in range(3):  # nothing couples the axes
        corner = nodes.corner[:, axis].astype(np.float64)
        fixed = nodes.fixed[movable, axis]
        way = np.ascontiguousarray(offset[:, axis])
        for _ in range(rounds):
            for factor in (_FORWARD, _BACKWARD):
                points = corner + way
                total = np.bincount(sees, points[seen], len(movable))
                step = factor * (total / count - points[movable])
                step[fixed] = 0.0
                way[movable] = np.clip(way[movable] + step, -REACH, REACH)
        offset[:, axis] = way
    return offset


def _neighbours(nodes: SurfaceNodes, quads: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who looks at whom: ends of the quadrilaterals' sides, `[pair]` each.

    A side belongs to two quadrilaterals that pass it in opposite directions, so every pair is met once.
    """
    here, there = quads.ravel(), np.roll(quads, -1, axis=1).ravel()
    sees = nodes.free[here]
    for axis in range(3):
        sees &= ~nodes.fixed[here, axis] | nodes.fixed[there, axis]
    # on an exact plane the outline must not be drawn into the flat part
    sees &= nodes.free[there] | ~nodes.fixed[here].any(axis=1)
    return here[sees], there[sees]
