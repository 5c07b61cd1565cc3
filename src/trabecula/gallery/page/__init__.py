"""One HTML page about a gallery that needs no other file and no network: map, filters, comparison, viewer."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from trabecula.gallery.layout_of_designs import place_in_plane
from trabecula.gallery.record import Gallery, GalleryDesign, figure_name
from trabecula.gallery.table_of_designs import rows_of
from trabecula.problem import dump
from trabecula.problem.restate import explicit
from trabecula.surrogate.canonical import average_onto

SIDE = {2: 480, 3: 64}
"""Voxels along the longest side that the viewer is given; finer designs are averaged."""


def make_page(gallery: Gallery, pictures: Sequence[bytes]) -> str:
    """The page; every text that came from outside is escaped, and the browser is told to load nothing.

    Parameters
    ----------
    pictures
        A PNG per design.
    """
    content = {
        "name": gallery.problem.name,
        "message": gallery.message,
        "figure": figure_name(gallery.problem),
        "units": gallery.problem.units,
        "dimension": gallery.problem.domain.dimension,
        "size": list(gallery.problem.domain.size),
        "rows": rows_of(gallery),
        "designs": [
            {
                "name": design.name,
                "words": design.description.words,
                "place": place,
                "picture": base64.b64encode(picture).decode(),
                "voxels": pack_voxels(design.mask),
                "problem": problem_text(gallery, design),
            }
            for design, picture, place in zip(
                gallery.designs, pictures, lay_out(gallery).tolist(), strict=True
            )
        ],
        "sources": [source.to_json() for source in gallery.sources],
    }
    parts = {
        "TITLE": escape(gallery.problem.name or "gallery"),
        "STYLE": _read("page.css"),
        "VIEWER": _read("viewer.js"),
        "SCRIPT": _read("page.js"),
        "CONTENT": embed(content),
    }
    page = _read("page.html")
    before, *rest = page.split("{{")
    for piece in rest:  # once from left to right: nothing that is put in is looked at again
        key, after = piece.split("}}", 1)
        before += parts[key] + after
    return before


def embed(content: object) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(content, allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def lay_out(gallery: Gallery) -> NDArray[np.float64]:
    """Places of the designs on the map, `[design, (x, y)]`: by their codes, or where an auto-encoder has none
    for them by their differences."""
    codes = [design.code for design in gallery.designs]
    if any(code is None for code in codes):
        return place_in_plane(gallery.differences)
    known = np.stack([np.asarray(code, np.float64) for code in codes])
    return place_in_plane(np.linalg.norm(known[:, None] - known[None], axis=2))


def pack_voxels(mask: NDArray[np.bool_]) -> dict[str, object]:
    """Voxels for the viewer: the shape `[z, y, x]` and one bit per voxel, x fastest, highest bit first."""
    longest = max(mask.shape)
    most = SIDE[mask.ndim]
    if longest > most:
        shape = tuple(max(1, round(n * most / longest)) for n in mask.shape)
        mask = average_onto(mask.astype(np.float64), shape) >= 0.5
    return {"shape": list(mask.shape), "bits": base64.b64encode(np.packbits(mask).tobytes()).decode()}


def problem_text(gallery: Gallery, design: GalleryDesign) -> str:
    """The problem file, with how to solve on from a design in its first lines."""
    place = str(design.out or design.name).replace("\n", " ")
    head = (
        f"# Design {design.name} of a gallery. To go on from it, change what should be different below, and\n"
        "#   import numpy as np, trabecula as tb\n"
        f"#   past = np.load({place + '/density.npy'!r})\n"
        '#   tb.solve(tb.load("this-file.yaml"), also=[past]).save("out/next")\n'
    )
    return head + dump(explicit(gallery.problem))


def _read(name: str) -> str:
    return resources.files("trabecula.gallery.page").joinpath(name).read_text("utf-8")
