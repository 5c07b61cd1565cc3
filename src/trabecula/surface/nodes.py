"""The voxel corners an iso-surface passes, and where the surface has its vertices there.

Surface nets (Gibson 1998): a vertex near every voxel corner whose eight cells are not all alike, at the mean
of the points where the surface crosses between two cells. Here with one vertex for each separate patch (see
`trabecula.surface.patches`), and with *hard* crossings: where one of the two cells is passive or outside the
box, the surface lies exactly on their common face, so the vertex keeps the voxel corner's own co-ordinate
there. Flat faces, edges and corners of passive parts and of the domain come out exact by that rule alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.patches import (
    ALTERNATING,
    CROSSED,
    EDGE_CORNERS,
    FACE_CORNERS,
    patches,
)
from trabecula.surface.samples import LEVEL, Samples, are_joined

REACH = 0.45
"""How far, in voxels, a vertex may be from its voxel corner: neighbours stay apart, in float32 too."""

INSET = 0.2
"""Share of its offset that a vertex keeps where two patches would meet on a hard corner and become one
point."""


@dataclass(frozen=True, eq=False)
class SurfaceNodes:
    """Voxel corners that the surface passes.

    Attributes
    ----------
    shape
        Voxel corners along z, y, x.
    index
        int64 `[node]`, ascending: flat index of the corner in `shape`.
    configuration
        uint8 `[node]`: which of the eight cells around are material.
    joined
        uint8 `[node]`: on which alternating faces the solid corners are joined.
    patch
        int8 `[node, edge]`: patch of each crossed edge, -1 elsewhere.
    first
        int64 `[node]`: the vertex of patch 0; those of the other patches follow it.
    corner
        int64 `[vertex, (x, y, z)]`: the voxel corner of a vertex.
    offset
        float64 `[vertex, (x, y, z)]`: from there, in voxels.
    fixed
        bool `[vertex, (x, y, z)]`: co-ordinates that are exact.
    free
        bool `[vertex]`: whether the vertex may be smoothed at all.
    """

    shape: tuple[int, int, int]
    index: NDArray[np.int64]
    configuration: NDArray[np.uint8]
    joined: NDArray[np.uint8]
    patch: NDArray[np.int8]
    first: NDArray[np.int64]
    corner: NDArray[np.int64]
    offset: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    free: NDArray[np.bool_]

    def rows(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the nodes with these flat indices."""
        return np.searchsorted(self.index, index)


def find_nodes(samples: Samples) -> SurfaceNodes:
    """All voxel corners with both material and void around them, and their vertices."""
    configuration = _configurations(samples.inside)
    shape = configuration.shape
    index = np.flatnonzero((configuration != 0) & (configuration != 255))
    around = cells_around(shape, index)
    configuration = configuration.ravel()[index]
    values = samples.values.ravel()[around]
    joined = np.zeros(len(index), dtype=np.uint8)
    for face in range(6):
        rows = np.flatnonzero(ALTERNATING[configuration, face])
        joined[rows] |= are_joined(values[rows], face).astype(np.uint8) << np.uint8(face)
    patch = _patch_numbers(configuration, joined)
    count = patch.max(axis=1, initial=-1).astype(np.int64) + 1
    first = np.cumsum(count) - count
    owner = np.repeat(np.arange(len(index)), count)
    offset, fixed, free = _place(
        values, samples.hard.ravel()[around], configuration, patch, first, count[owner] > 1
    )
    corner = np.stack(np.unravel_index(index, shape)[::-1], axis=1)[owner]
    return SurfaceNodes(shape, index, configuration, joined, patch, first, corner, offset, fixed, free)


def cells_around(shape: tuple[int, int, int], index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Flat indices, in the padded cells, of the eight cells around voxel corners: int64 `[node, corner]`."""
    _, ny, nx = shape
    k, j, i = np.unravel_index(index, shape)
    low = i + (nx + 1) * (j + (ny + 1) * k)
    bits = (np.arange(8)[:, None] >> np.arange(3)) & 1
    return np.asarray(low[:, None] + bits @ np.array([1, nx + 1, (nx + 1) * (ny + 1)]))


def find_joined_cells(nodes: SurfaceNodes) -> NDArray[np.int64]:
    """Cells that touch along an edge only and are joined there: flat padded indices, int64 `[pair, 2]`."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for face, corners in enumerate(FACE_CORNERS):
        rows = np.flatnonzero(
            ALTERNATING[nodes.configuration, face] & (nodes.joined >> face & 1).astype(bool)
        )
        around = cells_around(nodes.shape, nodes.index[rows])[:, corners]
        first_solid = (nodes.configuration[rows] >> corners[0] & 1).astype(bool)
        found.append(np.where(first_solid[:, None], around[:, [0, 3]], around[:, [1, 2]]))
    return np.concatenate(found)


def _configurations(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    nz, ny, nx = (n - 1 for n in inside.shape)
    result = np.zeros((nz, ny, nx), dtype=np.uint8)
    for corner in range(8):
        x, y, z = corner & 1, corner >> 1 & 1, corner >> 2
        result |= inside[z : z + nz, y : y + ny, x : x + nx].astype(np.uint8) << np.uint8(corner)
    return result


def _patch_numbers(configuration: NDArray[np.uint8], joined: NDArray[np.uint8]) -> NDArray[np.int8]:
    kinds, which = np.unique(configuration.astype(np.int64) * 64 + joined, return_inverse=True)
    table = np.array([patches(kind // 64, kind % 64) for kind in kinds.tolist()], dtype=np.int8)
    return table.reshape(-1, 12)[which]


def _place(
    values: NDArray[np.float32],
    hard: NDArray[np.bool_],
    configuration: NDArray[np.uint8],
    patch: NDArray[np.int8],
    first: NDArray[np.int64],
    split: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Offset of every vertex from its voxel corner in voxels, its exact co-ordinates, and whether it may
    move."""
    count = len(split)
    total, weight = np.zeros((count, 3)), np.zeros(count)
    plain, members = np.zeros((count, 3)), np.zeros(count)
    fixed = np.zeros((count, 3), dtype=np.bool_)
    for edge, (low, high) in enumerate(EDGE_CORNERS.tolist()):
        rows = np.flatnonzero(CROSSED[configuration, edge])
        vertex = first[rows] + patch[rows, edge]
        axis = edge // 4
        here, there = values[rows, low].astype(np.float64), values[rows, high].astype(np.float64)
        exact = hard[rows, low] | hard[rows, high]
        point = np.tile(((low >> np.arange(3)) & 1) - 0.5, (len(rows), 1))
        point[:, axis] = 0.0
        plain[vertex] += point
        members[vertex] += 1
        point[:, axis] = (LEVEL - here) / (there - here) - 0.5
        soft = ~exact
        total[vertex[soft]] += point[soft]
        weight[vertex[soft]] += 1
        fixed[vertex[exact], axis] = True
    offset = total / np.maximum(weight, 1)[:, None]
    offset[fixed] = 0.0
    # two vertices at one voxel corner: apart by a margin that depends on nothing but which cells are solid
    apart = plain / np.maximum(members, 1)[:, None] * np.where(fixed, INSET, 1.0)
    offset[split] = apart[split]
    return np.clip(offset, -REACH, REACH), fixed, (weight > 0) & ~split
