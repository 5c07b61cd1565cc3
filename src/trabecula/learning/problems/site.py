"""A domain to place things on: its box of cubic voxels, what is left of it, and its surface."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.model import AXES
from trabecula.problem.where import (
    AllOf,
    Box,
    Lattice,
    Mask,
    Plane,
    Range,
    Where,
)

Vector = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class Site:
    """A box of cubic voxels, its longest side one metre, with parts taken away.

    Attributes
    ----------
    elements
        Voxels along x, y(, z).
    void
        What is taken away.
    """

    elements: tuple[int, ...]
    void: tuple[Where, ...] = ()

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return len(self.elements)

    @property
    def edge(self) -> float:
        """Edge length of a voxel in metres."""
        return 1.0 / max(self.elements)

    @property
    def size(self) -> Vector:
        """Of the box, float64 `[axis]` in metres."""
        return np.array(self.elements) * self.edge

    def without(self, *void: Where) -> Site:
        """The site with more taken away."""
        return replace(self, void=(*self.void, *void))

    def lattice(self, nodes: bool) -> Lattice:
        """Its nodes or its element centres."""
        return Lattice(self.elements, (self.edge,) * self.dimension, nodes)

    @cached_property
    def material(self) -> Mask:
        """Voxels that are left, bool `[z, y, x]`."""
        centres = self.lattice(nodes=False)
        left = np.ones(centres.shape, dtype=np.bool_)
        for part in self.void:
            left &= ~part.select(centres)
        return left

    @cached_property
    def touching(self) -> NDArray[np.int64]:
        """Voxels left around every node, int `[z, y, x]` over nodes."""
        padded = np.pad(self.material.astype(np.int64), 1)
        shape = self.lattice(nodes=True).shape
        corners = product(*(((0, n), (1, n + 1)) for n in shape))
        around: NDArray[np.int64] = np.sum(
            [padded[tuple(slice(*ends) for ends in corner)] for corner in corners], axis=0
        )
        return around

    @cached_property
    def surface(self) -> Vector:
        """Nodes on the surface of what is left, float64 `[node, axis]` in metres."""
        outside = (self.touching > 0) & (self.touching < 2**self.dimension)
        return self.places(outside)

    def places(self, nodes: Mask) -> Vector:
        """Co-ordinates of nodes, bool `[z, y, x]` to float64 `[node, axis]` in metres."""
        return np.asarray(np.argwhere(nodes)[:, ::-1] * self.edge, dtype=np.float64)

    def nodes(self, where: Where) -> Vector:
        """Co-ordinates of the nodes of what is left that a selector holds, float64 `[node, axis]`."""
        return self.places(where.select(self.lattice(nodes=True)) & (self.touching > 0))

    @property
    def is_whole(self) -> bool:
        """Whether what is left is one piece, joined by faces, and a good part of the box."""
        from scipy.ndimage import label

        return self.material.mean() > 0.3 and label(self.material)[1] == 1

    def patch(self, centre: Vector, half: float | Vector) -> Where:
        """A box about a point, cut to the site."""
        low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, self.size)
        return Box(floats(low), floats(high))

    def face(self, random: Random, share: float) -> tuple[int, Where] | None:
        """A stretch of a random face of the box that touches material; None where that face has none.

        Parameters
        ----------
        share
            Of the face's length along one of its axes; 1 is the whole face.

        Returns
        -------
        tuple of int and Where
            The axis it is normal to, and its nodes.
        """
        axis = int(random.integers(self.dimension))
        plane = Plane(AXES[axis], float(random.integers(2)) * float(self.size[axis]))
        nodes = self.nodes(plane)
        if not len(nodes):
            return None
        if share >= 1.0:
            return axis, plane
        across = (axis + 1 + int(random.integers(self.dimension - 1))) % self.dimension
        half = max(0.5 * share * self.size[across], 1.1 * self.edge)
        middle = float(nodes[random.integers(len(nodes))][across])
        low, high = max(0.0, middle - half), min(float(self.size[across]), middle + half)
        return axis, AllOf((plane, Range(AXES[across], low, high)))


def floats(values: Vector) -> tuple[float, ...]:
    """As a tuple, as problems want them."""
    return tuple(float(value) for value in values)


def far(random: Random, site: Site, others: Vector, tries: int) -> Vector:
    """Of several random places on the surface the one farthest from all `others`, float64 `[axis]`."""
    chosen = site.surface[random.integers(len(site.surface), size=tries)]
    if not len(others):
        return np.asarray(chosen[0])
    apart = np.linalg.norm(chosen[:, None, :] - others[None, :, :], axis=2).min(axis=1)
    return np.asarray(chosen[int(np.argmax(apart))])
