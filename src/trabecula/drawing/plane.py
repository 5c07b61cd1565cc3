"""Pictures of plane designs: dark where there is material, supports as triangles, loads as arrows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing import layout
from trabecula.drawing.glyphs import (
    farthest_points,
    make_arrows,
    node_points,
    place_tails,
)
from trabecula.drawing.page import Page, rgb

Floats = NDArray[np.float64]

_MOST_SUPPORTS = 24
_DARK, _FREE = "#1c2129", "#e6ebf2"
_FRAME, _SOLID = "#9aa3ae", "#00a3a3"
_HEAD = np.array([13.0, 6.5])
"""Length and half width of an arrow's head, in pixels."""


@dataclass(frozen=True)
class _Place:
    """Where the design lies on the page: pixels a metre, its left and its lower edge in pixels."""

    scale: float
    left: float
    bottom: float

    def __call__(self, points: NDArray[np.floating]) -> Floats:
        """Places in metres, `[..., (x, y)]`, as pixels."""
        return np.asarray(
            np.array([self.left, self.bottom]) + points * np.array([self.scale, -self.scale]), np.float64
        )


def draw(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    solid: NDArray[np.bool_] | None,
    void: NDArray[np.bool_] | None,
    fixed: NDArray[np.bool_] | None,
    loads: NDArray[np.float64] | None,
    title: str | None,
    word: str | None,
    width: int,
) -> bytes:
    """PNG of a plane design; see `trabecula.drawing.picture`."""
    size = (density.shape[1] * spacing[0], density.shape[0] * spacing[1])
    room = 0.11 * max(size) if fixed is not None or loads is not None else 0.015 * max(size)
    breadth, height = size[0] + 2 * room, size[1] + 2 * room
    header = layout.HEADER if title or word else 0
    inner = width - 2 * layout.MARGIN
    drawn = int(np.clip(inner * height / breadth, 0.2 * width, 1.5 * width))
    page = Page(width, drawn + 2 * layout.MARGIN + header)
    scale = min(inner / breadth, drawn / height)
    middle = header + layout.MARGIN + drawn / 2
    place = _Place(scale, (width - scale * size[0]) / 2, middle + scale * size[1] / 2)

    _draw_material(page, density, void, spacing, place)
    corners = place(np.array([(0, 0), (size[0], 0), size, (0, size[1])]))
    for side in np.stack([corners, np.roll(corners, -1, axis=0)], axis=1):
        page.stroke([side], 1.4, _FRAME)
    if solid is not None and solid.any():
        page.stroke(place(_outline(solid) * np.asarray(spacing)), 1.7, _SOLID)
    if fixed is not None:
        _draw_supports(page, fixed, spacing, size, 0.3 * room, place)
    if loads is not None:
        _draw_loads(page, loads, spacing, size, 0.8 * room, place)
    layout.write_header(page, title, word, layout.legend(fixed is not None, loads))
    return page.to_png()


def _draw_material(
    page: Page,
    density: NDArray[np.floating],
    void: NDArray[np.bool_] | None,
    spacing: Sequence[float],
    place: _Place,
) -> None:
    """White to near black; what must stay free is tinted. Each pixel shows the mean of what it covers."""
    width, height = (place.scale * h for h in spacing[:2])
    left, right = int(place.left), int(np.ceil(place.left + width * density.shape[1]))
    top, bottom = int(place.bottom - height * density.shape[0]), int(np.ceil(place.bottom))

    def tint(cells: NDArray[np.floating], colour: str) -> NDArray[np.float32]:
        rows = _means(cells[::-1], (top - place.bottom) / height + len(cells), 1 / height, bottom - top)
        means = _means(rows.T, (left - place.left) / width, 1 / width, right - left).T
        return np.multiply.outer(means.astype(np.float32), 255 * (rgb(colour) - 1))

    material = np.clip(density, 0, 1)
    shown = tint(material if void is None else material * ~void, _DARK)
    if void is not None and void.any():
        shown += tint(void.astype(np.float64), _FREE)
    shown += 255.5  # white, and what is cut off when it becomes whole
    page.image(shown.astype(np.uint8), left, top)


