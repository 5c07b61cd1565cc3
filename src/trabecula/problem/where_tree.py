"""Selectors to the `where:` of a problem file; `read_where` is the inverse."""

from __future__ import annotations

from typing import Any

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


def where_tree(where: Where) -> Any:
    """The tree of a `where`."""
    if isinstance(where, AllOf):
        inner = [where_tree(part) for part in where.parts]
        keys = [key for tree in inner if isinstance(tree, dict) for key in tree]
        single = all(not isinstance(part, (AllOf, Everywhere)) for part in where.parts)
        if single and len(inner) > 1 and len(set(keys)) == len(inner):
            return {key: tree[key] for tree in inner for key in tree}
        return {"all": inner}
    if isinstance(where, Everywhere):
        return "everywhere"
    if isinstance(where, Plane):
        return {where.axis: where.at}
    if isinstance(where, Range):
        return {where.axis: [where.low, where.high]}
    if isinstance(where, Sphere):
        return {"sphere": {"center": list(where.center), "radius": where.radius}}
    if isinstance(where, Cylinder):
        return {"cylinder": {"axis": where.axis, "center": list(where.center), "radius": where.radius}}
    if isinstance(where, Box):
        return {"box": {"min": list(where.min), "max": list(where.max)}}
    if isinstance(where, Stl):
        return {"stl": where.file}
    if isinstance(where, Nodes):
        return {"nodes": [list(point) for point in where.points]}
    if isinstance(where, AnyOf):
        return {"any": [where_tree(part) for part in where.parts]}
    if isinstance(where, Not):
        return {"not": where_tree(where.part)}
    raise TypeError(f"no file form for {type(where).__name__}")
