"""What plane and solid pictures share: margins, colours, and the title line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.font import set_line, shorten
from trabecula.drawing.page import Page
from trabecula.drawing.verdicts import COLOURS

MARGIN = 24
"""Pixels left free around a picture."""

HEADER = 56
"""Pixels for the title line."""

CASES = ("#d1352b", "#e08a00", "#8e44ad", "#00838f", "#6d4c41", "#c2185b")
"""Colours of the load cases."""

SUPPORT = "#1f5fbf"

_TEXT = "#20242a"
_MIDDLE = 31.0
"""Pixels from the top of the page to the middle of its first line."""


def legend(supports: bool, loads: NDArray[np.float64] | None) -> list[tuple[str, str]]:
    """What the colours of the glyphs mean: pairs of text and colour."""
    entries = [("held", SUPPORT)] if supports else []
    count = 0 if loads is None else len(loads)
    names = ["load"] if count == 1 else [f"load {k + 1}" for k in range(min(count, len(CASES)))]
    return entries + [(name, case_colour(k)) for k, name in enumerate(names)]


def write_header(
    page: Page, title: str | None, word: str | None, entries: list[tuple[str, str]] | None = None
) -> None:
    """Put the word in its colour, the title after it, and the legend at the right on the top line."""
    if not (title or word):
        return
    left, height = float(MARGIN), 11.0
    if word is not None:
        end = left + set_line(word.upper(), height, bold=True).width + 14
        page.box((left - 6, _MIDDLE - 13), (end - 6, _MIDDLE + 13), 5.0, COLOURS[word])
        page.write(word.upper(), left + 1, _MIDDLE + height / 2, height, "#ffffff", bold=True)
        left = end + 10
    right = _write_legend(page, entries or [])
    if title:
        height = 12.6
        shown = shorten(title, height, right - left)
        page.write(shown, left, _MIDDLE + height / 2, height, _TEXT, bold=False)


def _write_legend(page: Page, entries: list[tuple[str, str]]) -> float:
    """Write from the right edge to the left; returns where the line is still free up to."""
    height, right = 10.0, page.width - float(MARGIN)
    for name, colour in reversed(entries):
        left = right - set_line(name, height).width
        page.write(name, left, _MIDDLE + height / 2, height, colour, bold=False)
        page.box((left - 16, _MIDDLE - 5), (left - 6, _MIDDLE + 5), 1.0, colour)
        right = left - 32
    return right


def case_colour(case: int) -> str:
    """Colour of a load case."""
    return CASES[case % len(CASES)]
