"""Pictures of solid designs: the smooth surface, shaded, in the frame of its domain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing import layout
from trabecula.drawing.distance import distance
from trabecula.drawing.glyphs import make_arrows, place_tails
from trabecula.drawing.page import Page, rgb
from trabecula.drawing.render import Scene, View, render
from trabecula.surface.mesh import Mesh
from trabecula.surface.surface import surface

MOST_CELLS = 1_500_000
"""Cells that are drawn as they are; more are made coarser first."""

_MATERIAL = np.array([0.78, 0.81, 0.86], dtype=np.float32)
_SUPPORT = np.array([0.33, 0.55, 0.90], dtype=np.float32)


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
    mesh: Mesh | None = None,
) -> bytes:
    """PNG of a solid design; see `trabecula.drawing.picture`."""
    size = np.array(density.shape[::-1]) * np.asarray(spacing, dtype=np.float64)
    scene = _scene(density, spacing, size, solid, void, fixed, loads, mesh)
    view = View()
    header = layout.HEADER if title or word else 0
    inner = width - 2 * layout.MARGIN
    flat = np.concatenate([scene.vertices, scene.lines.reshape(-1, 3)]) @ view.axes()[:2].T
    breadth, height = flat.max(axis=0) - flat.min(axis=0)
    drawn = int(np.clip(inner * height / breadth, 0.3 * width, 1.2 * width))
    pixels = render(scene, inner, drawn, view)
    page = Page(width, drawn + 2 * layout.MARGIN + header)
    page.image(pixels, layout.MARGIN, header + layout.MARGIN)
    layout.write_header(page, title, word, layout.legend(fixed is not None, loads))
    return page.to_png()


def _scene(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    size: NDArray[np.float64],
    solid: NDArray[np.bool_] | None,
    void: NDArray[np.bool_] | None,
    fixed: NDArray[np.bool_] | None,
    loads: NDArray[np.float64] | None,
    mesh: Mesh | None,
) -> Scene:
    step = int(np.ceil((density.size / MOST_CELLS) ** (1 / 3) - 1e-9)) if mesh is None else 1
    coarse = [h * step for h in spacing]
    if mesh is None:
        mesh = surface(
            _coarsen(density, step),
            coarse,
            solid=None if solid is None else _coarsen(solid, step) > 0.5,
            void=None if void is None else _coarsen(void, step) > 0.5,
        )
    vertices = np.minimum(mesh.vertices, size)
    colours = np.tile(_MATERIAL, (len(vertices), 1))
    diagonal = float(np.linalg.norm(size))
    if fixed is not None and fixed.any() and len(vertices):
        reach = max(0.8 * max(coarse), 0.02 * diagonal)
        off = distance(np.asarray(fixed.any(axis=0)), spacing, vertices, 2 * reach)
        share = np.clip(2 - off / reach, 0, 1).astype(np.float32)[:, None]
        colours = colours * (1 - share) + _SUPPORT * share
    faces = mesh.faces
    if loads is not None:
        vertices, faces, colours = _add_arrows(
            vertices, faces, colours, loads, spacing, size, 0.11 * diagonal
        )
    return Scene(vertices, faces, colours, _frame_edges(size))


def _coarsen(cells: NDArray[np.floating] | NDArray[np.bool_], step: int) -> NDArray[np.float32]:
    """Means over cubes of `step` cells each way."""
    if step <= 1:
        return cells.astype(np.float32)
    padded = np.pad(cells, [(0, -n % step) for n in cells.shape], mode="edge")
    z, y, x = (n // step for n in padded.shape)
    blocks = padded.reshape(z, step, y, step, x, step)
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _frame_edges(size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of the box, without the three before the design: float64 `[line, end, (x, y, z)]`."""
    corners = [np.array(corner) for corner in product((0.0, 1.0), repeat=3)]
    edges = [
        (a * size, b * size)
        for a, b in combinations(corners, 2)
        if np.abs(a - b).sum() == 1 and not (a.all() or b.all())
    ]
    return np.array(edges)


def _add_arrows(
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    colours: NDArray[np.float32],
    loads: NDArray[np.float64],
    spacing: Sequence[float],
    size: NDArray[np.float64],
    length: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float32]]:
    drawn = make_arrows(loads, spacing)
    for tail, direction, case in zip(
        place_tails(drawn, size.tolist(), length), drawn.direction, drawn.case, strict=True
    ):
        if not direction.any():
            continue
        points, triangles = _arrow(tail, direction, length)
        colour = rgb(layout.case_colour(int(case)))
        faces = np.concatenate([faces, triangles + len(vertices)])
        vertices = np.concatenate([vertices, points])
        colours = np.concatenate([colours, np.tile(colour, (len(points), 1))])
    return vertices, faces, colours


def _arrow(
    tail: NDArray[np.float64], direction: NDArray[np.float64], length: float, sides: int = 20
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A round arrow from `tail`: rings of points along its axis, joined, ending in the tip."""
    across = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    across /= np.linalg.norm(across)
    third = np.cross(direction, across)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    circle = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * third
    profile = ((0.0, 0.0), (0.0, 0.028), (0.64, 0.028), (0.64, 0.085), (1.0, 0.0))
    points = np.concatenate(
        [tail + length * (along * direction + radius * circle) for along, radius in profile]
    )
    k = np.arange(sides)
    following = (k + 1) % sides
    rings = [
        np.concatenate(
            [
                np.stack(
                    [k + ring * sides, following + ring * sides, following + (ring + 1) * sides], axis=1
                ),
                np.stack([k + ring * sides, following + (ring + 1) * sides, k + (ring + 1) * sides], axis=1),
            ]
        )
        for ring in range(len(profile) - 1)
    ]
    return points, np.concatenate(rings)
