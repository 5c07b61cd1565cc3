"""A gallery on disk: the record, the table and everything that is drawn of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from trabecula.gallery.curate import DESIGNS
from trabecula.gallery.page import make_page
from trabecula.gallery.pictures import draw_grid, draw_pareto
from trabecula.gallery.record import Gallery
from trabecula.gallery.table_of_designs import to_csv, to_markdown
from trabecula.results.result_folder import KIND as RESULT_KIND
from trabecula.storage.owned import hold

KIND = "gallery"
"""Of the folder, in its mark."""

RECORD, TABLE, MARKDOWN, GRID, PLOTS, PAGE = (
    "gallery.json",
    "gallery.csv",
    "gallery.md",
    "gallery.png",
    "pareto.svg",
    "gallery.html",
)
FILES = (TABLE, MARKDOWN, GRID, PLOTS, PAGE, RECORD)
"""What is written beside the result folders, the record last."""


def save_gallery(found: Gallery, folder: Path) -> Gallery:
    """Write all files of a gallery whose results are saved, and remove those that are no part of it.

    Returns
    -------
    Gallery
        The same, whose designs say where they are.
    """
    names = {each.name for each in found.designs}
    for place in sorted((folder / DESIGNS).iterdir()):
        if place.is_dir() and place.name not in names:
            with hold(place, RESULT_KIND) as held:
                held.retire()
    placed = replace(
        found, designs=tuple(replace(each, out=folder / DESIGNS / each.name) for each in found.designs)
    )
    pictures = [each.result.plot() for each in placed.designs]
    with hold(folder, KIND) as held:
        held.check(FILES)
        with held.batch():
            held.write_bytes(GRID, draw_grid(placed, pictures))
            held.write_text(PLOTS, draw_pareto(placed))
            held.write_text(PAGE, make_page(placed, pictures))
            held.write_text(TABLE, to_csv(placed))
            held.write_text(MARKDOWN, to_markdown(placed))
            held.write_text(RECORD, json.dumps(placed.to_json(), indent=2, allow_nan=False) + "\n")
    return placed