def _means(cells: NDArray[np.floating], start: float, step: float, count: int) -> Floats:
    """Means of `[cell, ...]` over `count` intervals of `step` cells each from `start`; zero outside."""
    edges = np.clip(start + step * np.arange(count + 1), 0, len(cells))
    whole = np.minimum(edges.astype(np.int64), len(cells) - 1)
    before = np.zeros((len(cells), *cells.shape[1:]))
    np.cumsum(cells[:-1], axis=0, out=before[1:])
    share = (edges - whole).reshape(-1, *(1,) * (cells.ndim - 1))
    return np.asarray(np.diff(before[whole] + share * cells[whole], axis=0) / step)


def _outline(solid: NDArray[np.bool_]) -> Floats:
    """Sides between solid cells and others, joined where straight: `[line, end, (x, y)]` in cells."""
    padded = np.pad(solid, 1)
    level = _find_runs(padded[1:, 1:-1] != padded[:-1, 1:-1])
    upright = _find_runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T)[..., ::-1]
    return np.concatenate([level, upright]).astype(np.float64)


def _find_runs(sides: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Runs along the rows of a mask: `[run, end, (column, row)]`."""
    change = np.diff(np.pad(sides, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, first), (_, last) = np.nonzero(change > 0), np.nonzero(change < 0)
    return np.stack([np.stack([first, row], axis=1), np.stack([last, row], axis=1)], axis=1)


def _draw_supports(
    page: Page,
    fixed: NDArray[np.bool_],
    spacing: Sequence[float],
    size: tuple[float, float],
    glyph: float,
    place: _Place,
) -> None:
    """A triangle with its tip at the node, from the side of the held component; filled where all are held."""
    held = fixed.all(axis=0)
    for component, kind in [(None, held), *((k, fixed[k] & ~held) for k in range(len(fixed)))]:
        points = node_points(kind, spacing)
        for x, y in points[farthest_points(points, _MOST_SUPPORTS, 1.1 * glyph)]:
            outward = _find_direction((x, y), size, component)
            side = np.array([-outward[1], outward[0]])
            base = np.array([x, y]) + glyph * outward
            corners = place(np.array([(x, y), base + 0.6 * glyph * side, base - 0.6 * glyph * side]))
            page.polygon(corners, layout.SUPPORT if component is None else "#ffffff")
            page.stroke([corners[[0, 1, 2, 0]]], 1.9, layout.SUPPORT)


def _find_direction(
    point: tuple[float, float], size: tuple[float, float], component: int | None
) -> NDArray[np.float64]:
    """Which way a support's triangle lies: along the held component, away from the middle of the box."""
    relative = np.array(point) / np.array(size) - 0.5
    if component is None:
        # down if it stands on the floor, else to the nearest side
        component = 1 if relative[1] < -0.499 else int(np.argmax(np.abs(relative)))
    direction = np.zeros(2)
    direction[component] = 1.0 if relative[component] > 0 else -1.0
    return direction


def _draw_loads(
    page: Page,
    loads: NDArray[np.float64],
    spacing: Sequence[float],
    size: tuple[float, float],
    length: float,
    place: _Place,
) -> None:
    """Arrows for forces; rings for heat, which has no direction."""
    drawn = make_arrows(loads, spacing)
    for tail, point, direction, case in zip(
        place_tails(drawn, size, length), drawn.point, drawn.direction, drawn.case, strict=True
    ):
        colour = layout.case_colour(int(case))
        if not direction.any():
            page.ring(place(point).tolist(), 4.9, 2.2, colour)
            continue
        begin, tip = place(tail), place(tail + length * direction)
        along = (tip - begin) / np.linalg.norm(tip - begin)
        neck, across = tip - _HEAD[0] * along, _HEAD[1] * np.array([-along[1], along[0]])
        page.stroke([[begin, neck]], 3.0, colour)
        page.polygon([tip, neck + across, neck - across], colour)
