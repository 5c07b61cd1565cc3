"""The connected pieces of a mask, and of a graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]


def label(mask: Mask, diagonal: bool = False) -> tuple[Labels, int]:
    """Number the pieces of a mask from 1, in the order in which they are met; 0 stays outside.

    Runs along the last axis are found first; what is joined then is few runs, not many cells.

    Parameters
    ----------
    mask
        bool, any shape.
    diagonal
        Cells belong together also where they share no more than a corner, not only a face.

    Returns
    -------
    labels, count
        int32 of the mask's shape, and how many pieces there are.

    Examples
    --------
    >>> label(np.array([[True, False], [False, True]]))[1]
    2
    >>> label(np.array([[True, False], [False, True]]), diagonal=True)[1]
    1
    """
    begins = mask.copy()
    begins[..., 1:] &= ~mask[..., :-1]
    runs = np.cumsum(begins.ravel(), dtype=np.int32).reshape(mask.shape)
    count = int(runs.ravel()[-1]) if runs.size else 0
    runs *= mask
    meetings = [_meetings(runs, step) for step in _steps(mask, diagonal)]
    number, pieces = components(count, np.concatenate([np.empty((0, 2), np.int32), *meetings]))
    return np.concatenate([np.zeros(1, np.int32), number + np.int32(1)])[runs], pieces


def boxes(labels: Labels, count: int) -> list[tuple[slice, ...]]:
    """The smallest box around each of `count` pieces, as slices along the axes of their `labels`."""
    low = np.zeros((count + 1, labels.ndim), dtype=np.int64)
    high = low.copy()
    for axis, length in enumerate(labels.shape):
        for i in range(length):
            here = np.bincount(labels.take(i, axis).ravel(), minlength=count + 1) > 0
            low[here & (high[:, axis] == 0), axis] = i
            high[here, axis] = i + 1
    return [tuple(map(slice, *ends)) for ends in zip(low[1:].tolist(), high[1:].tolist(), strict=True)]


def components(count: int, edges: NDArray[np.integer]) -> tuple[Labels, int]:
    """Number the connected components of a graph from 0, in the order of their first nodes.

    Each round hooks the roots of nodes that should be one onto the smallest root they touch, and shortens
    every path to its root; rounds are few (a logarithm of the nodes).

    Parameters
    ----------
    count
        Nodes, numbered from 0.
    edges
        integer `[edge, 2]`: which nodes belong together.

    Returns
    -------
    number, components
        int32 `[node]`, and how many components there are.

    Source: Shiloach & Vishkin 1982, An O(log n) parallel connectivity algorithm.

    Examples
    --------
    >>> components(4, np.array([[3, 1]]))
    (array([0, 1, 2, 1], dtype=int32), 3)
    """
    root = np.arange(count)
    one, other = edges[:, 0], edges[:, 1]
    while True:
        here, there = root[one], root[other]
        apart = here != there
        if not apart.any():
            break
        one, other, here, there = one[apart], other[apart], here[apart], there[apart]
        np.minimum.at(root, np.maximum(here, there), np.minimum(here, there))
        while not np.array_equal(shorter := root[root], root):
            root = shorter
    is_root = root == np.arange(count)
    number = np.cumsum(is_root, dtype=np.int32) - np.int32(1)
    return number[root], int(is_root.sum())


def _steps(mask: Mask, diagonal: bool) -> list[tuple[int, ...]]:
    """Steps to the neighbours before a cell, those within its own run left out."""
    every = [tuple(i - 1 for i in index) for index in np.ndindex((3,) * mask.ndim)]
    earlier = [step for step in every if step < (0,) * mask.ndim and any(step[:-1])]
    return earlier if diagonal else [step for step in earlier if sum(map(abs, step)) == 1]


def _meetings(runs: Labels, step: tuple[int, ...]) -> Labels:
    """Pairs `[pair, 2]` of runs where a cell and its neighbour at a step are both inside."""
    here = runs[tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(step, runs.shape, strict=True))]
    there = runs[tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(step, runs.shape, strict=True))]
    both = (here > 0) & (there > 0)
    one, other = here[both], there[both]
    fresh = np.ones(len(one), dtype=bool)
    fresh[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return np.stack([one[fresh], other[fresh]], axis=1) - np.int32(1)
