"""A z-buffer in NumPy: which triangle is seen at each pixel of an orthographic view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FRAGMENTS = 1 << 17
"""Pixels of triangles that are looked at together: few enough to stay in the caches."""

_BAND = 64
"""Rows of the picture that are drawn together, for the same reason."""

_NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
_DEEPEST = float(0xFFFFFFF0)
_HAIR = 1e-7
"""Of a pixel: by so much triangles overlap, so that no pixel falls between two."""

FARTHEST = np.float32(1e9)
"""Depth where there is nothing."""


@dataclass(frozen=True, eq=False)
class VisibilityBuffer:
    """The triangle that is seen at each pixel.

    Attributes
    ----------
    face
        int32 `[row, column]`: the triangle nearest to the eye; -1 where there is none.
    depth
        float32 `[row, column]`: distance from the eye, in pixels; `FARTHEST` where there is nothing.
    planes
        float64 `[face, 3 x (constant, column, row)]`: how the second and third barycentric co-ordinate and
        the depth of each triangle grow over the picture; NaN for faces seen from behind or edge-on.
    origin
        float32 `[(column, row), face]`: the first corner of each triangle.
    """

    face: NDArray[np.int32]
    depth: NDArray[np.float32]
    planes: NDArray[np.float64]
    origin: NDArray[np.float32]

    def interpolate(self, corners: NDArray[np.floating]) -> NDArray[np.float32]:
        """How values at the corners of the triangles grow over the picture.

        Parameters
        ----------
        corners
            `[face, corner, component]`.

        Returns
        -------
        NDArray
            float32 `[component, (at the first corner, per column, per row), face]`; see `value_at`.
        """
        first, second, third = (corners[:, k].T for k in range(3))
        p = self.planes
        grown = np.empty((corners.shape[2], 3, len(corners)), dtype=np.float32)
        grown[:, 0] = first
        for k in (1, 2):
            grown[:, k] = (second - first) * p[:, k] + (third - first) * p[:, 3 + k]
        return grown

    def value_at(self, grown: NDArray[np.float32], pixel: NDArray[np.int64]) -> NDArray[np.float32]:
        """Values at the middles of pixels: float32 `[component, pixel]`.

        Parameters
        ----------
        grown
            What `interpolate` returns.
        pixel
            Flat indices of pixels that show a face.
        """
        row, column = np.divmod(pixel.astype(np.int32), np.int32(self.face.shape[1]))
        face = self.face.ravel()[pixel].astype(np.int64)
        right = (column + np.float32(0.5)) - self.origin[0][face]
        down = (row + np.float32(0.5)) - self.origin[1][face]
        found = np.empty((len(grown), len(pixel)), dtype=np.float32)
        for k, (first, across, along) in enumerate(grown):
            found[k] = first[face] + across[face] * right + along[face] * down
        return found


def rasterise(
    points: NDArray[np.float64], faces: NDArray[np.int64], shape: tuple[int, int]
) -> VisibilityBuffer:
    """Find the nearest front-facing triangle at every pixel centre.

    Each triangle is cut into its rows of pixels, and the rows of all triangles are drawn with whole-array
    operations; the nearest triangle wins by a minimum over (depth, face) packed into one integer.

    Parameters
    ----------
    points
        float64 `[point, (column, row, depth)]`, in pixels; rows run downwards, depth away from the eye.
    faces
        int64 `[face, corner]`, counter-clockwise as seen from outside in a view with rows upwards.
    shape
        Rows and columns of the picture.
    """
    corners = points[faces]
    planes = _planes(corners)
    front = float(corners[..., 2].min(initial=0.0))
    scale = _DEEPEST / max(float(corners[..., 2].max(initial=0.0)) - front, 1e-12)
    seen, far = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32)
    spans = _spans(corners, planes, shape)
    for top in range(0, shape[0], _BAND):
        band = seen[top : top + _BAND], far[top : top + _BAND]
        nearest = np.full(band[0].size, _NOTHING, dtype=np.uint64)
        for where, which, depth in _fragments(spans, planes, top, band[0].shape):
            level = np.clip((depth - front) * scale, 0.0, _DEEPEST).astype(np.uint64)
            np.minimum.at(nearest, where, (level << np.uint64(32)) | which.astype(np.uint64))
        nothing = nearest == _NOTHING
        face = (nearest & np.uint64(0xFFFFFFFF)).astype(np.int32)
        band[0][:] = np.where(nothing, np.int32(-1), face).reshape(band[0].shape)
        found = (nearest >> np.uint64(32)) / scale + front
        band[1][:] = np.where(nothing, FARTHEST, found).reshape(band[0].shape)
    origin = np.ascontiguousarray(corners[:, 0, :2].T, dtype=np.float32)
    return VisibilityBuffer(seen, far, planes, origin)


def _planes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """See `VisibilityBuffer.planes`; corners `[face, corner, (column, row, depth)]`."""
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


@dataclass(frozen=True, eq=False)
class _Spans:
    """Runs of pixels of one row in one triangle, ordered by rows: int64 `[span]` each."""

    face: NDArray[np.int64]
    row: NDArray[np.int64]
    left: NDArray[np.int64]
    count: NDArray[np.int64]


def _fragments(
    spans: _Spans, planes: NDArray[np.float64], top: int, shape: tuple[int, ...]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Everything that could be seen in the rows from `top`, in portions: flat index of a pixel in these rows,
    face, depth."""
    first, end = np.searchsorted(spans.row, (top, top + shape[0])).tolist()
    face, row, left, count = (
        values[first:end] for values in (spans.face, spans.row, spans.left, spans.count)
    )
    grow = planes[face, 7]
    level = planes[face, 6] + planes[face, 8] * (row + 0.5) + grow * (left + 0.5)
    pixel = (row - top) * shape[1] + left
    ends = np.cumsum(count)
    first = 0
    while first < len(count):
        before = int(ends[first] - count[first])
        last = max(first + 1, int(np.searchsorted(ends, before + _FRAGMENTS, side="right")))
        span = np.repeat(np.arange(first, last), count[first:last])
        step = np.arange(before, int(ends[last - 1])) - (ends - count)[span]
        yield pixel[span] + step, face[span], level[span] + grow[span] * step
        first = last


