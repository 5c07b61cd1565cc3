"""Selectors to the `where:` of a problem file; `read_where` is the inverse."""

from __future__ import annotations

from typing import Any, cast

from trabecula.problem.unit_system import SI, UnitSystem
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


def where_tree(where: Where, units: UnitSystem = SI) -> Any:
    """The tree of a `where`, its lengths in some units."""

    def length(value: float) -> float:
        return units.from_si(value, "m")

    def place(values: tuple[float, ...]) -> list[float]:
        return [length(value) for value in values]

    if isinstance(where, AllOf):
        inner = [where_tree(part, units) for part in where.parts]
        keys = [key for tree in inner if isinstance(tree, dict) for key in tree]
        single = all(not isinstance(part, (AllOf, Everywhere)) for part in where.parts)
        if single and len(inner) > 1 and len(set(keys)) == len(inner):
            return {key: tree[key] for tree in inner for key in tree}
        return {"all": inner}
    if isinstance(where, Everywhere):
        return "everywhere"
    if isinstance(where, Plane):
        return {where.axis: length(where.at)}
    if isinstance(where, Range):
        return {where.axis: [length(where.low), length(where.high)]}
    if isinstance(where, Sphere):
        return {"sphere": {"center": place(where.center), "radius": length(where.radius)}}
    if isinstance(where, Cylinder):
        center, radius = place(where.center), length(where.radius)
        return {"cylinder": {"axis": where.axis, "center": center, "radius": radius}}
    if isinstance(where, Box):
        return {"box": {"min": place(where.min), "max": place(where.max)}}
    if isinstance(where, Stl):
        return {"stl": stl_tree(where, units)}
    if isinstance(where, Nodes):
        return {"nodes": [place(point) for point in where.points]}
    if isinstance(where, AnyOf):
        return {"any": [where_tree(part, units) for part in where.parts]}
    if isinstance(where, Not):
        return {"not": where_tree(where.part, units)}
    raise TypeError(f"no file form for {type(where).__name__}")


def stl_tree(stl: Stl, units: UnitSystem = SI) -> Any:
    """The tree of an STL file: its name, with its unit and place where they are not the usual ones."""
    if stl == Stl(stl.file, cast(StlUnit, units.unit("m"))):
        return stl.file
    return {"stl": stl.file, "units": stl.units, "origin": stl.origin}
