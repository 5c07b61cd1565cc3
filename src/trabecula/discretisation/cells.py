"""Voxels, faces, edges and nodes of a box grid, as arrays over their lowest corners.

A cell is named by the array axes that it extends along: all of them for a voxel, none for a node. An array
over cells is one shorter than that of the nodes along each of these axes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def all_corners(nodes: Mask, along: tuple[int, ...]) -> Mask:
    """Which cells that extend along some axes have all corners in a selection of nodes."""
    for axis in along:
        low, high = _ends(nodes.ndim, axis)
        nodes = nodes[low] & nodes[high]
    return nodes


def any_neighbour(padded: Mask, along: tuple[int, ...]) -> Mask:
    """Which cells that extend along some axes belong to an element of a mask.

    Parameters
    ----------
    padded
        bool over elements with one layer around: element `i` of it lies before node `i`.
    along
        Array axes of the cells.
    """
    for axis in range(padded.ndim):
        low, high = _ends(padded.ndim, axis)
        if axis in along:
            middle = [slice(None)] * padded.ndim
            middle[axis] = slice(1, -1)
            padded = padded[tuple(middle)]
        else:
            padded = padded[low] | padded[high]
    return padded


def sides(padded: Mask, normal: int) -> tuple[Mask, Mask]:
    """Whether the elements before and behind each face across an axis are in a mask (padded as above)."""
    before: list[slice] = [slice(1, -1)] * padded.ndim
    behind = before.copy()
    before[normal], behind[normal] = slice(None, -1), slice(1, None)
    return padded[tuple(before)], padded[tuple(behind)]


def _ends(dimension: int, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    low, high = [slice(None)] * dimension, [slice(None)] * dimension
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)
