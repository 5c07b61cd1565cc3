"""`where` as a JSON Schema: selectors, which nest."""

from __future__ import annotations

from trabecula.problem.model import AXES
from trabecula.problem.read_where import MAX_POINTS
from trabecula.problem.schema_parts import WHERE, Schema, items, mapping, notes, number, text, words


def where() -> Schema:
    """A part of the domain: the word everywhere, or selectors that intersect."""
    point = items(number("", "m"), 2, 3)
    axis = {
        "anyOf": [number("a plane", "m"), items(number("", "m"), 2, 2, "[from, to]")],
        **notes("a plane, or [from, to]", "m"),
    }
    several = items(WHERE, 1, 100)
    radius = number("", "m", above=0)
    selectors = {
        **dict.fromkeys(AXES, axis),
        "sphere": mapping({"center": point, "radius": radius}, ("center", "radius"), "a ball (2-D: a disc)"),
        "cylinder": mapping(
            {"axis": words(AXES, "along which it is infinite"), "center": point, "radius": radius},
            ("axis", "center", "radius"),
            "an infinite cylinder",
        ),
        "box": mapping({"min": point, "max": point}, ("min", "max"), "a box between two corners"),
        "stl": text("file of a closed surface: what is inside", 1000),
        "nodes": items(point, 1, MAX_POINTS, "the nodes nearest to points"),
        "any": several | notes("what any of the selectors selects"),
        "all": several | notes("what all of the selectors select"),
        "not": {**WHERE, **notes("what the selector does not select")},
    }
    chosen = mapping(selectors, (), "several keys intersect") | {"minProperties": 1}
    return {"anyOf": [{"const": "everywhere", "description": "all of the domain"}, chosen]}
