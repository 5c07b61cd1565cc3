"""Sums from elements to their nodes and back, on box grids; each is the other's transpose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def to_nodes(elements: Array, skip: int | None = None) -> Array:
    """Every node's sum over the elements that touch it: `[z, y, x]` over elements to `[z, y, x]` over nodes.

    The array axis `skip` is left as it is.

    Examples
    --------
    >>> to_nodes(np.array([[1.0, 2.0]]))
    array([[1., 3., 2.],
           [1., 3., 2.]])
    """
    nodes = elements
    for axis in range(elements.ndim):
        nodes = nodes if axis == skip else to_ends(nodes, axis)
    return nodes


def to_elements(nodes: Array, skip: int | None = None) -> Array:
    """Every element's sum over its corner nodes: `[z, y, x]` over nodes to `[z, y, x]` over elements.

    The array axis `skip` is left as it is.

    Examples
    --------
    >>> to_elements(np.array([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]]))
    array([[ 8., 10.]])
    """
    elements = nodes
    for axis in range(nodes.ndim):
        if axis == skip:
            continue
        elements = elements[_along(axis, slice(1, None))] + elements[_along(axis, slice(None, -1))]
    return elements


def to_ends(a: Array, axis: int) -> Array:
    """Sums at the ends of cells in a row along an array axis: one longer there than what is given."""
    shape = list(a.shape)
    shape[axis] += 1
    out = np.empty(shape)
    out[_along(axis, slice(None, -1))] = a
    out[_along(axis, slice(-1, None))] = 0.0
    out[_along(axis, slice(1, None))] += a
    return out


def _along(axis: int, part: slice) -> tuple[slice, ...]:
    return (slice(None),) * axis + (part,)
