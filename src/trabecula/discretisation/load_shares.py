"""How a load given as a total reaches the nodes: consistent shares of volumes, faces, edges, points.

What is selected may be a lump, a patch of surface, a line or a few points. The largest kind that is complete
in it carries the load: a voxel, face or edge all of whose corners are selected shares its size equally among
them. For a row of nodes that is the trapezoid rule, half at the ends, so the load is what a constant traction
would give.
"""

from __future__ import annotations

from itertools import combinations, product
from math import prod

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.where import Mask

Floats = NDArray[np.float64]


def nodes_of(elements: Mask) -> Mask:
    """The nodes of at least one of the elements, bool `[z, y, x]` over elements in, over nodes out."""
    return _nodes_of(elements)


def shares(selected: Mask, material: Mask, spacing: tuple[float, ...]) -> Floats:
    """Each node's share of a total that is spread over a selection.

    Parameters
    ----------
    selected
        bool `[z, y, x]` over nodes.
    material
        bool `[z, y, x]` over elements: those that are not passive void. Only what touches them carries load.
    spacing
        Edge lengths of a voxel along x, y(, z).

    Returns
    -------
    float64 `[z, y, x]` over nodes, summing to one; all zero if nothing of the selection touches material.
    """
    box = bounding_box(selected)
    out = np.zeros(selected.shape)
    if box is None:
        return out
    # Beyond the selection's own box only the material around it matters, one voxel each way.
    inner = selected[box]
    around = _padded(material)[tuple(slice(b.start, b.stop + 1) for b in box)]
    dimension = selected.ndim
    for kind in range(dimension, -1, -1):
        weights = np.zeros(inner.shape)
        for along in combinations(range(dimension), kind):
            whole = _all_corners(inner, along) & _any_neighbour(around, along)
            size = prod(spacing[dimension - 1 - axis] for axis in along)
            _give(weights, whole * (size / 2**kind), along)
        total = weights.sum()
        if total > 0:
            out[box] = weights / total
            return out
    return out


def pressure(selected: Mask, material: Mask, spacing: tuple[float, ...], thickness: float) -> Floats:
    """Nodal forces of a unit pressure on the selected part of the surface, pushing inwards.

    Parameters
    ----------
    selected
        bool `[z, y, x]` over nodes; a face takes part if all its corners are selected.
    material
        bool `[z, y, x]` over elements that are not passive void: their outer faces are the surface.
    spacing, thickness
        Of a voxel, in metres; the thickness counts in 2-D.

    Returns
    -------
    float64 `[component, z, y, x]` in N per Pa; components x, y(, z).
    """
    dimension = selected.ndim
    depth = thickness if dimension == 2 else 1.0
    forces = np.zeros((dimension, *selected.shape))
    padded = _padded(material)
    for normal in range(dimension):
        along = tuple(axis for axis in range(dimension) if axis != normal)
        low = _cut(padded, normal, along, slice(None, -1))
        high = _cut(padded, normal, along, slice(1, None))
        # +1 where material begins (pressure pushes to positive), -1 where it ends.
        push = (high.astype(np.int8) - low) * _all_corners(selected, along)
        area = prod(spacing[dimension - 1 - axis] for axis in along) * depth
        _give(forces[dimension - 1 - normal], push * (area / 2 ** len(along)), along)
    return forces


def bounding_box(mask: Mask) -> tuple[slice, ...] | None:
    """The smallest box around what is selected, or None."""
    slices = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if hit.size == 0:
            return None
        slices.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(slices)


def _padded(material: Mask) -> Mask:
    """The elements with one layer of nothing around: element `i` of it lies before node `i`."""
    return np.pad(material, 1)


def _all_corners(nodes: Mask, along: tuple[int, ...]) -> Mask:
    """Voxels, faces or edges that extend along some axes and have all corners selected."""
    for axis in along:
        low, high = _ends(nodes.ndim, axis)
        nodes = nodes[low] & nodes[high]
    return nodes


def _any_neighbour(padded: Mask, along: tuple[int, ...]) -> Mask:
    """Whether such a voxel, face or edge belongs to an element with material."""
    for axis in range(padded.ndim):
        low, high = _ends(padded.ndim, axis)
        if axis in along:
            middle = [slice(None)] * padded.ndim
            middle[axis] = slice(1, -1)
            padded = padded[tuple(middle)]
        else:
            padded = padded[low] | padded[high]
    return padded


def _nodes_of(elements: Mask) -> Mask:
    return _any_neighbour(_padded(elements), ())


def _cut(padded: Mask, normal: int, along: tuple[int, ...], part: slice) -> Mask:
    index = [slice(1, -1) if axis in along else part for axis in range(padded.ndim)]
    assert index[normal] == part
    return padded[tuple(index)]


def _give(nodes: Floats, amount: Floats, along: tuple[int, ...]) -> None:
    """Add an amount to every corner of the voxels, faces or edges that extend along some axes."""
    for ends in product((0, 1), repeat=len(along)):
        index = [slice(None)] * nodes.ndim
        for axis, end in zip(along, ends, strict=True):
            index[axis] = slice(1, None) if end else slice(None, -1)
        nodes[tuple(index)] += amount


def _ends(dimension: int, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    low, high = [slice(None)] * dimension, [slice(None)] * dimension
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)
