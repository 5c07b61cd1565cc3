"""Shaded pictures of surfaces: an orthographic view, two lamps, soft shadow in the hollows, drawn
outlines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.raster import VisibilityBuffer, rasterise
from trabecula.numerics.gaussian import blur

SUPERSAMPLING = 2
"""Rendered pixels per picture pixel, each way."""

_BACKGROUND = np.array([1.0, 1.0, 1.0], dtype=np.float32)
_FRAME = np.array([0.62, 0.65, 0.70], dtype=np.float32)
_ROSETTE = 24
_PORTION = 1 << 17


def _lamp(*direction: float) -> NDArray[np.float32]:
    return np.asarray(np.array(direction) / np.linalg.norm(direction), dtype=np.float32)


# directions to the right, up and towards the eye
_KEY = _lamp(-0.45, 0.75, 0.65)
_FILL = _lamp(0.85, 0.10, 0.45)
_UP = _lamp(0.0, 0.91, 0.41)
_HALF = _lamp(*(_KEY + np.array([0.0, 0.0, 1.0])))


@dataclass(frozen=True)
class View:
    """From where the scene is seen: degrees around the vertical from the z axis, and above the horizon."""

    azimuth: float = 32.0
    elevation: float = 24.0

    def axes(self) -> NDArray[np.float64]:
        """Unit vectors to the right, up and towards the eye, float64 `[axis, (x, y, z)]`."""
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        eye = np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])
        right = np.array([np.cos(a), 0.0, -np.sin(a)])
        return np.stack([right, np.cross(eye, right), eye])


@dataclass(frozen=True, eq=False)
class Scene:
    """What is drawn.

    Attributes
    ----------
    vertices
        float64 `[vertex, (x, y, z)]`.
    faces
        int64 `[face, corner]`, counter-clockwise seen from outside.
    colours
        float32 `[vertex, (red, green, blue)]`, 0 to 1.
    lines
        float64 `[line, end, (x, y, z)]`: thin lines, hidden by what is before them.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    colours: NDArray[np.float32]
    lines: NDArray[np.float64]


def render(scene: Scene, width: int, height: int, view: View | None = None) -> NDArray[np.uint8]:
    """Draw a scene, as large as it fits.

    Returns
    -------
    NDArray
        uint8 `[row, column, (red, green, blue)]`.
    """
    axes = (view or View()).axes()
    shape = (height * SUPERSAMPLING, width * SUPERSAMPLING)
    everything = np.concatenate([scene.vertices, scene.lines.reshape(-1, 3)])
    low, high = _extent(everything @ axes.T)
    scale = 0.96 * min(shape[1] / max(high[0] - low[0], 1e-300), shape[0] / max(high[1] - low[1], 1e-300))
    middle = (low + high) / 2

    def project(points: NDArray[np.float64]) -> NDArray[np.float64]:
        turned = (points @ axes.T - middle) * scale
        return np.asarray(turned * np.array([1.0, -1.0, -1.0]) + np.array([shape[1] / 2, shape[0] / 2, 0.0]))

    buffer = rasterise(project(scene.vertices), scene.faces, shape)
    picture = np.tile(_BACKGROUND, (shape[0] * shape[1], 1))
    depth = np.full(shape[0] * shape[1], np.inf, dtype=np.float32)
    depth[buffer.pixel] = buffer.depth
    picture[buffer.pixel] = _shade(scene, buffer, axes, depth.reshape(shape))
    _draw_lines(picture, depth, shape, project(scene.lines.reshape(-1, 3)).reshape(-1, 2, 3))
    fine = picture.reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 3)
    total = np.zeros((height, width, 3), dtype=np.float32)
    for row, column in np.ndindex(SUPERSAMPLING, SUPERSAMPLING):
        total += fine[:, row, :, column]
    total *= 255 / SUPERSAMPLING**2
    total += 0.5
    return np.clip(total, 0, 255, out=total).astype(np.uint8)


