"""Pictures of a gallery: all designs on one page, and what each costs against the others as plots."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import numpy as np

from trabecula.drawing.page import Page
from trabecula.gallery.record import Gallery
from trabecula.gallery.table_of_designs import rows_of

WIDTH, CAPTION, GAP = 400, 46, 14
"""Of one picture on the page, of the words below it, and between pictures, in pixels."""

_INK, _SOFT = "#20242a", "#5b6470"

AGAINST = {
    "mass": "mass",
    "overhang": "share of undersides that nothing holds",
    "members": "members",
    "symmetry": "agreement with its mirror image",
    "stress": "largest von Mises stress",
}
"""What stiffness is plotted against: a column of the table, and what it is in words."""


def draw_grid(gallery: Gallery, pictures: Sequence[bytes]) -> bytes:
    """One PNG with the pictures of all designs, best first, each with its name and how much worse it is.

    Parameters
    ----------
    pictures
        A PNG per design.
    """
    from PIL import Image

    columns = min(4, max(1, int(np.ceil(np.sqrt(len(pictures))))))
    images = []
    for png in pictures:
        image = Image.open(io.BytesIO(png)).convert("RGB")
        images.append(image.resize((WIDTH, max(1, round(image.height * WIDTH / image.width)))))
    height = max(image.height for image in images) + CAPTION + GAP
    rows = -(-len(images) // columns)
    page = Page(columns * (WIDTH + GAP) + GAP, rows * height + GAP)
    for k, (image, design) in enumerate(zip(images, gallery.designs, strict=True)):
        left, top = GAP + (k % columns) * (WIDTH + GAP), GAP + (k // columns) * height
        page.image(np.asarray(image), left, top)
        base = top + image.height + 16
        page.write(f"{design.name}  +{100 * design.above:.2f} %", left, base, 10, _INK, True)
        page.write(design.description.words, left, base + 18, 8, _SOFT, False)
    return page.to_png()


_PLOT, _ROOM = 260.0, 46.0


def draw_pareto(gallery: Gallery) -> str:
    """Plots of how much worse each design is against mass, overhang, members, symmetry and stress, one SVG.

    Designs that no other beats in both (the Pareto front) are filled; less is better along each axis, but for
    symmetry.
    """
    rows = rows_of(gallery)
    plots: list[str] = []
    for name, words in AGAINST.items():
        known = [(row[name], row["above"], str(row["name"])) for row in rows]
        points = [
            (float(x), 100.0 * float(y), label)
            for x, y, label in known
            if isinstance(x, int | float) and isinstance(y, int | float)
        ]
        if points:
            sign = -1.0 if name == "symmetry" else 1.0
            plots.append(_plot(points, words, sign, len(plots) * (_PLOT + _ROOM)))
    width, height = len(plots) * (_PLOT + _ROOM) + 20.0, _PLOT + 70.0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="system-ui, sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(plots)}</svg>\n'
    )


def on_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """For every point, less being better in both, whether no other is at least as good in both and better in
    one.

    Examples
    --------
    >>> on_front([(0.0, 2.0), (1.0, 1.0), (1.0, 2.0)])
    [True, True, False]
    """
    return [not any(a <= x and b <= y and (a < x or b < y) for a, b in points) for x, y in points]


def _plot(points: list[tuple[float, float, str]], words: str, sign: float, left: float) -> str:
    xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
    front = on_front([(sign * x, y) for x, y, _ in points])

    def scale(value: float, low: float, high: float) -> float:
        return (value - low) / (high - low) if high > low else 0.5

    x0, y0 = left + _ROOM, 16.0
    size = _PLOT - 12.0
    parts = [
        f'<rect x="{x0:g}" y="{y0:g}" width="{size:g}" height="{size:g}" fill="none" stroke="#d5dae1"/>',
        _words(x0 + size / 2, y0 + size + 36, words, "middle"),
        _words(x0, y0 + size + 16, f"{min(xs):.4g}", "start"),
        _words(x0 + size, y0 + size + 16, f"{max(xs):.4g}", "end"),
        _words(x0 - 4, y0 + size, f"{min(ys):.2g}", "end"),
        _words(x0 - 4, y0 + 10, f"{max(ys):.2g}", "end"),
        _words(x0 + 4, y0 - 4, "worse than the best, %", "start"),
    ]
    for (x, y, label), is_front in zip(points, front, strict=True):
        cx = x0 + 8 + (size - 16) * scale(x, min(xs), max(xs))
        cy = y0 + size - 8 - (size - 16) * scale(y, min(ys), max(ys))
        fill = "#1f5fbf" if is_front else "none"
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4.5" fill="{fill}" stroke="#1f5fbf">'
            f"<title>{escape(label)}</title></circle>"
        )
    return "".join(parts)


def _words(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#20242a">{escape(text)}</text>'
