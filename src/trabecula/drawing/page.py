"""A page of pixels to draw on: lines, areas and letters with smooth edges.

Places are in pixels, x to the right and y down from the upper left corner. A pixel is covered by what its
centre lies in, or lies half a pixel before: the clipped signed distance, which is exact along straight edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.drawing import png
from trabecula.drawing.lettering import (
    CAPITAL,
    GAP,
    glyph,
    letters,
)

PEN, BOLD = 0.95, 1.35
"""Width of the pen, a capital being seven units high."""

Floats = NDArray[np.float64]
Window = tuple[slice, slice]


class Page:
    """White at first.

    Attributes
    ----------
    pixels
        float32 `[row, column, (red, green, blue)]`, 0 to 1.

    Parameters
    ----------
    width, height
        In pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.pixels: NDArray[np.float32] = np.ones((height, width, 3), dtype=np.float32)

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    def image(self, pixels: NDArray[np.floating], left: int, top: int) -> None:
        """Put a picture `[row, column, (red, green, blue)]`, 0 to 1, onto the page; it must lie on it."""
        rows, columns, _ = pixels.shape
        self.pixels[top : top + rows, left : left + columns] = pixels

    def stroke(self, parts: Iterable[ArrayLike], width: float, colour: str) -> None:
        """Draw lines with round ends.

        Parameters
        ----------
        parts
            Float `[line, end, (x, y)]` each: lines near each other, worked on at once.
        """
        groups = [np.asarray(part, dtype=np.float64).reshape(-1, 2, 2) for part in parts]
        groups = [group for group in groups if len(group)]
        if not groups:
            return
        reach = width / 2 + 1
        whole = self._window(np.concatenate(groups).reshape(-1, 2), reach)
        cover = np.zeros(self.pixels[whole].shape[:2])
        for group in groups:
            window = self._window(group.reshape(-1, 2), reach)
            near = np.clip(width / 2 + 0.5 - _distance(group, *_centres(window)), 0, 1)
            part = cover[tuple(_within(w, outer) for w, outer in zip(window, whole, strict=True))]
            np.maximum(part, near, out=part)
        self._blend(whole, cover, colour)

    def polygon(self, corners: ArrayLike, colour: str) -> None:
        """Fill a convex polygon, corners float `[corner, (x, y)]` in order."""
        points = np.asarray(corners, dtype=np.float64)
        following = np.roll(points, -1, axis=0)
        turn = np.sign(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]))
        window = self._window(points, 1.0)
        x, y = _centres(window)
        along = (following - points) / np.linalg.norm(following - points, axis=1, keepdims=True)
        outside = [turn * ((y - b) * -u + (x - a) * v) for (a, b), (u, v) in zip(points, along, strict=True)]
        self._blend(window, np.clip(0.5 - np.max(outside, axis=0), 0, 1), colour)

    def box(self, low: Sequence[float], high: Sequence[float], radius: float, colour: str) -> None:
        """Fill a rectangle with round corners, from its upper left to its lower right end."""
        ends = np.array([low, high], dtype=np.float64)
        window = self._window(ends, 1.0)
        middle, half = ends.mean(axis=0), (ends[1] - ends[0]) / 2 - radius
        over = [np.abs(at - m) - h for at, m, h in zip(_centres(window), middle, half, strict=True)]
        outside = np.hypot(*(np.maximum(o, 0.0) for o in over)) + np.minimum(np.maximum(*over), 0.0)
        self._blend(window, np.clip(radius + 0.5 - outside, 0, 1), colour)

    def ring(self, centre: Sequence[float], radius: float, width: float, colour: str) -> None:
        """Draw a circle."""
        window = self._window(np.array([centre], dtype=np.float64), radius + width + 1)
        x, y = _centres(window)
        off = np.abs(np.hypot(x - centre[0], y - centre[1]) - radius)
        self._blend(window, np.clip(width / 2 + 0.5 - off, 0, 1), colour)

    def write(self, text: str, left: float, base: float, height: float, colour: str, bold: bool) -> None:
        """Write a line of text.

        Parameters
        ----------
        left, base
            Where it begins, and its base line.
        height
            Of a capital letter.
        """
        unit = height / CAPITAL
        thick = BOLD if bold else PEN
        pen = thick * unit
        # upright and level strokes fill whole pixels
        sharp = (pen / 2) % 1.0
        at, level, drawn, dots = left, round(base) - sharp, [], []
        for letter, marks in letters(text):
            strokes, wide = glyph(letter, marks)
            origin = np.array([round(at) + sharp, level])
            placed = [origin + stroke * np.array([unit, -unit]) for stroke in strokes]
            lines = [np.stack([p[:-1], p[1:]], axis=1) for p in placed if len(p) > 1]
            if lines:
                drawn.append(np.concatenate(lines))
            dots += [np.concatenate([p, p])[None] for p in placed if len(p) == 1]
            at += unit * (wide + GAP + thick - PEN)
        self.stroke(drawn, pen, colour)
        self.stroke(dots, 1.3 * pen, colour)

    def to_png(self) -> bytes:
        """The page as a PNG file, the same bytes every time."""
        scaled = np.clip(self.pixels, 0, 1)
        scaled *= 255
        scaled += 0.5
        return png.encode(scaled.astype(np.uint8))

    def _window(self, points: Floats, reach: float) -> Window:
        """The part of the page that lies within reach of points."""
        low, high = np.floor(points.min(axis=0) - reach), np.ceil(points.max(axis=0) + reach)
        height, width = self.pixels.shape[:2]
        (left, top), (right, bottom) = (np.clip(end, 0, (width, height)).astype(int) for end in (low, high))
        return slice(int(top), int(bottom)), slice(int(left), int(right))

    def _blend(self, window: Window, cover: Floats, colour: str) -> None:
        part = self.pixels[window]
        part += cover.astype(np.float32)[..., None] * (rgb(colour) - part)


def text_width(text: str, height: float, bold: bool = False) -> float:
    """How wide a line of text is, in the unit of a capital's height."""
    gap = GAP + (BOLD - PEN if bold else 0.0)
    return height / CAPITAL * (sum(glyph(*letter)[1] + gap for letter in letters(text)) - gap)


def rgb(colour: str) -> NDArray[np.float32]:
    """Red, green and blue, 0 to 1, of `#rrggbb`.

    Examples
    --------
    >>> rgb("#ff0000").tolist()
    [1.0, 0.0, 0.0]
    """
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=np.float32) / np.float32(255)


def _centres(window: Window) -> tuple[Floats, Floats]:
    """x `[1, column]` and y `[row, 1]` of the pixels' centres."""
    rows, columns = window
    return (
        np.arange(columns.start, columns.stop, dtype=np.float64)[None, :] + 0.5,
        np.arange(rows.start, rows.stop, dtype=np.float64)[:, None] + 0.5,
    )


def _within(window: slice, outer: slice) -> slice:
    return slice(window.start - outer.start, window.stop - outer.start)


def _distance(lines: Floats, x: Floats, y: Floats) -> Floats:
    """From pixels to the nearest of lines `[line, end, (x, y)]`: float64 `[row, column]`."""
    (ax, ay), (bx, by) = (lines[:, k].T[..., None, None] for k in (0, 1))
    dx, dy = bx - ax, by - ay
    share = ((x - ax) * dx + (y - ay) * dy) / np.maximum(dx * dx + dy * dy, 1e-12)
    np.clip(share, 0, 1, out=share)
    return np.asarray(np.sqrt(((x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2).min(axis=0)))
