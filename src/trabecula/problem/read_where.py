"""`where:` of a problem file to selectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trabecula.problem.errors import ProblemError
from trabecula.problem.model import AXES, Domain
from trabecula.problem.validation import At
from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Everywhere,
    Nodes,
    Not,
    Plane,
    Range,
    Sphere,
    Stl,
    Where,
)

MAX_POINTS = 10_000
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Space:
    """What a `where` is read against: the domain, and the folder that file names count from."""

    domain: Domain
    base: Path | None

    @property
    def axes(self) -> tuple[str, ...]:
        """Letters of the axes: x, y(, z)."""
        return AXES[: self.domain.dimension]

    def file(self, at: At) -> str:
        """A file name, made absolute."""
        name = at.text(1000, "a file name")
        return name if self.base is None else str((self.base / name).absolute())


def read_where(at: At, space: Space, depth: int = 0) -> Where:
    """Read one `where`; several keys intersect.

    Raises
    ------
    ProblemError
        If it is no mapping of known keys with sensible values.
    """
    if at.value == "everywhere":
        return Everywhere()
    if depth > _MAX_DEPTH:
        raise at.refuse(f"`any`, `all` and `not` nested at most {_MAX_DEPTH} deep", given="nested too deep")
    known = (*space.axes, *_READERS)
    if isinstance(at.value, Mapping) and "z" in at.value and "z" not in known:
        raise ProblemError(
            f"{at.path}.z",
            "the domain has two axes, x and y",
            "",
            "give domain.size three numbers, or drop z",
        )
    if not isinstance(at.value, Mapping):
        raise at.refuse(f"a mapping with keys {', '.join(known)}, or the word everywhere", "write {x: 0}")
    entries = at.mapping(known)
    if not entries:
        raise at.refuse(
            f"keys {', '.join(known)}", "write `where: everywhere` if all is meant", given="is empty"
        )
    parts = tuple(
        _axis(key, entry) if key in AXES else _READERS[key](entry, space, depth)
        for key, entry in entries.items()
    )
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _axis(axis: str, at: At) -> Where:
    if not isinstance(at.value, (list, tuple)):
        return Plane(axis, at.number(what="a number (a plane) or [from, to]"))
    low, high = at.numbers(2, "numbers: [from, to]")
    if low > high:
        raise at.refuse("[from, to] with from at most to", f"write [{high:g}, {low:g}]")
    return Range(axis, low, high)


def _sphere(at: At, space: Space, depth: int) -> Where:
    entries = at.mapping(("center", "radius"), ("center", "radius"))
    return Sphere(entries["center"].numbers(len(space.axes)), entries["radius"].number(above=0))


def _cylinder(at: At, space: Space, depth: int) -> Where:
    entries = at.mapping(("axis", "center", "radius"), ("axis", "center", "radius"))
    axis = entries["axis"].choice(AXES if len(space.axes) == 3 else ("z",))
    center = entries["center"]
    if len(space.axes) == 3 and len(center.items()) == 2:  # the two axes across the bar, in their order
        across = iter(center.numbers(2))
        place = tuple(0.0 if letter == axis else next(across) for letter in AXES)
    else:
        place = center.numbers(len(space.axes))
    return Cylinder(axis, place, entries["radius"].number(above=0))


def _box(at: At, space: Space, depth: int) -> Where:
    entries = at.mapping(("min", "max"), ("min", "max"))
    low, high = entries["min"].numbers(len(space.axes)), entries["max"].numbers(len(space.axes))
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise at.refuse("min at most max along every axis")
    return Box(low, high)


def _stl(at: At, space: Space, depth: int) -> Where:
    if len(space.axes) != 3:
        raise at.refuse("a 3-D domain", "give domain.size three numbers")
    return Stl(space.file(at))


def _nodes(at: At, space: Space, depth: int) -> Where:
    points = []
    for item in at.items(MAX_POINTS, "a list of points"):
        point = item.numbers(len(space.axes), "numbers, a point")
        for axis, x, size, h in zip(space.axes, point, space.domain.size, space.domain.spacing, strict=False):
            if not -0.5 * h <= x <= size + 0.5 * h:
                raise item.refuse(f"points in the domain, which spans {axis} 0..{size:g}")
        points.append(point)
    if not points:
        raise at.refuse("at least one point", given="is empty")
    return Nodes(tuple(points))


def _several(at: At, space: Space, depth: int) -> tuple[Where, ...]:
    items = at.items(100, "a list of selectors")
    if not items:
        raise at.refuse("at least one selector", given="is empty")
    return tuple(read_where(item, space, depth + 1) for item in items)


def _any(at: At, space: Space, depth: int) -> Where:
    return AnyOf(_several(at, space, depth))


def _all(at: At, space: Space, depth: int) -> Where:
    return AllOf(_several(at, space, depth))


def _not(at: At, space: Space, depth: int) -> Where:
    return Not(read_where(at, space, depth + 1))


_READERS: dict[str, Callable[[At, Space, int], Where]] = {
    "sphere": _sphere,
    "cylinder": _cylinder,
    "box": _box,
    "stl": _stl,
    "nodes": _nodes,
    "any": _any,
    "all": _all,
    "not": _not,
}
