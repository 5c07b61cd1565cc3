"""The true shapes of a problem's regions and of its domain, which an exported surface is cut by.

A selector of a problem file says which voxels a region has; here it becomes the shape itself: a closed mesh
whose round facets keep out of a bore and inside a boss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.holes import expand_holes
from trabecula.problem.model import AXES, Problem
from trabecula.problem.stl import read_solid
from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Everywhere,
    Lattice,
    Nodes,
    Not,
    Plane,
    Range,
    Sphere,
    Stl,
    Where,
)
from trabecula.problem.where_frame import Displaced, see_from
from trabecula.surface.boolean import intersect, subtract, unite, unite_bodies
from trabecula.surface.cut import MARGIN, Cut
from trabecula.surface.mesh import Mesh
from trabecula.surface.primitives import join_corners, make_ball, make_bar, make_box
from trabecula.surface.surface import surface

_TOUCH = 1e-6
"""Of a voxel: planes as near to a voxel's face as this lie on it."""

_STAIRS = 0.25
"""Of a voxel: by how much a staircase and its shape may differ all over, at most, to be the same thing."""


def find_cuts(problem: Problem) -> tuple[Cut, ...]:
    """The true shapes of all regions and of the domain, in the order in which they count.

    Parameters
    ----------
    problem
        On a box of voxels.

    Returns
    -------
    tuple of Cut
        Nothing where there is neither a region nor a shape. What has no shape of its own (single nodes, a
        surface that is open) is cut along its voxels.
    """
    domain = problem.domain
    frame = _Frame(domain.elements, domain.spacing, domain.thickness, domain.origin)
    cuts = [
        Cut(region.kind, frame.make(see_from(region.where, domain.origin), outside=region.kind == "void"))
        for region in expand_holes(problem).regions
    ]
    if domain.solid is not None:
        cuts.append(Cut("domain", frame.make(see_from(domain.solid, domain.origin), outside=False)))
    return tuple(cuts)


