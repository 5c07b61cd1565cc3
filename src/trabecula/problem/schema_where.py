"""`where` as a JSON Schema: selectors, which nest."""

from __future__ import annotations

from trabecula.problem.model import AXES
from trabecula.problem.read_where import MAX_POINTS
from trabecula.problem.schema_parts import WHERE, Schema, items, mapping, notes, number, or_null, text, words
from trabecula.problem.stl import METRES


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
            ("center", "radius"),
            "an infinite cylinder; its axis is z in the plane",
        ),
        "box": mapping({"min": point, "max": point}, ("min", "max"), "a box between two corners"),
        "stl": stl("file of closed surfaces: what is inside"),
        "nodes": items(point, 1, MAX_POINTS, "the nodes nearest to points"),
        "any": several | notes("what any of the selectors selects"),
        "all": several | notes("what all of the selectors select"),
        "not": {**WHERE, **notes("what the selector does not select")},
    }
    chosen = mapping(selectors, (), "several keys intersect") | {"minProperties": 1}
    return {"anyOf": [{"const": "everywhere", "description": "all of the domain"}, chosen]}


def stl(description: str) -> Schema:
    """An STL file: its name, or a mapping with its unit and place."""
    placed = mapping(
        {
            "stl": text("name of the file", 1000),
            "units": or_null(
                words((*METRES, "SI"), "of the numbers in it; left out, the problem's unit of length")
            ),
            "origin": or_null(
                words(("keep", "corner"), "its co-ordinates, or its box at the domain's lower corner")
            ),
        },
        ("stl",),
    )
    return {"anyOf": [text("", 1000), placed], **notes(description)}