def _extent(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not len(points):
        return np.zeros(3), np.ones(3)
    return points.min(axis=0), points.max(axis=0)


def _corner_normals(scene: Scene) -> NDArray[np.float32]:
    """Unit normals for shading, float32 `[face, corner, (x, y, z)]`.

    The mean over the faces around a vertex, but apart for faces that lie flat in an axis plane (the box,
    passive voxels) where these meet the rest at an angle: edges stay edges.
    """
    a, b, c = (scene.vertices[scene.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    unit = _unit(flat)
    axis = np.abs(unit).argmax(axis=1)
    along = np.take_along_axis(unit, axis[:, None], axis=1)[:, 0]
    kind = np.where(np.abs(along) > 0.9999, 1 + 2 * axis + (along > 0), 0)
    _, cluster = np.unique(scene.faces * 7 + kind[:, None], return_inverse=True)
    apart = _sum_at(cluster.reshape(-1, 3), flat)
    together = _sum_at(scene.faces, flat)
    alike = np.einsum("fci,fci->fc", apart, together) > 0.96
    return np.where(alike[..., None], together, apart)


def _sum_at(places: NDArray[np.int64], vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Directions of the sums of the faces' vectors over equal places: float32 `[face, corner, (x, y, z)]`."""
    total = [np.bincount(places.ravel(), weights=np.repeat(vectors[:, k], 3)) for k in range(3)]
    return _unit(np.stack(total, axis=1))[places]


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float32)


def _shade(
    scene: Scene, buffer: VisibilityBuffer, axes: NDArray[np.float64], depth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Colours of the covered pixels, float32 `[pixel, (red, green, blue)]`."""
    normals = _corner_normals(scene)
    normal = np.empty((len(buffer.face), 3), dtype=np.float32)
    for part in _slices(len(normal)):
        mixed = np.einsum("pc,pci->pi", buffer.weights[part], normals[buffer.face[part]])
        normal[part] = _unit(mixed) @ axes.T.astype(np.float32)
    open_to_light = _ambient_occlusion(depth, buffer, normal)
    edge = _outline(depth).ravel()
    for part in _slices(len(normal)):
        key, fill, half, up = (np.clip(normal[part] @ lamp, 0.0, 1.0) for lamp in (_KEY, _FILL, _HALF, _UP))
        light = (0.42 + 0.08 * up + 0.46 * key + 0.24 * fill) * open_to_light[part]
        colour = np.einsum("pc,pci->pi", buffer.weights[part], scene.colours[scene.faces[buffer.face[part]]])
        shaded = colour * light[:, None] + (0.12 * half**48)[:, None]
        shaded *= (1 - 0.6 * edge[buffer.pixel[part]])[:, None]
        normal[part] = np.clip(shaded, 0, 1)
    return normal


def _slices(count: int) -> Iterator[slice]:
    """Parts small enough to stay in the caches."""
    return (slice(start, start + _PORTION) for start in range(0, count, _PORTION))


def _ambient_occlusion(
    depth: NDArray[np.float32], buffer: VisibilityBuffer, normal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Light that reaches each covered pixel, 1 in the open: less where surroundings stand above its tangent
    plane.

    Ambient occlusion from the depth picture, at half its resolution, with a fixed rosette of neighbours.
    """
    rows, columns = (n // 2 for n in buffer.shape)
    row, column = np.divmod(buffer.pixel, buffer.shape[1])
    chosen = np.flatnonzero((row % 2 == 0) & (column % 2 == 0))
    row, column = row[chosen] // 2, column[chosen] // 2
    coarse = np.where(np.isfinite(depth), depth, np.float32(1e9))[::2, ::2] / 2
    here, n = coarse[row, column], normal[chosen]
    reach = 0.035 * max(rows, columns)
    shadow = np.zeros(len(chosen), dtype=np.float32)
    for k in range(_ROSETTE):
        angle, radius = k * 2.399963, reach * ((k + 0.5) / _ROSETTE) ** 0.7
        right, down = round(radius * np.cos(angle)), round(radius * np.sin(angle))
        there = coarse[np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)]
        nearer = here - there
        square = nearer * nearer + np.float32(right * right + down * down)
        above = (n[:, 0] * right - n[:, 1] * down + n[:, 2] * nearer) / np.sqrt(np.maximum(square, 1e-6))
        shadow += np.clip(above - 0.15, 0.0, 1.0) / (1 + square / np.float32(4 * reach * reach))
    picture = np.zeros((rows, columns), dtype=np.float32)
    mask = np.zeros((rows, columns), dtype=np.float32)
    picture[row, column], mask[row, column] = shadow / _ROSETTE, 1.0
    soft = blur(picture, 1.5) / np.maximum(blur(mask, 1.5), 1e-3)
    row, column = np.divmod(buffer.pixel, buffer.shape[1])
    return np.asarray(1 - np.clip(1.6 * soft[row // 2, column // 2], 0.0, 0.75), dtype=np.float32)


def _outline(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 where the surface ends or jumps away from the eye, 0 elsewhere."""
    jump = np.zeros(depth.shape, dtype=np.float32)
    limit = 0.012 * max(depth.shape)
    solid = np.where(np.isfinite(depth), depth, np.float32(1e9))
    for axis in (0, 1):
        for side in (1, -1):
            step = np.roll(solid, side, axis=axis) - solid
            np.maximum(jump, np.clip((step - limit) / limit, 0.0, 1.0), out=jump)
    return jump


def _draw_lines(
    picture: NDArray[np.float32],
    depth: NDArray[np.float32],
    shape: tuple[int, int],
    lines: NDArray[np.float64],
) -> None:
    """Blend thin lines into a flat picture where nothing is before them."""
    for start, end in lines:
        count = 2 + int(np.abs(end - start)[:2].max())
        place = start + np.linspace(0.0, 1.0, count)[:, None] * (end - start)
        for offset in range(SUPERSAMPLING):
            column, row = (place[:, k].astype(np.int64) + (offset if k == 0 else 0) for k in (0, 1))
            within = (column >= 0) & (column < shape[1]) & (row >= 0) & (row < shape[0])
            pixel = row[within] * shape[1] + column[within]
            visible = place[within, 2] <= depth[pixel] + 1.0
            picture[pixel[visible]] = _FRAME
