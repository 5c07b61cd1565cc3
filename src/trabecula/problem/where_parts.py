"""What the geometry of a selector says by itself: its parts, and where its middle truly lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Everywhere,
    Plane,
    Range,
    Sphere,
    Stl,
    Where,
)
from trabecula.problem.where_tree import where_tree

_LETTERS = "xyz"


@dataclass(frozen=True)
class Round:
    """A round selector: a bar, or a disc of the plane, and what it is intersected with.

    Attributes
    ----------
    axis
        Number of the axis along the bar; None in the plane and for a ball.
    center
        Its middle, one number per axis of the domain.
    radius
        In metres.
    others
        The selectors that it is intersected with.
    """

    axis: int | None
    center: tuple[float, ...]
    radius: float
    others: tuple[Where, ...]


def factors(where: Where) -> tuple[Where, ...]:
    """The selectors that are intersected, at any depth of `AllOf`."""
    if not isinstance(where, AllOf):
        return (where,)
    return tuple(one for part in where.parts for one in factors(part))


def alternatives(where: Where) -> list[tuple[str, Where]]:
    """What somebody named one by one: each part of every `any`.

    Returns
    -------
    For every such part its place below the selector's key (".any[1]"), and what is selected if it stands
    alone; empty where nothing is named one by one.
    """
    return [(place, alone) for place, alone in _alternatives(where) if place]


def _alternatives(where: Where) -> Iterator[tuple[str, Where]]:
    if isinstance(where, AnyOf):
        for i, part in enumerate(where.parts):
            for place, alone in _alternatives(part):
                yield f".any[{i}]{place}", alone
    elif isinstance(where, AllOf):
        is_listed = "all" in where_tree(where)
        found = False
        for i, part in enumerate(where.parts):
            for place, alone in _alternatives(part):
                if place:
                    found = True
                    parts = (*where.parts[:i], alone, *where.parts[i + 1 :])
                    yield (f".all[{i}]{place}" if is_listed else place), AllOf(parts)
        if not found:
            yield "", where
    else:
        yield "", where


def true_middle(where: Where, size: tuple[float, ...]) -> dict[int, float]:
    """Where the middle of a box-like selector lies along the axes that it bounds; arguments as `true_spans`.

    Returns
    -------
    In metres, by number of the axis.
    """
    return {axis: 0.5 * (low + high) for axis, (low, high) in true_spans(where, size).items()}


def true_spans(where: Where, size: tuple[float, ...]) -> dict[int, tuple[float, float]]:
    """From where to where a box-like selector reaches along the axes that it bounds, in metres.

    Parameters
    ----------
    where
        A selector.
    size
        Of the domain, in metres: ranges end there.

    Returns
    -------
    By number of the axis, without those of planes, which snap to nodes; empty for other shapes.
    """
    low, high = [0.0] * len(size), list(size)
    bounded: set[int] = set()
    planes: set[int] = set()
    for one in factors(where):
        if isinstance(one, Range):
            spans = [(_LETTERS.index(one.axis), one.low, one.high)]
        elif isinstance(one, Box):
            spans = [(a, one.min[a], one.max[a]) for a in range(len(size))]
        elif isinstance(one, Plane):
            planes.add(_LETTERS.index(one.axis))
            continue
        elif isinstance(one, Everywhere):
            continue
        else:
            return {}
        for axis, a, b in spans:
            bounded.add(axis)
            low[axis], high[axis] = max(low[axis], a), min(high[axis], b)
    return {axis: (low[axis], high[axis]) for axis in sorted(bounded - planes)}


def round_part(where: Where, dimension: int) -> Round | None:
    """The one round selector among those that are intersected; None where there is none or several."""
    parts = factors(where)
    rounds = [part for part in parts if isinstance(part, (Cylinder, Sphere))]
    if len(rounds) != 1:
        return None
    (one,) = rounds
    others = tuple(part for part in parts if part is not one)
    axis = _LETTERS.index(one.axis) if isinstance(one, Cylinder) and dimension == 3 else None
    return Round(axis, one.center[:dimension], one.radius, others)


def has_stl(where: Where) -> bool:
    """Whether the inside of a file is part of a selector: that is only known on grids."""
    return any(isinstance(one, Stl) for one in where.every())