def _spans(corners: NDArray[np.float64], planes: NDArray[np.float64], shape: tuple[int, int]) -> _Spans:
    """The rows of pixels that each triangle seen from the front has in the picture."""
    shown = np.flatnonzero(np.isfinite(planes[:, 0]))
    height = corners[shown, :, 1]
    top = np.maximum(np.ceil(height.min(axis=1) - 0.5 - _HAIR), 0).astype(np.int64)
    bottom = np.minimum(np.floor(height.max(axis=1) - 0.5 + _HAIR), shape[0] - 1).astype(np.int64)
    rows = np.maximum(bottom - top + 1, 0)
    face, first = np.repeat(shown, rows), np.repeat(top - (np.cumsum(rows) - rows), rows)
    row = first + np.arange(len(face))
    low, high = np.full(len(face), -np.inf), np.full(len(face), np.inf)
    second, third = (planes[face, k] + planes[face, k + 2] * (row + 0.5) for k in (0, 3))
    slopes = planes[face, 1], planes[face, 4]
    # in the triangle all three weights are positive; each grows from column to column, or falls
    for value, slope in zip(
        (second, third, 1 - second - third), (*slopes, -slopes[0] - slopes[1]), strict=True
    ):
        with np.errstate(divide="ignore", invalid="ignore"):  # a side along the row bounds no columns
            edge = -value / slope
        np.maximum(low, edge - _HAIR, out=low, where=slope > 0)
        np.minimum(high, edge + _HAIR, out=high, where=slope < 0)
    left = np.ceil(np.maximum(low, 0.0) - 0.5).astype(np.int64)
    right = np.floor(np.minimum(high, float(shape[1])) - 0.5).astype(np.int64)
    count = right - left + 1
    some = np.flatnonzero(count > 0)
    some = some[np.argsort(row[some], kind="stable")]
    return _Spans(face[some], row[some], left[some], count[some])