@dataclass(frozen=True)
class _Frame:
    """The box of voxels in which shapes are made, with its lower corner at zero.

    Attributes
    ----------
    elements
        Voxels along x, y(, z).
    spacing
        Edge lengths of a voxel in metres.
    thickness
        Of a plane domain in metres.
    origin
        Where that corner lies in the co-ordinates of files, in metres; empty where it is the same.
    """

    elements: tuple[int, ...]
    spacing: tuple[float, ...]
    thickness: float
    origin: tuple[float, ...] = ()

    def make(self, where: Where, outside: bool) -> Mesh:
        """The true shape of a selector, which goes beyond the box where it ends there.

        Parameters
        ----------
        where
            The selector.
        outside
            Whether round facets touch the true shape from outside.
        """
        mesh = self._shape(where, outside)
        if mesh is not None:
            return mesh
        chosen = where.select(self._centres())
        return surface(
            chosen.astype(np.float32),
            self.spacing,
            thickness=self.thickness,
            solid=chosen,
            smoothing=0,
            keep_islands=True,
        )

    def _shape(self, where: Where, outside: bool) -> Mesh | None:
        """The true shape, None where there is none."""
        match where:
            case Everywhere():
                return self._block({})
            case Plane(axis, at):
                layers = np.flatnonzero(self._centres().near(AXES.index(axis), at))
                return self._layers({AXES.index(axis): layers})
            case Range(axis, low, high):
                return self._block({AXES.index(axis): (low, high)})
            case Box(low, high):
                return self._block(dict(enumerate(zip(low, high, strict=True))))
            case Sphere(center, radius) if len(self.elements) == 3:
                return make_ball(center, self._reach(radius, outside), outside=outside)
            case Sphere(center, radius):
                return self._bar(2, center, radius, outside)
            case Cylinder(axis, center, radius):
                return self._bar(AXES.index(axis), center, radius, outside)
            case Nodes(points):
                return self._voxels(points)
            case Stl() | Displaced(Stl()):
                return self._body(where)
            case AllOf(parts) | AnyOf(parts):
                shapes = self._shapes(parts, outside)
                combine = intersect if isinstance(where, AllOf) else unite
                return None if shapes is None else combine(shapes)
            case Not(part):
                inner = self._shape(part, not outside)
                return None if inner is None else subtract(self._block({}), [inner])
        return None

    def _shapes(self, parts: Sequence[Where], outside: bool) -> list[Mesh] | None:
        shapes = [self._shape(part, outside) for part in parts]
        found = [shape for shape in shapes if shape is not None]
        return found if len(found) == len(shapes) else None

    def _bar(self, axis: int, center: Sequence[float], radius: float, outside: bool) -> Mesh:
        """A bar through the whole box; in the plane one across it is a strip."""
        if axis >= len(self.elements) or len(self.elements) == 3:
            ends = self._reach_of_box(axis)
            whole = (*center, 0.0)[:3]
            reach = self._reach(radius, outside)
            return make_bar(axis, whole, reach, ends, outside=outside, longest=min(self.spacing))
        across = 1 - axis
        return self._block({across: (center[across] - radius, center[across] + radius)})

    def _reach(self, radius: float, outside: bool) -> float:
        return radius + MARGIN * min(self.spacing) if outside else radius

    def _block(self, ranges: dict[int, tuple[float, float]]) -> Mesh:
        """A box with limits along some axes, beyond the box of voxels along the others and where it ends
        there."""
        low, high = np.array([self._reach_of_box(axis) for axis in range(3)]).T
        for axis, (first, last) in ranges.items():
            if first > _TOUCH * self.spacing[axis]:
                low[axis] = self._snap(axis, first)
            if last < (self.elements[axis] - _TOUCH) * self.spacing[axis]:
                high[axis] = self._snap(axis, last)
        if (low >= high).any():
            return Mesh(np.empty((0, 3)), np.empty((0, 3), np.int64))
        return make_box(low.tolist(), high.tolist())

    def _layers(self, chosen: dict[int, NDArray[np.intp]]) -> Mesh:
        """The box of some layers of voxels."""
        if not all(len(layers) for layers in chosen.values()):
            return Mesh(np.empty((0, 3)), np.empty((0, 3), np.int64))
        ends = {
            axis: (layers[0] * self.spacing[axis], (layers[-1] + 1) * self.spacing[axis])
            for axis, layers in chosen.items()
        }
        return self._block(ends)

    def _voxels(self, points: Sequence[Sequence[float]]) -> Mesh:
        """The voxels that touch some points."""
        centres = self._centres()
        near = [
            {axis: np.flatnonzero(centres.near(axis, at)) for axis, at in enumerate(point)}
            for point in points
        ]
        return unite([self._layers(layers) for layers in near])

    def _body(self, where: Stl | Displaced) -> Mesh | None:
        """The inside of a surface; None where it is not the one that the voxels have."""
        low = self.origin or (0.0,) * 3
        solid = where.part if isinstance(where, Displaced) else where
        assert isinstance(solid, Stl)
        body = unite_bodies(join_corners(read_solid(solid, low) - np.array(low)))
        if body is None:
            return None
        size = [n * h for n, h in zip(self.elements, self.spacing, strict=True)]
        within = intersect([body, make_box((0.0, 0.0, 0.0), size)])
        voxels = np.count_nonzero(where.select(self._centres())) * float(np.prod(self.spacing))
        # where the surface passes through itself voxels and shape may differ in what is inside
        differs = abs(within.volume() - voxels) > _STAIRS * max(self.spacing) * within.area()
        return None if differs else body

    def _snap(self, axis: int, at: float) -> float:
        """The place of a plane, that of a voxel's face where it lies on one but for rounding."""
        h = self.spacing[axis]
        nearest = round(at / h)
        return nearest * h if abs(at - nearest * h) <= _TOUCH * h else at

    def _reach_of_box(self, axis: int) -> tuple[float, float]:
        """From one voxel before the box to one behind it."""
        if axis >= len(self.elements):
            return -self.thickness, 2 * self.thickness
        h = self.spacing[axis]
        return -h, (self.elements[axis] + 1) * h

    def _centres(self) -> Lattice:
        return Lattice(self.elements, self.spacing, nodes=False)
