"""A page of pixels to draw on: matplotlib's Agg without its global state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trabecula.export.words import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 100
MARGIN = 24
"""Pixels left free around a picture."""

HEADER = 56
"""Pixels for the title line."""

CASES = ("#d1352b", "#e08a00", "#8e44ad", "#00838f", "#6d4c41", "#c2185b")
"""Colours of the load cases."""

SUPPORT = "#1f5fbf"


def new_page(width: int, height: int) -> Figure:
    """A white page of so many pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    page = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(page)
    return page


def legend(supports: bool, loads: NDArray[np.float64] | None) -> list[tuple[str, str]]:
    """What the colours of the glyphs mean: pairs of text and colour."""
    entries = [("held", SUPPORT)] if supports else []
    count = 0 if loads is None else len(loads)
    names = ["load"] if count == 1 else [f"load {k + 1}" for k in range(min(count, len(CASES)))]
    return entries + [(name, case_colour(k)) for k, name in enumerate(names)]


def write_header(
    page: Figure, title: str | None, word: str | None, entries: list[tuple[str, str]] | None = None
) -> None:
    """Put the word in its colour, the title after it, and the legend at the right on the top line."""
    if not (title or word):
        return
    width, height = page.get_size_inches() * DPI
    place = MARGIN / width
    level = 1 - 0.55 * HEADER / height
    if word is not None:
        label = page.text(
            place,
            level,
            word.upper(),
            color="white",
            weight="bold",
            size=11,
            va="center",
            bbox={"boxstyle": "round,pad=0.35", "facecolor": COLOURS[word], "edgecolor": "none"},
        )
        place += label.get_window_extent().width / width + 24 / width
    if title:
        # no mathematics in names: a dollar is a dollar
        page.text(place, level, title, size=12.5, va="center", color="#20242a", parse_math=False)
    _write_legend(page, level, entries or [])


def _write_legend(page: Figure, level: float, entries: list[tuple[str, str]]) -> None:
    width = page.get_size_inches()[0] * DPI
    place = 1 - MARGIN / width
    for name, colour in reversed(entries):
        label = page.text(place, level, f"\u25a0 {name}", size=10, va="center", ha="right", color=colour)
        place -= (label.get_window_extent().width + 14) / width


def to_png(page: Figure) -> bytes:
    """The page as a PNG file, the same bytes every time."""
    file = io.BytesIO()
    page.savefig(file, format="png", dpi=DPI, metadata={"Software": "trabecula"})
    return file.getvalue()


def case_colour(case: int) -> str:
    """Colour of a load case."""
    return CASES[case % len(CASES)]
