"""What of a selection is of a lower kind than its patches: rows of nodes beside faces, points beside edges.

Such a part carries as if it were one element wide: a row of nodes on a surface counts as a strip, a single
node as a spot, of the mean size of the faces that touch it. What merely sticks out of a patch, because a
round outline is drawn in squares, carries nothing of its own, as long as the highest kind has at least half
of the patch's nodes; where only a few voxels happen to be complete, all parts share.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import fsum, prod

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.cells import Mask, all_corners, any_neighbour, sides
from trabecula.discretisation.nodes import to_ends
from trabecula.numerics.components import label

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LowerParts:
    """What parts of a lower kind carry.

    Attributes
    ----------
    weights
        float64 `[z, y, x]` over nodes, in units of the highest kind (an area beside faces).
    narrow
        Sum of the weights of patches that have no part of the highest kind at all.
    """

    weights: Floats
    narrow: float


def lower_parts(
    selected: Mask, around: Mask, carries: Mask, own: Mask, spacing: tuple[float, ...], kind: int
) -> LowerParts:
    """Find the parts of a lower kind and what each node of them carries.

    Parameters
    ----------
    selected
        bool `[z, y, x]` over nodes, with one layer of nodes around that are not.
    around
        bool `[z, y, x]` over elements with material, with one more layer: element `i` lies before node `i`.
    carries
        bool as `selected`: nodes of the parts of the highest kind.
    own
        bool as `selected`: nodes that carry even where they merely stick out.
    spacing
        Edge lengths of a voxel along x, y(, z).
    kind
        The highest kind: 3 for voxels of a solid, 2 for faces, 1 for edges.
    """
    dimension = selected.ndim
    patches, count = label(np.asarray(selected & any_neighbour(around, ())), diagonal=True)
    nodes = np.bincount(patches.ravel(), minlength=count + 1)
    carried = np.bincount(patches[carries], minlength=count + 1)
    settled = carries | ((2 * carried >= nodes)[patches] & ~own)
    weights, narrow = np.zeros(selected.shape), 0.0
    for k in range(kind - 1, -1, -1):
        for along in combinations(range(dimension), k):
            whole = all_corners(selected, along) & any_neighbour(around, along)
            whole &= ~_in_larger(selected, around, along) & ~all_corners(settled, along)
            if not whole.any():
                continue
            amount = np.where(whole, _tributary_size(around, along, kind, spacing), 0.0)
            corner = tuple(slice(-1) if axis in along else slice(None) for axis in range(dimension))
            narrow += fsum(amount[whole & (carried == 0)[patches[corner]]])
            amount /= 2**k
            for axis in along:
                amount = to_ends(amount, axis)
            weights += amount
    return LowerParts(weights, narrow)


def _in_larger(selected: Mask, around: Mask, along: tuple[int, ...]) -> Mask:
    """Which cells are part of a complete one with material that extends along one more axis."""
    found = np.zeros(all_corners(selected, along).shape, dtype=np.bool_)
    for axis in set(range(selected.ndim)) - set(along):
        wide = tuple(sorted((*along, axis)))
        larger = all_corners(selected, wide) & any_neighbour(around, wide)
        found |= to_ends(larger.astype(np.float64), axis) > 0
    return found


def _tributary_size(around: Mask, along: tuple[int, ...], kind: int, spacing: tuple[float, ...]) -> Floats:
    """Mean size of the cells of a kind that hold each cell: those on the surface where there are such."""
    dimension = around.ndim
    on_surface, touching = [], []
    for wide in combinations(range(dimension), kind):
        if not set(along) <= set(wide):
            continue
        size = prod(spacing[dimension - 1 - axis] for axis in wide)
        others = [axis for axis in wide if axis not in along]
        touching.append((size, _count(any_neighbour(around, wide), others)))
        if kind == dimension - 1:
            (normal,) = set(range(dimension)) - set(wide)
            before, behind = sides(around, normal)
            on_surface.append((size, _count(before ^ behind, others)))
    mean = _mean(touching)[0]
    if on_surface:
        outer, is_outer = _mean(on_surface)
        mean = np.where(is_outer, outer, mean)
    return mean


def _count(cells: Mask, axes: list[int]) -> Floats:
    """How many of the cells each of their parts across some axes belongs to."""
    count = cells.astype(np.float64)
    for axis in axes:
        count = to_ends(count, axis)
    return count


def _mean(sizes: list[tuple[float, Floats]]) -> tuple[Floats, Mask]:
    number = np.sum([count for _, count in sizes], axis=0)
    total = np.sum([size * count for size, count in sizes], axis=0)
    return np.asarray(total / np.maximum(number, 1.0)), np.asarray(number > 0)
