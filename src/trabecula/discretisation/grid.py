"""A box of equal voxels, the discretisation that the package is made for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ldexp, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.nodes import to_elements, to_nodes
from trabecula.numerics.components import Labels, label
from trabecula.numerics.gaussian import blur
from trabecula.problem.model import Domain
from trabecula.problem.where import Lattice, Where

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """A box of equal voxels: `elements` along x, y(, z), `spacing` in metres, `thickness` (in 2-D).

    `origin` holds the co-ordinates of its lower corner in metres, empty where they are zero.

    It is a `Discretisation`; element and node arrays are `[z, y, x]` or `[y, x]`.
    """

    elements: tuple[int, ...]
    spacing: tuple[float, ...]
    thickness: float = 1.0
    origin: tuple[float, ...] = ()

    @classmethod
    def of(cls, domain: Domain) -> Grid:
        """The grid of a domain."""
        return cls(domain.elements, domain.spacing, domain.thickness, domain.origin)

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return len(self.elements)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an element array, `[z, y, x]` or `[y, x]`."""
        return self.elements[::-1]

    @property
    def node_shape(self) -> tuple[int, ...]:
        """Shape of a node array, `[z, y, x]` or `[y, x]`."""
        return tuple(n + 1 for n in self.shape)

    @property
    def label(self) -> str:
        """What it is called in stages and messages: "44x22"."""
        return "x".join(map(str, self.elements))

    @property
    def edges(self) -> tuple[float, float]:
        """The shortest and the longest edge of an element, in metres."""
        return min(self.spacing), max(self.spacing)

    @property
    def element_volume(self) -> float:
        """Volume of one voxel in cubic metres."""
        return float(np.prod(self.spacing)) * (self.thickness if self.dimension == 2 else 1.0)

    @property
    def volumes(self) -> Array | None:
        """None: all voxels have the same volume."""
        return None

    @property
    def node_share(self) -> float:
        """Volume that a full voxel gives to each of its nodes, in cubic metres."""
        return float(self.element_volume / 2**self.dimension)

    def in_units(self, length: int, thickness: int) -> Grid:
        """The same grid with lengths times `2**length`, and in 2-D its thickness times `2**thickness`."""
        return replace(
            self,
            spacing=tuple(ldexp(edge, length) for edge in self.spacing),
            origin=tuple(ldexp(place, length) for place in self.origin),
            thickness=ldexp(self.thickness, thickness) if self.dimension == 2 else self.thickness,
        )

    def select_nodes(self, where: Where) -> Mask:
        """bool over nodes: what a selector selects."""
        return where.select(Lattice(self.elements, self.spacing, nodes=True, origin=self.origin))

    def select_elements(self, where: Where) -> Mask:
        """bool over elements: those whose centres a selector selects."""
        return where.select(Lattice(self.elements, self.spacing, nodes=False, origin=self.origin))

    def to_nodes(self, values: Array) -> Array:
        """Every node's sum over the elements that touch it, by their volume in elements; a new array."""
        return to_nodes(values)

    def to_elements(self, values: Array) -> Array:
        """The transpose of `to_nodes`: every element's sum over its nodes; a new array."""
        return to_elements(values)

    def smoothing(self, kind: str, radius: float) -> None:
        """None: the room `design.filters` has them."""

    def state(self, discrete: Any) -> None:
        """None: the machines of the room `physics` have it."""

    def blur(self, field: Array, width: float) -> Array:
        """A field over elements, smoothed by a Gaussian of a width in elements; a new array."""
        return blur(field, width)

    def mirror(self, values: Array, axis: int) -> Array:
        """Element values mirrored in the middle plane across an axis (0, 1, 2 for x, y, z)."""
        return np.flip(values, self.dimension - 1 - axis)

    def label_elements(self, chosen: Mask) -> tuple[Labels, int]:
        """Pieces of the chosen elements, joined where they share a face; numbered from 1, and how many."""
        return label(chosen)

    def label_nodes(self, chosen: Mask) -> tuple[Labels, int]:
        """Patches of the chosen nodes, joined where they share an element; numbered from 1, and how many."""
        return label(chosen, diagonal=True)

    def contacts(self, elements: Labels, nodes: Labels) -> NDArray[np.int64]:
        """Pairs `[pair, (piece, patch)]` of an element's label and that of a node at one of its corners."""
        many = np.int64(nodes.max()) + 1
        found = []
        for corner in np.ndindex((2,) * elements.ndim):
            patch = nodes[tuple(slice(b, b + n) for b, n in zip(corner, elements.shape, strict=True))]
            both = (elements > 0) & (patch > 0)
            found.append(elements[both] * many + patch[both])
        pairs = np.sort(np.concatenate(found))
        return np.stack(np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], many), axis=1)

    @property
    def count(self) -> int:
        """Number of elements."""
        return prod(self.elements)
