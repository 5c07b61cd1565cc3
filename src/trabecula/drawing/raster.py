"""A z-buffer in NumPy: which triangle is seen at each pixel of an orthographic view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FRAGMENTS = 1 << 18
_PORTION = 1 << 18
_NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
_DEEPEST = float(0xFFFFFFF0)


@dataclass(frozen=True, eq=False)
class VisibilityBuffer:
    """The triangle that is seen at each covered pixel.

    Attributes
    ----------
    shape
        Rows and columns of the picture.
    pixel
        int32 `[covered]`: flat pixel indices, ascending.
    face
        int32 `[covered]`: the triangle nearest to the eye.
    weights
        float32 `[covered, corner]`: barycentric co-ordinates within that triangle.
    depth
        float32 `[covered]`: distance from the eye, in pixels.
    """

    shape: tuple[int, int]
    pixel: NDArray[np.int32]
    face: NDArray[np.int32]
    weights: NDArray[np.float32]
    depth: NDArray[np.float32]


def rasterise(
    points: NDArray[np.float64], faces: NDArray[np.int64], shape: tuple[int, int]
) -> VisibilityBuffer:
    """Find the nearest front-facing triangle at every pixel centre.

    Triangles are taken in groups of like size, so that each group is a few whole-array operations; the
    nearest one wins by a minimum over (depth, face) packed into one integer.

    Parameters
    ----------
    points
        float64 `[point, (column, row, depth)]`, in pixels; rows run downwards, depth away from the eye.
    faces
        int64 `[face, corner]`, counter-clockwise as seen from outside in a view with rows upwards.
    shape
        Rows and columns of the picture.
    """
    planes = _planes(points[faces])
    nearest = np.full(shape[0] * shape[1], _NOTHING, dtype=np.uint64)
    for where, which, level in _fragments(points[faces], planes, shape):
        packed = level.astype(np.uint64) << np.uint64(32)
        np.minimum.at(nearest, where, packed | which.astype(np.uint64))

    pixel = np.flatnonzero(nearest != _NOTHING).astype(np.int32)
    face = (nearest[pixel] & np.uint64(0xFFFFFFFF)).astype(np.int32)
    del nearest
    weights = np.empty((len(pixel), 3), dtype=np.float32)
    depth: NDArray[np.float32] = np.empty(len(pixel), dtype=np.float32)
    for start in range(0, len(pixel), _PORTION):
        part = slice(start, start + _PORTION)
        row, column = np.divmod(pixel[part], shape[1])
        second, third, depth[part] = _at(planes[face[part]], column + 0.5, row + 0.5)
        weights[part, 0], weights[part, 1], weights[part, 2] = 1 - second - third, second, third
    return VisibilityBuffer(shape, pixel, face, weights, depth)


def _planes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """How barycentric co-ordinates and depth grow over the picture: `[face, 3 x (constant, column, row)]`.

    Faces seen from behind or edge-on get NaN.
    """
    a = corners[:, 0]
    b, c = corners[:, 1] - a, corners[:, 2] - a
    area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    area = np.where(area < 0, area, np.nan)  # rows run downwards, which turns the sense of rotation
    planes = np.empty((len(corners), 9))
    planes[:, 1], planes[:, 2] = c[:, 1] / area, -c[:, 0] / area
    planes[:, 4], planes[:, 5] = -b[:, 1] / area, b[:, 0] / area
    for k in (0, 3):
        planes[:, k] = -planes[:, k + 1] * a[:, 0] - planes[:, k + 2] * a[:, 1]
    planes[:, 6:] = planes[:, :3] * b[:, 2:] + planes[:, 3:6] * c[:, 2:]
    planes[:, 6] += a[:, 2]
    return planes


def _at(
    planes: NDArray[np.float64], column: NDArray[np.floating], row: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Second and third barycentric co-ordinate and depth at points of the picture."""
    second, third, depth = (
        planes[..., k] + planes[..., k + 1] * column + planes[..., k + 2] * row for k in (0, 3, 6)
    )
    return second, third, depth


def _fragments(
    corners: NDArray[np.float64], planes: NDArray[np.float64], shape: tuple[int, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Everything that could be seen, in portions: pixel, face, and depth scaled to 32 bits."""
    low = np.maximum(np.ceil(corners[..., :2].min(axis=1) - 0.5), 0)
    high = np.minimum(np.floor(corners[..., :2].max(axis=1) - 0.5), np.array([shape[1], shape[0]]) - 1.0)
    extent = high - low + 1
    shown = (extent > 0).all(axis=1) & np.isfinite(planes[:, 0])
    group = np.where(shown, np.ceil(np.log2(np.maximum(extent.max(axis=1), 1))), -1).astype(np.int64)
    front = float(corners[..., 2].min(initial=0.0))
    scale = _DEEPEST / max(float(corners[..., 2].max(initial=0.0)) - front, 1e-12)
    for power in np.unique(group[shown]).tolist():
        members = np.flatnonzero(group == power)
        side = 1 << power
        step = max(1, _FRAGMENTS // (side * side))
        grid = np.arange(side) + 0.5
        for start in range(0, len(members), step):
            rows = members[start : start + step]
            column = low[rows, 0, None, None] + grid
            row = low[rows, 1, None, None] + grid[:, None]
            second, third, depth = _at(planes[rows, None, None, :], column, row)
            # a hair of overlap, so that no pixel falls between two triangles
            inside = (second >= -1e-9) & (third >= -1e-9) & (second + third <= 1 + 1e-9)
            inside &= (column < shape[1]) & (row < shape[0])
            which, y, x = np.nonzero(inside)
            corner = low[rows].astype(np.int64)[which]
            level = np.clip((depth[inside] - front) * scale, 0.0, _DEEPEST)
            yield (corner[:, 1] + y) * shape[1] + corner[:, 0] + x, rows[which], level
