"""Where something is: selectors, evaluated on nodes (loads, supports) or element centres (regions).

A selector knows no grid. `select` is handed a `Lattice` (the nodes or the centres of a box of voxels) and
answers with a bool array `[z, y, x]` (`[y, x]` in 2-D). Every bound is inclusive, with a tolerance far below
a voxel.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
StlUnit = Literal["m", "mm", "cm", "inch"]
"""What the numbers in an STL file can mean."""
_LETTERS = "xyz"
_TOLERANCE = 1e-6  # of a voxel edge: 0.95 must hold node 19 of a grid with spacing 0.05 whatever the rounding


@dataclass(frozen=True)
class Lattice:
    """The nodes or the element centres of a box of voxels.

    Parameters
    ----------
    elements
        Voxels along x, y(, z).
    spacing
        Edge lengths of a voxel in metres.
    nodes
        True: the corners, one more than `elements` each way; False: the centres.
    origin
        Co-ordinates of the box's lower corner in metres; empty where they are zero.
    """

    elements: tuple[int, ...]
    spacing: tuple[float, ...]
    nodes: bool
    origin: tuple[float, ...] = ()

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return len(self.elements)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a mask, `[z, y, x]` or `[y, x]`."""
        return tuple(n + self.nodes for n in reversed(self.elements))

    def along(self, axis: int) -> NDArray[np.float64]:
        """Positions along one axis in metres, float64 `[n]`."""
        first, count = (0.0, self.elements[axis] + 1) if self.nodes else (0.5, self.elements[axis])
        places = (np.arange(count) + first) * self.spacing[axis]
        return np.asarray(places + self.origin[axis] if self.origin else places, dtype=np.float64)

    def coordinate(self, axis: int) -> NDArray[np.float64]:
        """Positions along one axis, shaped to broadcast against a mask."""
        shape = [1] * self.dimension
        shape[self.dimension - 1 - axis] = -1
        return self.along(axis).reshape(shape)

    def slab(self, axis: int, chosen: Mask) -> Mask:
        """The mask of all points whose place along `axis` is chosen, bool `[n]` in, `[z, y, x]` out."""
        shape = [1] * self.dimension
        shape[self.dimension - 1 - axis] = -1
        return np.array(np.broadcast_to(chosen.reshape(shape), self.shape))

    def near(self, axis: int, at: float) -> Mask:
        """Which places along `axis` belong to a plane, bool `[n]`: its nearest node, or voxels it touches.

        Midway between two nodes it is both of them, so that what is symmetric stays so.
        """
        h = self.spacing[axis]
        place = (at - self.origin[axis] if self.origin else at) / h
        if self.nodes:
            inside = -0.5 - _TOLERANCE <= place <= self.elements[axis] + 0.5 + _TOLERANCE
            place = min(max(place, 0.0), float(self.elements[axis]))
            distance = np.abs(np.arange(self.elements[axis] + 1) - place)
            return np.asarray((distance <= distance.min() + 2 * _TOLERANCE) & inside)
        centre = np.arange(self.elements[axis]) + 0.5
        return np.asarray(np.abs(centre - place) <= 0.5 + _TOLERANCE)

    def nearest(self, point: tuple[float, ...]) -> Mask:
        """The node nearest to a place, or the voxels that touch it; nothing outside.

        Of nodes that are equally near all are chosen: 2 in the middle of an edge, 4 of a face, 8 of a voxel.
        """
        chosen = np.zeros(self.shape, dtype=np.bool_)
        chosen[self.places_nearest(point)] = True
        return chosen

    def places_nearest(self, point: tuple[float, ...]) -> tuple[NDArray[np.intp], ...]:
        """The same as an index of arrays over the lattice."""
        places = [np.flatnonzero(self.near(axis, at)) for axis, at in enumerate(point)]
        return np.ix_(*reversed(places))


