"""Shaded pictures of surfaces: an orthographic view, two lamps, soft shadow in the hollows, drawn
outlines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.raster import VisibilityBuffer, rasterise
from trabecula.drawing.shading import ambient_occlusion, corner_normals, light

SUPERSAMPLING = 2
"""Samples per picture pixel, each way."""

_BACKGROUND = np.float32(1.0)
_FRAME = np.array([0.62, 0.65, 0.70], dtype=np.float32)
_PORTION = 1 << 15
_CONTRAST = 0.03
"""Mean difference of neighbouring pixels' channels from which all their samples are shaded."""


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
    lines = _find_line_samples(buffer.depth, project(scene.lines.reshape(-1, 3)).reshape(-1, 2, 3))
    picture = _paint(scene, buffer, axes, lines)
    picture *= 255
    picture += 0.5
    return np.clip(picture, 0, 255, out=picture).astype(np.uint8).reshape(height, width, 3)


def _extent(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not len(points):
        return np.zeros(3), np.ones(3)
    return points.min(axis=0), points.max(axis=0)


@dataclass(frozen=True, eq=False)
class _Surfaces:
    """What is seen where, and how it is turned and coloured there."""

    buffer: VisibilityBuffer
    normals: NDArray[np.float32]
    colours: NDArray[np.float32]

    def normal_at(self, sample: NDArray[np.int64]) -> NDArray[np.float32]:
        """Unit normals at samples that show a face: float32 `[axis, sample]`."""
        found = self.buffer.value_at(self.normals, sample)
        found /= np.maximum(np.sqrt((found * found).sum(axis=0)), np.float32(1e-20))
        return found

    def shade(self, sample: NDArray[np.int64], open_to_light: NDArray[np.float32]) -> NDArray[np.float32]:
        """Colours of samples that show a face: float32 `[sample, (red, green, blue)]`."""
        shaded = np.empty((len(sample), 3), dtype=np.float32)
        for start in range(0, len(sample), _PORTION):
            part = slice(start, start + _PORTION)
            colour = self.buffer.value_at(self.colours, sample[part])
            shaded[part] = light(self.normal_at(sample[part]), colour, open_to_light[part])
        return shaded


def _paint(
    scene: Scene, buffer: VisibilityBuffer, axes: NDArray[np.float64], lines: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Colours of the picture, float32 `[pixel, (red, green, blue)]`.

    One sample of each pixel is shaded first. The others are shaded too where they could differ: at the rim
    of the surface, at outlines and lines, and where the first samples of neighbouring pixels differ.
    """
    corners = corner_normals(scene.vertices, scene.faces) @ axes.T.astype(np.float32)
    surfaces = _Surfaces(buffer, buffer.interpolate(corners), buffer.interpolate(scene.colours[scene.faces]))
    n, (rows, columns) = SUPERSAMPLING, buffer.face.shape
    height, width = rows // n, columns // n
    picture = np.full((height * width, 3), _BACKGROUND)
    open_to_light = _find_shadows(surfaces)[:height, :width].ravel()
    pixel = np.flatnonzero(buffer.face[::n, ::n] >= 0)
    picture[pixel] = surfaces.shade(_first_sample(pixel, n, columns), open_to_light[pixel])

    edge = _outline(buffer.depth)
    is_line = np.zeros(rows * columns, dtype=np.bool_)
    is_line[lines] = True
    marked = np.concatenate([np.flatnonzero(edge), lines])
    ragged = _find_contrasts(picture.reshape(height, width, 3))
    ragged |= _is_partly_covered(buffer.face)
    ragged[marked // columns // n, marked % columns // n] = True

    pixel = np.flatnonzero(ragged)
    steps = (np.arange(n)[:, None] * columns + np.arange(n)).ravel()
    sample = (_first_sample(pixel, n, columns)[:, None] + steps).ravel()
    colours = np.full((len(sample), 3), _BACKGROUND)
    covered = np.flatnonzero(buffer.face.ravel()[sample] >= 0)
    seen = sample[covered]
    shaded = surfaces.shade(seen, np.repeat(open_to_light[pixel], n * n)[covered])
    colours[covered] = shaded * (1 - 0.6 * edge[seen])[:, None]
    colours[is_line[sample]] = _FRAME
    picture[pixel] = colours.reshape(-1, n * n, 3).mean(axis=1)
    return picture


def _find_shadows(surfaces: _Surfaces) -> NDArray[np.float32]:
    """Light that reaches each pixel, 1 in the open: float32 `[row, column]`, at least as large as it.

    Shadows are soft: they are found for every second pixel each way, and between by interpolation.
    """
    buffer, step = surfaces.buffer, 2 * SUPERSAMPLING
    pixel = np.flatnonzero(buffer.face[::step, ::step] >= 0)
    normal = surfaces.normal_at(_first_sample(pixel, step, buffer.face.shape[1]))
    coarse = ambient_occlusion(buffer.depth[::step, ::step] / np.float32(step), pixel, normal)
    return _double(_double(coarse).T).T


def _double(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Twice as many rows; those between are the means of their neighbours."""
    fine = np.repeat(values, 2, axis=0)
    fine[1:-1:2] += fine[2::2]
    fine[1:-1:2] *= 0.5
    return fine


def _first_sample(pixel: NDArray[np.int64], side: int, columns: int) -> NDArray[np.int64]:
    """Flat index, among rows of `columns` samples, of the upper left of the `side` x `side` in a pixel."""
    row, column = np.divmod(pixel, -(-columns // side))
    return np.asarray((row * columns + column) * side, dtype=np.int64)


def _find_contrasts(picture: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pixels differ from a neighbour: bool `[row, column]`."""
    bright = picture[..., 0] + picture[..., 1] + picture[..., 2]
    found = np.zeros(bright.shape, dtype=np.bool_)
    for ahead, behind in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differs = np.abs(bright[ahead] - bright[behind]) > 3 * _CONTRAST
        found[ahead] |= differs
        found[behind] |= differs
    return found


def _is_partly_covered(face: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which pixels have samples with a surface and samples without: bool `[row, column]`."""
    n = SUPERSAMPLING
    covered = face >= 0
    any_is, all_are = covered[::n, ::n].copy(), covered[::n, ::n].copy()
    for row, column in np.ndindex(n, n):
        any_is |= covered[row::n, column::n]
        all_are &= covered[row::n, column::n]
    return any_is & ~all_are


def _outline(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 where the surface ends or jumps away from the eye, 0 elsewhere: float32 `[sample]`."""
    limit = np.float32(0.012 * max(depth.shape))
    flat, edge = depth.ravel(), np.zeros(depth.size, dtype=np.float32)
    for ahead in (1, depth.shape[1]):  # there is nothing on the rim, so that a row may go on in the next
        for start in range(0, len(flat) - ahead, _PORTION):
            near = flat[start : start + _PORTION][: len(flat) - ahead - start]
            jump = flat[start + ahead :][: len(near)] - near
            place = np.flatnonzero(np.abs(jump) > limit)
            nearer = start + place + np.where(jump[place] > 0, 0, ahead)
            strength = np.minimum(np.abs(jump[place]) / limit - 1, 1)
            np.maximum.at(edge, nearer, strength)
    return edge


def _find_line_samples(depth: NDArray[np.float32], lines: NDArray[np.float64]) -> NDArray[np.int64]:
    """Flat indices of the samples on thin lines, `[line, end, (column, row, depth)]`, that nothing hides."""
    shown = [np.empty(0, dtype=np.int64)]
    rows, columns = depth.shape
    for start, end in lines:
        count = 2 + int(np.abs(end - start)[:2].max())
        place = start + np.linspace(0.0, 1.0, count)[:, None] * (end - start)
        for offset in range(SUPERSAMPLING):
            column, row = place[:, 0].astype(np.int64) + offset, place[:, 1].astype(np.int64)
            within = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            sample = row[within] * columns + column[within]
            shown.append(sample[place[within, 2] <= depth.ravel()[sample] + 1.0])
    return np.concatenate(shown)
