"""The designs of a gallery as a table: one row per design, for spreadsheets and for people."""

from __future__ import annotations

import csv
import io

from trabecula.gallery.record import Gallery, GalleryDesign, compliance_of_part
from trabecula.results.spoken_units import compliance_of

Cell = str | float | int | None


def rows_of(gallery: Gallery) -> list[dict[str, Cell]]:
    """One row per design, best first, in the problem's units; None where there is nothing to say."""
    return [_row(gallery, each) for each in gallery.designs]


def _row(gallery: Gallery, design: GalleryDesign) -> dict[str, Cell]:
    problem, part, seen = gallery.problem, design.result.part, design.description
    units = problem.unit_system
    stresses = [] if part is None else [case.stress.largest for case in part.cases if case.stress]
    return {
        "name": design.name,
        "source": design.source,
        "compliance": compliance_of(problem, compliance_of_part(design.result)),
        "above": design.above,
        "word": design.result.word,
        "nearest": design.nearest if len(gallery) > 1 else None,
        "volume": design.result.volume if part is None else part.volume,
        "mass": None if part is None else units.from_si(part.mass, "mass"),
        "stress": units.from_si(max(stresses), "stress") if stresses else None,
        "overhang": seen.overhang if part is None or part.overhang is None else part.overhang,
        "members": seen.members,
        "holes": seen.holes,
        "thickness": units.from_si(seen.thickness, "length"),
        "thinnest": units.from_si(seen.thinnest, "length"),
        "symmetry": max(seen.symmetry.values()),
        "direction": max(seen.directions, key=lambda axis: seen.directions[axis]),
    }


def to_csv(gallery: Gallery) -> str:
    """The table, parted by commas, with a line of names."""
    text = io.StringIO()
    rows = rows_of(gallery)
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_markdown(gallery: Gallery) -> str:
    """The table in Markdown, figures rounded, with what was found above it and the sources below."""
    rows = rows_of(gallery)
    head = f"# Designs of {gallery.problem.name}\n\n{gallery.message}.\n"
    sources: list[dict[str, Cell]] = [
        {"source": s.name, "drawn": s.drawn, "finished": s.refined, "in the gallery": s.kept, "work": s.work}
        for s in gallery.sources
    ]
    note = "Work is in default solves of this problem, counted in iterations times voxels."
    return "\n".join([head, *_lines(rows), "", *_lines(sources), "", note, ""])


def _lines(rows: list[dict[str, Cell]]) -> list[str]:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(_text(name, row[name]) for name in names) + " |" for row in rows]


def _text(name: str, value: Cell) -> str:
    if value is None:
        return ""
    if name in ("above", "volume", "overhang", "symmetry") and isinstance(value, float):
        return f"{100.0 * value:.2f} %"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|")
