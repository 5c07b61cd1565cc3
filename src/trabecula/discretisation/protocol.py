"""What the rest of the package asks of a discretisation."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.components import Labels
from trabecula.problem.where import Where

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Discretisation(Protocol):
    """Elements with nodes at their corners, on which densities and displacements live.

    A density is one number per element, a displacement one vector per node. Both are arrays of any shape, the
    same one everywhere; displacements have the component in front. The loop, the certificate, quantities and
    filters know nothing else of a discretisation; the box of voxels (`Grid`) is the one that comes with the
    package, with a compiled state equation and filters of its own.

    Attributes
    ----------
    dimension
        2 or 3.
    shape, node_shape
        Of element arrays and of node arrays.
    elements
        What results say of its size: voxels along x, y(, z), or how many elements.
    label
        What it is called in stages and messages.
    count
        Number of elements.
    edges
        The shortest and the longest edge of an element, in metres.
    volumes
        float64 in the shape of elements: their volumes, the mean being 1; None where all are the same.
    element_volume
        Mean volume of an element, in cubic metres.
    node_share
        Volume that an element of mean volume gives to each of its nodes, in cubic metres.
    """

    @property
    def dimension(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def node_shape(self) -> tuple[int, ...]: ...
    @property
    def elements(self) -> tuple[int, ...]: ...
    @property
    def label(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def edges(self) -> tuple[float, float]: ...
    @property
    def volumes(self) -> Array | None: ...
    @property
    def element_volume(self) -> float: ...
    @property
    def node_share(self) -> float: ...

    def in_units(self, length: int, thickness: int) -> Self:
        """The same with lengths times `2**length`, and in 2-D its thickness times `2**thickness`."""
        ...

    def select_nodes(self, where: Where) -> Mask:
        """bool over nodes: what a selector selects."""
        ...

    def select_elements(self, where: Where) -> Mask:
        """bool over elements: those whose centres a selector selects."""
        ...

    def to_nodes(self, values: Array) -> Array:
        """Every node's sum over the elements that touch it, by their volume in elements; a new array."""
        ...

    def to_elements(self, values: Array) -> Array:
        """The transpose of `to_nodes`; a new array."""
        ...

    def blur(self, field: Array, width: float) -> Array:
        """A field over elements, smoothed over a width in elements; a new array."""
        ...

    def mirror(self, values: Array, axis: int) -> Array:
        """Element values mirrored in the middle plane across an axis (0, 1, 2 for x, y, z)."""
        ...

    def label_elements(self, chosen: Mask) -> tuple[Labels, int]:
        """Pieces of the chosen elements, joined where they share a face; numbered from 1, and how many."""
        ...

    def label_nodes(self, chosen: Mask) -> tuple[Labels, int]:
        """Patches of the chosen nodes, joined where they share an element; numbered from 1, and how many."""
        ...

    def contacts(self, elements: Labels, nodes: Labels) -> NDArray[np.int64]:
        """Pairs `[pair, (piece, patch)]` of an element's label and that of a node at one of its corners."""
        ...