@dataclass(frozen=True)
class Points(Lattice):
    """Points that lie anywhere, as the nodes or centres of an unstructured mesh.

    Parameters
    ----------
    coordinates
        float64 `[point, axis]`, in metres.
    within
        How far a point may be from a plane, or from a point that is named, to belong to it, in metres.
    """

    coordinates: NDArray[np.float64] = field(kw_only=True)
    within: float = field(kw_only=True)

    @classmethod
    def of(cls, coordinates: NDArray[np.float64], within: float) -> Points:
        """The lattice of some points; `within` as above."""
        dimension = coordinates.shape[1]
        return cls((len(coordinates),), (within,) * dimension, False, coordinates=coordinates, within=within)

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return int(self.coordinates.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a mask: one number a point."""
        return (len(self.coordinates),)

    def along(self, axis: int) -> NDArray[np.float64]:
        """Positions of all points along an axis, float64 `[point]`."""
        return np.asarray(self.coordinates[:, axis])

    def coordinate(self, axis: int) -> NDArray[np.float64]:
        """The same as `along`."""
        return self.along(axis)

    def slab(self, axis: int, chosen: Mask) -> Mask:
        """The mask itself: `along` has every point already."""
        return chosen.copy()

    def near(self, axis: int, at: float) -> Mask:
        """Which points lie on a plane."""
        return np.asarray(np.abs(self.along(axis) - at) <= self.within)

    def nearest(self, point: tuple[float, ...]) -> Mask:
        """The point nearest to a place, if it is near enough; all of those that are equally near."""
        chosen = np.zeros(self.shape, dtype=np.bool_)
        chosen[self.places_nearest(point)] = True
        return chosen

    def places_nearest(self, point: tuple[float, ...]) -> tuple[NDArray[np.intp], ...]:
        """The same as an index of arrays over the points."""
        distance = np.sqrt(((self.coordinates - np.asarray(point)) ** 2).sum(axis=1))
        best = distance.min()
        near = (distance <= best + 2 * _TOLERANCE * self.within) & (best <= self.within)
        return (np.flatnonzero(near),)


class Where(ABC):
    """A part of the domain."""

    @abstractmethod
    def select(self, lattice: Lattice) -> Mask:
        """Which points of the lattice belong to it, bool `[z, y, x]`."""

    def inner(self) -> tuple[Where, ...]:
        """The selectors it is made of, if any."""
        return ()

    def every(self) -> list[Where]:
        """Itself and all selectors inside it, at any depth."""
        return [self, *(part for one in self.inner() for part in one.every())]


@dataclass(frozen=True)
class Everywhere(Where):
    """The whole domain."""

    def select(self, lattice: Lattice) -> Mask:
        """All points."""
        return np.ones(lattice.shape, dtype=np.bool_)


@dataclass(frozen=True)
class Plane(Where):
    """`x: 0`: the layer of nodes nearest to a plane, if within half an element; the voxels that touch it.

    Midway between two layers of nodes it is both.
    """

    axis: str
    at: float

    def select(self, lattice: Lattice) -> Mask:
        """The points of one layer (of two, midway between them)."""
        axis = _LETTERS.index(self.axis)
        return lattice.slab(axis, lattice.near(axis, self.at))


@dataclass(frozen=True)
class Range(Where):
    """`x: [a, b]`: everything between two planes, both included."""

    axis: str
    low: float
    high: float

    def select(self, lattice: Lattice) -> Mask:
        """The points between the planes."""
        axis = _LETTERS.index(self.axis)
        slack = _TOLERANCE * lattice.spacing[axis]
        place = lattice.along(axis)
        return lattice.slab(axis, np.asarray((place >= self.low - slack) & (place <= self.high + slack)))


@dataclass(frozen=True)
class Sphere(Where):
    """A ball (a disc in 2-D), its surface included."""

    center: tuple[float, ...]
    radius: float

    def select(self, lattice: Lattice) -> Mask:
        """The points within the radius."""
        slack = _TOLERANCE * min(lattice.spacing)
        distance2 = sum(
            (lattice.coordinate(axis) - at) ** 2 for axis, at in enumerate(self.center[: lattice.dimension])
        )
        return np.array(np.broadcast_to(distance2 <= (self.radius + slack) ** 2, lattice.shape))


@dataclass(frozen=True)
class Cylinder(Where):
    """An endless round bar along `axis`; intersect it with a range to give it ends.

    `center` has one number an axis of the domain; the one along the bar itself is not looked at.
    """

    axis: str
    center: tuple[float, ...]
    radius: float

    def select(self, lattice: Lattice) -> Mask:
        """The points within the radius of the bar's axis."""
        slack = _TOLERANCE * min(lattice.spacing)
        across = [a for a in range(lattice.dimension) if _LETTERS[a] != self.axis]
        distance2 = sum((lattice.coordinate(a) - self.center[a]) ** 2 for a in across)
        return np.array(np.broadcast_to(distance2 <= (self.radius + slack) ** 2, lattice.shape))


@dataclass(frozen=True)
class Box(Where):
    """A box between two corners, its surface included."""

    min: tuple[float, ...]
    max: tuple[float, ...]

    def select(self, lattice: Lattice) -> Mask:
        """The points inside the box."""
        ranges = [Range(_LETTERS[a], self.min[a], self.max[a]) for a in range(lattice.dimension)]
        return AllOf(tuple(ranges)).select(lattice)


@dataclass(frozen=True)
class Stl(Where):
    """What the surfaces in an STL file bound, bodies that overlap united (3-D only).

    Attributes
    ----------
    file
        Its name.
    units
        Unit of the numbers in it: "m", "mm", "cm" or "inch". A file that states its unit itself, as those
        that trabecula writes do, is believed.
    origin
        "keep": the file's co-ordinates are the domain's; "corner": the lower corner of the file's box moves
        to that of the domain.
    """

    file: str
    units: StlUnit = "m"
    origin: Literal["keep", "corner"] = "keep"

    def select(self, lattice: Lattice) -> Mask:
        """The points inside the surfaces."""
        from trabecula.problem.point_in_mesh import inside
        from trabecula.problem.stl import read_solid

        corner = lattice.origin or (0.0,) * lattice.dimension
        triangles = read_solid(self, corner)
        return inside(triangles, tuple(lattice.along(a) for a in range(lattice.dimension)))


@dataclass(frozen=True)
class Nodes(Where):
    """The nodes nearest to given points (the voxels that hold them); points outside select nothing.

    Where several nodes are equally near, a point selects all of them.
    """

    points: tuple[tuple[float, ...], ...]

    def select(self, lattice: Lattice) -> Mask:
        """One node per point (all that are equally near), or the voxels that touch the point."""
        chosen = np.zeros(lattice.shape, dtype=np.bool_)
        for point in self.points:
            chosen[lattice.places_nearest(point)] = True
        return chosen


@dataclass(frozen=True)
class AllOf(Where):
    """What several selectors have in common."""

    parts: tuple[Where, ...]

    def inner(self) -> tuple[Where, ...]:
        """Its parts."""
        return self.parts

    def select(self, lattice: Lattice) -> Mask:
        """The intersection."""
        return reduce(np.logical_and, (part.select(lattice) for part in self.parts))


@dataclass(frozen=True)
class AnyOf(Where):
    """What at least one of several selectors holds."""

    parts: tuple[Where, ...]

    def inner(self) -> tuple[Where, ...]:
        """Its parts."""
        return self.parts

    def select(self, lattice: Lattice) -> Mask:
        """The union."""
        return reduce(np.logical_or, (part.select(lattice) for part in self.parts))


@dataclass(frozen=True)
class Not(Where):
    """Everything else."""

    part: Where

    def inner(self) -> tuple[Where, ...]:
        """What it excludes."""
        return (self.part,)

    def select(self, lattice: Lattice) -> Mask:
        """The complement."""
        return np.asarray(~self.part.select(lattice))
