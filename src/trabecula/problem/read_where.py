"""`where:` of a problem file to selectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from trabecula.problem.errors import ProblemError
from trabecula.problem.hints import place_hint, side_hint
from trabecula.problem.model import AXES, Domain
from trabecula.problem.stl import METRES
from trabecula.problem.validation import At, show
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
    StlUnit,
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
        mend = side_hint(at.value, *_corners(at, space)) or "write {x: 0}"
        raise at.refuse(f"a mapping with keys {', '.join(known)}, or the word everywhere", mend)
    entries = at.mapping(known)
    if not entries:
        raise at.refuse(
            f"keys {', '.join(known)}", "write `where: everywhere` if all is meant", given="is empty"
        )
    parts = tuple(
        _axis(key, entry, space) if key in AXES else _READERS[key](entry, space, depth)
        for key, entry in entries.items()
    )
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _corners(at: At, space: Space) -> tuple[list[float], list[float]]:
    """The corners of the domain in the file's units."""
    low, high = ([at.units.from_si(x, "m") for x in end] for end in (space.domain.low, space.domain.high))
    return low, high


def _axis(axis: str, at: At, space: Space) -> Where:
    low_end, high_end = (end[AXES.index(axis)] for end in _corners(at, space))
    if mend := place_hint(at.value, low_end, high_end):
        raise at.refuse(f"a number (a plane) or [from, to] in {at.units.spoken('m')}", mend)
    if not isinstance(at.value, (list, tuple)):
        return Plane(axis, at.number(what="a number (a plane) or [from, to]", unit="m"))
    low, high = at.numbers(2, "numbers [from, to]", unit="m")
    if low > high:
        ordered = ", ".join(at.units.show(place, "m") for place in (high, low))
        raise at.refuse("[from, to] with from at most to", f"write [{ordered}]")
    return Range(axis, low, high)


def _sphere(at: At, space: Space, depth: int) -> Where:
    entries = at.mapping(("center", "radius"), ("center", "radius"))
    return Sphere(
        entries["center"].numbers(len(space.axes), unit="m"), entries["radius"].number(above=0, unit="m")
    )


def _cylinder(at: At, space: Space, depth: int) -> Where:
    is_solid = len(space.axes) == 3
    entries = at.mapping(
        ("axis", "center", "radius"), ("axis", "center", "radius") if is_solid else ("center", "radius")
    )
    axis = entries["axis"].choice(AXES if is_solid else ("z",)) if "axis" in entries else "z"
    center = entries["center"]
    if is_solid and len(center.items()) == 2:  # the two axes across the bar, in their order
        across = iter(center.numbers(2, unit="m"))
        place = tuple(0.0 if letter == axis else next(across) for letter in AXES)
    else:
        place = center.numbers(len(space.axes), unit="m")
    return Cylinder(axis, place, entries["radius"].number(above=0, unit="m"))


def _box(at: At, space: Space, depth: int) -> Where:
    if isinstance(at.value, list | tuple) and len(at.value) == 2:
        mend = "write {min: " + ", max: ".join(show(end) for end in at.value) + "}"
        raise at.refuse("a mapping with keys min, max", mend)
    entries = at.mapping(("min", "max"), ("min", "max"))
    low, high = (entries[key].numbers(len(space.axes), unit="m") for key in ("min", "max"))
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise at.refuse("min at most max along every axis")
    return Box(low, high)


def _stl(at: At, space: Space, depth: int) -> Where:
    if len(space.axes) != 3:
        raise at.refuse("a 3-D domain", "give domain.size three numbers")
    return read_stl_place(at, space)


def read_stl_place(at: At, space: Space) -> Stl:
    """An STL file: its name, or a mapping of `stl` and its `units` and `origin`.

    A plain name is that of a file in the problem's unit of length; a file that states its own is believed.
    """
    own = cast(StlUnit, at.units.unit("m"))
    if not isinstance(at.value, Mapping):
        return Stl(space.file(at), own)
    keys = at.mapping(("stl", "units", "origin"), ("stl",), empty=True)
    units = keys["units"].choice((*METRES, "SI")) if "units" in keys else own
    origin = keys["origin"].choice(("keep", "corner")) if "origin" in keys else "keep"
    return Stl(
        space.file(keys["stl"]),
        cast(StlUnit, "m" if units == "SI" else units),
        cast(Literal["keep", "corner"], origin),
    )


def _nodes(at: At, space: Space, depth: int) -> Where:
    points = []
    if side_hint(at.value, *_corners(at, space)).startswith("write {nodes"):
        raise at.refuse("a list of points", f"write [{show(at.value)}]")
    for item in at.items(MAX_POINTS, "a list of points"):
        point = item.numbers(len(space.axes), "numbers (a point)", unit="m")
        domain = space.domain
        for x, low, high, h in zip(point, domain.low, domain.high, domain.spacing, strict=True):
            if not low - 0.5 * h <= x <= high + 0.5 * h:
                spans = at.units.tell_spans(domain.low, domain.high)
                raise item.refuse(f"points in the domain, which spans {spans}")
        points.append(point)
    if not points:
        raise at.refuse("at least one point", given="is empty")
    return Nodes(tuple(points))


def _several(at: At, space: Space, depth: int) -> tuple[Where, ...]:
    items = at.items(100, "a list of selectors", of_mappings=True)
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
