"""A page to draw on: lines, areas and letters with smooth edges, drawn by Pillow.

Places are in pixels, x to the right and y down from the upper left corner. Pillow's areas have hard edges, so
a shape is drawn several times as large into a mask of its own and put on the page through that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import pairwise
from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.drawing.font import set_line

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Floats = NDArray[np.float64]

_FINE, _COARSE = 8, 4
"""How many times as large a mask is drawn, each way: finely where it is small."""

_LARGE = 100_000
"""Pixels of the page that a finely drawn mask may cover."""

_EFFORT = 4  # 6 takes longer for a file a few per cent smaller


class Page:
    """White at first.

    Parameters
    ----------
    width, height
        In pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image

        self._image = Image.new("RGB", (width, height), "white")

    @property
    def width(self) -> int:
        """In pixels."""
        return self._image.width

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 `[row, column, (red, green, blue)]`, a copy."""
        return np.array(self._image)

    def image(self, pixels: NDArray[np.uint8], left: int, top: int) -> None:
        """Put a picture, uint8 `[row, column, (red, green, blue)]`, onto the page."""
        from PIL import Image

        self._image.paste(Image.fromarray(pixels), (left, top))

    def stroke(self, lines: Iterable[ArrayLike], width: float, colour: str) -> None:
        """Draw lines with round ends; where they cross or overlap they are one.

        Parameters
        ----------
        lines
            float `[point, (x, y)]` each: points that are joined in order.
        width
            In pixels.
        """
        paths = [np.asarray(line, dtype=np.float64) for line in lines]
        if not paths:
            return

        def draw(mask: ImageDraw, place: Callable[[Floats], Floats], scale: int) -> None:
            for path in paths:
                _draw_path(mask, place(path), width * scale)

        self._paint(np.concatenate(paths), width / 2 + 1, colour, draw)

    def polygon(self, corners: ArrayLike, colour: str) -> None:
        """Fill a polygon, corners float `[corner, (x, y)]` in order."""
        points = np.asarray(corners, dtype=np.float64)

        def draw(mask: ImageDraw, place: Callable[[Floats], Floats], scale: int) -> None:
            _fill(mask, place(points))

        self._paint(points, 1.0, colour, draw)

    def box(self, low: Sequence[float], high: Sequence[float], radius: float, colour: str) -> None:
        """Fill a rectangle with round corners, from its upper left to its lower right end."""
        ends = np.array([low, high], dtype=np.float64)

        def draw(mask: ImageDraw, place: Callable[[Floats], Floats], scale: int) -> None:
            (left, top), (right, bottom) = np.rint(place(ends) + 0.5).tolist()
            mask.rounded_rectangle((left, top, right - 1, bottom - 1), radius * scale, fill=255)

        self._paint(ends, 1.0, colour, draw)

    def ring(self, centre: Sequence[float], radius: float, width: float, colour: str) -> None:
        """Draw a circle; `radius` is that of the middle of its line."""
        middle = np.array([centre], dtype=np.float64)

        def draw(mask: ImageDraw, place: Callable[[Floats], Floats], scale: int) -> None:
            (x, y), outer, inner = place(middle)[0], *((radius + d * width / 2) * scale for d in (1, -1))
            mask.ellipse((x - outer, y - outer, x + outer, y + outer), fill=255)
            mask.ellipse((x - inner, y - inner, x + inner, y + inner), fill=0)

        self._paint(middle, radius + width + 1, colour, draw)

    def write(self, text: str, left: float, base: float, height: float, colour: str, bold: bool) -> None:
        """Write a line of text.

        Parameters
        ----------
        left, base
            Where it begins, and its base line.
        height
            Of a capital letter.
        """
        from PIL import ImageDraw

        set_line(text, height, bold).draw(ImageDraw.Draw(self._image), left, base, colour)

    def to_png(self) -> bytes:
        """The page as a PNG file, the same bytes every time."""
        from PIL.PngImagePlugin import PngInfo

        notes = PngInfo()
        notes.add_text("Software", "trabecula")
        file = BytesIO()
        self._image.save(file, "PNG", compress_level=_EFFORT, pnginfo=notes)
        return file.getvalue()

    def _paint(
        self,
        points: Floats,
        reach: float,
        colour: str,
        draw: Callable[[ImageDraw, Callable[[Floats], Floats], int], None],
    ) -> None:
        """Put a colour on the part of the page that `draw` fills, within reach of points.

        `draw` is given a mask to fill with 255, a function from places on the page to places in it, and how
        many times as large it is.
        """
        from PIL import Image, ImageDraw

        size = np.array(self._image.size)
        low = np.clip(np.floor(points.min(axis=0) - reach), 0, size).astype(np.int64)
        high = np.clip(np.ceil(points.max(axis=0) + reach), 0, size).astype(np.int64)
        width, height = (high - low).tolist()
        if not width * height:
            return
        scale = _FINE if width * height <= _LARGE else _COARSE
        mask = Image.new("L", (scale * width, scale * height), 0)
        # Pillow's coordinates are the middles of pixels
        draw(ImageDraw.Draw(mask), lambda places: (places - low) * scale - 0.5, scale)
        self._image.paste(colour, (*low.tolist(), *high.tolist()), mask.reduce(scale))


def _fill(mask: ImageDraw, corners: Floats) -> None:
    """Fill a polygon without the rim of half a pixel that Pillow gives it."""
    inner = corners + np.clip(corners.mean(axis=0) - corners, -0.5, 0.5)
    mask.polygon([(x, y) for x, y in inner.tolist()], fill=255)


def _draw_path(mask: ImageDraw, points: Floats, width: float) -> None:
    """A line with round joints and ends."""
    radius = width / 2
    for a, b in pairwise(points):
        along = (b - a) * (radius / max(hypot(*(b - a)), 1e-12))
        side = np.array([along[1], -along[0]])
        _fill(mask, np.array([a + side, b + side, b - side, a - side]))
    for x, y in points.tolist():
        mask.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def rgb(colour: str) -> NDArray[np.float32]:
    """Red, green and blue, 0 to 1, of `#rrggbb`.

    Examples
    --------
    >>> rgb("#ff0000").tolist()
    [1.0, 0.0, 0.0]
    """
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=np.float32) / np.float32(255)
