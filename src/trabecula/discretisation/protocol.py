"""What the rest of the package asks of a discretisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.components import Labels
from trabecula.problem.where import Where

if TYPE_CHECKING:
    from trabecula.discretisation.discrete import DiscreteProblem
    from trabecula.problem.model import Problem

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class OwnDomain(Protocol):
    """A domain that is no box of voxels, as a user gives it to a `Problem` in place of a `Domain`."""

    @property
    def dimension(self) -> int:
        """2 or 3."""
        ...

    @property
    def elements(self) -> tuple[int, ...]:
        """Its size, as results say it."""
        ...

    def discretise(self, problem: Problem) -> DiscreteProblem:
        """The problem on its elements: supports, loads, bounds of the density; the whole of it in SI."""
        ...


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
    spacing
        Edge lengths of an element along x, y(, z) in metres; of a typical one where they differ.
    edges
        The shortest and the longest edge of an element, in metres.
    thickness
        Of a plane problem, in metres.
    volumes
        float64 in the shape of elements: their volumes, the mean being 1; None where all are the same.
    element_volume
        Mean volume of an element, in cubic metres.
    node_share
        Volume that an element of mean volume gives to each of its nodes, in cubic metres.
    """

    @property
    def dimension(self) -> int:
        """2 or 3."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of element arrays."""
        ...

    @property
    def node_shape(self) -> tuple[int, ...]:
        """Of node arrays."""
        ...

    @property
    def elements(self) -> tuple[int, ...]:
        """Its size, as results say it."""
        ...

    @property
    def label(self) -> str:
        """What it is called."""
        ...

    @property
    def count(self) -> int:
        """Number of elements."""
        ...

    @property
    def edges(self) -> tuple[float, float]:
        """The shortest and the longest edge, in metres."""
        ...

    @property
    def spacing(self) -> tuple[float, ...]:
        """Edge lengths of a typical element, in metres."""
        ...

    @property
    def thickness(self) -> float:
        """Of a plane problem, in metres."""
        ...

    @property
    def volumes(self) -> Array | None:
        """Relative volumes; None where all are the same."""
        ...

    @property
    def element_volume(self) -> float:
        """Mean volume of an element, in cubic metres."""
        ...

    @property
    def node_share(self) -> float:
        """Volume that an element gives to each of its nodes, in cubic metres."""
        ...

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

    def smoothing(self, kind: str, radius: float) -> Any:
        """Its own smoothing for a kind of filter ("density", "sensitivity", "helmholtz") and a radius in
        metres: a `trabecula.design.filters.smoothing.Smoothing`; None where the package has one for it."""
        ...

    def state(self, discrete: Any) -> Any:
        """Its own state equation for a `DiscreteProblem`: a `trabecula.physics.WitnessState`; None where the
        package has one for it."""
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
