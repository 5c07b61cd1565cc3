"""How a load given as a total reaches the nodes: consistent shares of volumes, faces, edges, points.

What is selected may be a lump, a patch of surface, a line or a few points. The largest kind that is complete
in it carries the load: a voxel, face or edge all of whose corners are selected shares its size equally among
them. For a row of nodes that is the trapezoid rule, half at the ends, so the load is what a constant traction
would give. Patches of a lower kind beside it (a row of nodes beside a face) carry by their tributary size:
they count as one element wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from math import fsum, prod

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.cells import all_corners, any_neighbour, sides
from trabecula.discretisation.tributary import lower_parts
from trabecula.problem.where import Mask

Floats = NDArray[np.float64]


def nodes_of(elements: Mask) -> Mask:
    """The nodes of at least one of the elements, bool `[z, y, x]` over elements in, over nodes out."""
    return any_neighbour(_padded(elements), ())


@dataclass(frozen=True)
class Spread:
    """A total over a selection.

    Attributes
    ----------
    shares
        float64 `[z, y, x]` over nodes, summing to one; all zero if nothing of the selection touches material.
    kind
        Of what carries it: 3 for voxels of a solid, 2 for faces (elements of the plane), 1 for edges, 0 for
        points; the highest one.
    narrow
        Share of the patches that are of a lower kind than the highest one.
    """

    shares: Floats
    kind: int
    narrow: float


def shares(selected: Mask, material: Mask, spacing: tuple[float, ...]) -> Floats:
    """Each node's share of a total that is spread over a selection: `share_total(...).shares`."""
    return share_total(selected, material, spacing).shares


def share_total(
    selected: Mask, material: Mask, spacing: tuple[float, ...], own: Mask | None = None
) -> Spread:
    """Spread a total over a selection.

    Parameters
    ----------
    selected
        bool `[z, y, x]` over nodes.
    material
        bool `[z, y, x]` over elements: those that are not passive void. Only what touches them carries load.
    spacing
        Edge lengths of a voxel along x, y(, z).
    own
        bool `[z, y, x]` over nodes that carry even where they merely stick out of a patch; none unless given.

    Returns
    -------
    The shares, and of what kind the parts are that carry them. Of nodes that touch material only those carry
    nothing that stick out of a patch whose highest kind has at least half of its nodes.
    """
    box = bounding_box(selected)
    out = np.zeros(selected.shape)
    if box is None:
        return Spread(out, 0, 0.0)
    # Beyond the selection's own box only the material around it matters, one voxel each way.
    inner = selected[box]
    around = _padded(material)[tuple(slice(b.start, b.stop + 1) for b in box)]
    dimension = selected.ndim
    for kind in range(dimension, -1, -1):
        weights = np.zeros(inner.shape)
        for along in combinations(range(dimension), kind):
            whole = all_corners(inner, along) & any_neighbour(around, along)
            size = prod(spacing[dimension - 1 - axis] for axis in along)
            _give(weights, whole * (size / 2**kind), along)
        if not weights.any():
            continue
        reachable = inner & any_neighbour(around, ())
        total, narrow = float(weights.sum()), 0.0
        if kind > 0 and (reachable & (weights == 0)).any():
            # one voxel more each way, for the elements that tributary sizes are measured by
            beyond = np.pad(material, 2)[tuple(slice(b.start, b.stop + 3) for b in box)]
            inset = tuple(slice(1, -1) for _ in box)
            outline = np.pad(np.zeros_like(inner) if own is None else inner & own[box], 1)
            lower = lower_parts(np.pad(inner, 1), beyond, np.pad(weights > 0, 1), outline, spacing, kind)
            if lower.weights.any():
                weights += lower.weights[inset]
                total, narrow = fsum(weights.flat), lower.narrow
        out[box] = weights / total
        return Spread(out, kind, narrow / total)
    return Spread(out, 0, 0.0)


def covered_share(selected: Mask, material: Mask, spacing: tuple[float, ...]) -> float:
    """How much of a selection touches material, by the size of its parts of the highest kind, from 0 to 1.

    Parameters as `share_total`; the selection holds at least one node.
    """
    box = bounding_box(selected)
    assert box is not None
    inner = selected[box]
    around = _padded(material)[tuple(slice(b.start, b.stop + 1) for b in box)]
    dimension = selected.ndim
    for kind in range(dimension, -1, -1):
        found, touching = 0.0, 0.0
        for along in combinations(range(dimension), kind):
            whole = all_corners(inner, along)
            size = prod(spacing[dimension - 1 - axis] for axis in along)
            found += size * np.count_nonzero(whole)
            touching += size * np.count_nonzero(whole & any_neighbour(around, along))
        if found > 0:
            return touching / found
    return 0.0


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
        low, high = sides(padded, normal)
        # +1 where material begins (pressure pushes to positive), -1 where it ends.
        push = (high.astype(np.int8) - low) * all_corners(selected, along)
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


def _give(nodes: Floats, amount: Floats, along: tuple[int, ...]) -> None:
    """Add an amount to every corner of the voxels, faces or edges that extend along some axes."""
    for ends in product((0, 1), repeat=len(along)):
        index = [slice(None)] * nodes.ndim
        for axis, end in zip(along, ends, strict=True):
            index[axis] = slice(1, None) if end else slice(None, -1)
        nodes[tuple(index)] += amount
