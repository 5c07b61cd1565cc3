"""How thick the members of a part are, how wide its gaps, and how much of it overhangs when it is printed.

Members and gaps are measured by inscribed balls (`trabecula.numerics.member_size`). What is cut by the end of
the domain is as thick as it is inside, for that is what is made; only at a plane of symmetry, where the
problem is one half of a part, the other half counts too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.member_size import measure_gap, measure_members
from trabecula.part.overhang import measure_overhang

Mask = NDArray[np.bool_]
Plane = tuple[int, bool]
"""A side of the domain: the axis across it (0, 1, 2 for x, y, z), and whether it is the upper one."""


@dataclass(frozen=True)
class ShapeFigures:
    """What is measured of the shape of a part; lengths in metres, None where there is nothing to measure.

    Attributes
    ----------
    minimum_member, maximum_member
        Thickness of the thinnest member, and diameter of the largest ball within the part.
    minimum_gap
        Width of the narrowest gap between material.
    overhang
        Share of the area facing down that is flatter than 45 degrees and is not on the build plate.
    resolution
        Longest edge of a voxel: no length is known better.
    """

    minimum_member: float | None = None
    maximum_member: float | None = None
    minimum_gap: float | None = None
    overhang: float | None = None
    resolution: float | None = None


def measure_shape(discrete: DiscreteProblem, mask: Mask, spacing: tuple[float, ...]) -> ShapeFigures:
    """Measure a part.

    Parameters
    ----------
    discrete
        The problem on its box of voxels, in any units.
    mask
        bool `[z, y, x]` or `[y, x]`: the voxels of the part.
    spacing
        Edges of a voxel along x, y(, z) in metres.
    """
    whole = unfold(mask, symmetry_planes(discrete))
    edges = spacing[::-1]
    members = measure_members(whole, edges)
    thinnest, thickest = (None, None) if members is None else members
    return ShapeFigures(
        thinnest, thickest, measure_gap(whole, edges), measure_overhang(whole, edges), max(spacing)
    )


def symmetry_planes(discrete: DiscreteProblem) -> list[Plane]:
    """The sides of the domain that are planes of symmetry: every node of material there is held across the
    plane, and not every one along it.

    That is how half of a symmetric part is modelled. Heat crosses no free side either, so that a plane of
    symmetry cannot be told from an end there.
    """
    dimension = discrete.grid.dimension
    if not discrete.physics.is_vector or len(discrete.fixed) != dimension:
        return []
    material = np.asarray(discrete.grid.to_nodes((~discrete.void).astype(np.float64)) > 0.0)
    found = []
    for axis in range(dimension):
        for is_upper in (False, True):
            side = -1 if is_upper else 0
            nodes = material.take(side, dimension - 1 - axis)
            held = [each.take(side, dimension - 1 - axis)[nodes].all() for each in discrete.fixed]
            if nodes.any() and held[axis] and sum(held) == 1:
                found.append((axis, is_upper))
    return found


def unfold(mask: Mask, planes: list[Plane]) -> Mask:
    """A mask with its mirror image beyond every one of some sides."""
    whole = mask
    for axis, is_upper in planes:
        along = mask.ndim - 1 - axis
        image = np.flip(mask if mask.shape == whole.shape else whole, along)
        whole = np.concatenate([whole, image] if is_upper else [image, whole], axis=along)
    return whole
