"""Quadrilaterals between the vertices of an iso-surface: one for every two cells it separates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.nodes import INSET, SurfaceNodes, cells_around
from trabecula.surface.patches import ALTERNATING, FACE_CORNERS, FACE_EDGES
from trabecula.surface.samples import LEVEL, Samples


@dataclass(frozen=True, eq=False)
class Quads:
    """One quadrilateral for every crossing.

    Attributes
    ----------
    corners
        int64 `[quad, 4]`: vertices, counter-clockwise seen from the void.
    middles
        int64 `[quad, 4]`: the extra vertex on the side that begins at this corner, or -1.
    centre
        float64 `[quad, (x, y, z)]`: where the surface crosses between the two cells, in voxels.
    cell
        int64 `[quad]`: flat padded index of the solid cell.
    extra
        float64 `[vertex, (x, y, z)]`: the extra vertices, in voxels.
    """

    corners: NDArray[np.int64]
    middles: NDArray[np.int64]
    centre: NDArray[np.float64]
    cell: NDArray[np.int64]
    extra: NDArray[np.float64]

    def are_fanned(self) -> NDArray[np.bool_]:
        """bool `[quad]`: those with extra vertices on their sides, which are parted around their centres."""
        return np.asarray((self.middles >= 0).any(axis=1))

    def select(self, chosen: NDArray[np.bool_]) -> Quads:
        """The chosen quadrilaterals."""
        return Quads(
            self.corners[chosen], self.middles[chosen], self.centre[chosen], self.cell[chosen], self.extra
        )


@dataclass(frozen=True, eq=False)
class _DoubleSides:
    """Voxel edges where four quadrilaterals would share one side, each with two extra vertices to part them.

    `key` is `3 node + axis`, ascending; `vertex` `[edge, corner]` the extra vertex beside a cell around the
    edge.
    """

    key: NDArray[np.int64]
    joined: NDArray[np.bool_]
    vertex: NDArray[np.int64]


def find_quads(samples: Samples, nodes: SurfaceNodes) -> Quads:
    """All quadrilaterals of the surface; extra vertices are numbered after those of the nodes."""
    doubled, extra = _split_double_sides(samples, nodes)
    parts = [_quads_across(axis, samples, nodes, doubled) for axis in range(3)]
    corners, middles, centre, cell = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Quads(corners, middles, centre, cell, extra)


def _quads_across(
    axis: int, samples: Samples, nodes: SurfaceNodes, doubled: _DoubleSides
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Quadrilaterals across `axis`: corners, middles, centres and solid cells."""
    b, c = (axis + 1) % 3, (axis + 2) % 3
    inside = np.moveaxis(samples.inside, 2 - axis, 0)
    place = np.nonzero(np.moveaxis(inside[1:] != inside[:-1], 0, 2 - axis))
    low = np.stack(place[::-1], axis=1)  # the lower of the two cells, (x, y, z)
    stride = _strides(samples.inside.shape)
    step = _strides(nodes.shape)
    low_cell = low @ stride
    solid_low = samples.inside.ravel()[low_cell]
    cell: NDArray[np.int64] = np.where(solid_low, low_cell, low_cell + stride[axis])

    corners = np.empty((len(low), 4), dtype=np.int64)
    base = low @ step - step[b] - step[c]  # the node below in both b and c
    for k, (up_b, up_c) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1))):
        rows = nodes.rows(base + up_b * step[b] + up_c * step[c])
        edge = 4 * axis + (1 - up_b) + 2 * (1 - up_c)
        corners[:, k] = nodes.first[rows] + nodes.patch[rows, edge]

    middles = np.full((len(low), 4), -1, dtype=np.int64)
    if len(doubled.key):
        for k, (side, up_b, up_c) in enumerate(((b, 0, 0), (c, 1, 0), (b, 0, 1), (c, 0, 0))):
            key = 3 * (base + up_b * step[b] + up_c * step[c]) + side
            found = np.minimum(np.searchsorted(doubled.key, key), len(doubled.key) - 1)
            rows = np.flatnonzero(doubled.key[found] == key)
            # place of the cell that this piece of contour cuts off, around the voxel edge along `side`
            chosen = found[rows]
            upper = solid_low[rows] == doubled.joined[chosen]
            local = {axis: upper.astype(np.int64), b: 1 - up_b, c: 1 - up_c}
            corner = local[(side + 1) % 3] + 2 * local[(side + 2) % 3]
            middles[rows, k] = doubled.vertex[chosen, corner]

    here = samples.values.ravel()[low_cell].astype(np.float64)
    there = samples.values.ravel()[low_cell + stride[axis]].astype(np.float64)
    exact = samples.hard.ravel()[low_cell] | samples.hard.ravel()[low_cell + stride[axis]]
    centre = low.astype(np.float64) - 0.5
    centre[:, axis] += np.where(exact, 0.5, np.clip((LEVEL - here) / (there - here), 0.05, 0.95))

    turned = ~solid_low
    corners[turned] = corners[turned][:, [0, 3, 2, 1]]
    middles[turned] = middles[turned][:, [3, 2, 1, 0]]
    return corners, middles, centre, cell


def _strides(shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array([1, shape[2], shape[2] * shape[1]])


def _split_double_sides(samples: Samples, nodes: SurfaceNodes) -> tuple[_DoubleSides, NDArray[np.float64]]:
    """Find sides that four quadrilaterals would share, and give each pair of them a vertex of its own.

    That happens where solid and void alternate around a voxel edge while both its ends have a single patch
    there.
    """
    step = _strides(nodes.shape)
    keys, joined, places = [], [], []
    for axis in range(3):
        rows = np.flatnonzero(ALTERNATING[nodes.configuration, 2 * axis + 1])
        above = nodes.rows(nodes.index[rows] + step[axis])
        one_here = _all_equal(nodes.patch[rows][:, FACE_EDGES[2 * axis + 1]])
        one_there = _all_equal(nodes.patch[above][:, FACE_EDGES[2 * axis]])
        rows = rows[one_here & one_there]
        together = (nodes.joined[rows] >> (2 * axis + 1) & 1).astype(bool)
        hard = samples.hard.ravel()[
            cells_around(nodes.shape, nodes.index[rows])[:, FACE_CORNERS[2 * axis + 1]]
        ]
        reach = np.where(hard.any(axis=1), 0.25 * INSET, 0.25)
        node = np.stack(np.unravel_index(nodes.index[rows], nodes.shape)[::-1], axis=1).astype(np.float64)
        place = np.repeat(node[:, None], 4, axis=1)
        place[..., axis] += 0.5
        for corner in range(4):
            place[:, corner, (axis + 1) % 3] += reach * (2 * (corner & 1) - 1)
            place[:, corner, (axis + 2) % 3] += reach * (2 * (corner >> 1) - 1)
        keys.append(3 * nodes.index[rows] + axis)
        joined.append(together)
        places.append(place)
    key = np.concatenate(keys)
    order = np.argsort(key)
    # all four get a number; the two that no contour cuts off are dropped with the other unused vertices
    vertex = len(nodes.corner) + np.arange(4 * len(key)).reshape(-1, 4)
    extra = np.concatenate(places)[order].reshape(-1, 3)
    return _DoubleSides(key[order], np.concatenate(joined)[order], vertex), extra


def _all_equal(patch: NDArray[np.int8]) -> NDArray[np.bool_]:
    return np.asarray((patch == patch[:, :1]).all(axis=1))
