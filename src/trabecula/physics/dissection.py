"""Geometric nested dissection: the elimination order of a box of nodes that fills a factorisation least.

Source: George 1973, Nested dissection of a regular finite element mesh.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAF = 24
"""Nodes of a box that is not cut further."""


def nested_dissection(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the elimination order of the nodes of a box.

    Parameters
    ----------
    shape
        Nodes along the array axes.

    Returns
    -------
    NDArray[np.int64]
        A permutation of the flat node numbers: the two halves of a box first, the plane between them last.

    Examples
    --------
    >>> nested_dissection((1, 3)).tolist()
    [0, 1, 2]
    """
    number = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return np.concatenate(_dissect(number))


def _dissect(box: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    axis = int(np.argmax(box.shape))
    if box.size <= LEAF or box.shape[axis] < 3:
        return [box.ravel()]
    middle = box.shape[axis] // 2
    first, plane, second = np.split(box, [middle, middle + 1], axis=axis)
    return [*_dissect(first), *_dissect(second), plane.ravel()]
