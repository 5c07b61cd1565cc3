"""Selectors as they are seen from another origin: geometry is then done where a grid begins at zero."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Lattice,
    Mask,
    Nodes,
    Not,
    Plane,
    Points,
    Range,
    Sphere,
    Where,
)

Place = tuple[float, ...]


@dataclass(frozen=True)
class Displaced(Where):
    """A selector without co-ordinates of its own (a file, one from outside) seen from another origin.

    Attributes
    ----------
    part
        The selector.
    origin
        Where the other origin lies in the selector's co-ordinates, in metres.
    """

    part: Where
    origin: Place

    def select(self, lattice: Lattice) -> Mask:
        """As the selector does in its own co-ordinates."""
        if isinstance(lattice, Points):
            return self.part.select(replace(lattice, coordinates=lattice.coordinates + self.origin))
        there = lattice.origin or (0.0,) * len(self.origin)
        moved = tuple(a + b for a, b in zip(there, self.origin, strict=True))
        return self.part.select(replace(lattice, origin=moved))

    def inner(self) -> tuple[Where, ...]:
        """The selector."""
        return (self.part,)


def see_from(where: Where, origin: Place) -> Where:
    """A selector in co-ordinates that count from another origin.

    Parameters
    ----------
    where
        The selector.
    origin
        One number per axis, in metres; empty where it is the same.
    """
    if not origin:
        return where

    def move(place: Place) -> Place:
        return tuple(a - b for a, b in zip(place, origin, strict=False))

    match where:
        case Plane(axis, at):
            return replace(where, at=at - origin["xyz".index(axis)])
        case Range(axis, low, high):
            by = origin["xyz".index(axis)]
            return replace(where, low=low - by, high=high - by)
        case Box(low, high):
            return replace(where, min=move(low), max=move(high))
        case Sphere(center) | Cylinder(_, center):
            return replace(where, center=move(center))
        case Nodes(points):
            return replace(where, points=tuple(map(move, points)))
        case AllOf(parts) | AnyOf(parts):
            return replace(where, parts=tuple(see_from(part, origin) for part in parts))
        case Not(part):
            return replace(where, part=see_from(part, origin))
    return Displaced(where, origin)
