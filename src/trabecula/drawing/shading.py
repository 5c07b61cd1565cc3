"""How much light comes from a surface to the eye: two lamps, a gloss, soft shadow in the hollows.

Directions are to the right, up and towards the eye.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.raster import FARTHEST
from trabecula.numerics.gaussian import blur

Floats = NDArray[np.float32]

_ROSETTE = 24
"""Neighbours that may stand in the light of a point."""


def _direction(*towards: float) -> Floats:
    return np.asarray(np.array(towards) / np.linalg.norm(towards), dtype=np.float32)


_KEY = _direction(-0.45, 0.75, 0.65)
_FILL = _direction(0.85, 0.10, 0.45)
_UP = _direction(0.0, 0.91, 0.41)
_HALF = _direction(*(_KEY + np.array([0.0, 0.0, 1.0])))


def corner_normals(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float32]:
    """Unit normals for shading, float32 `[face, corner, (x, y, z)]`.

    The mean over the faces around a vertex, but apart for faces that lie flat in an axis plane (the box,
    passive voxels) where these meet the rest at an angle: edges stay edges.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    unit = _unit(flat)
    axis = np.abs(unit).argmax(axis=1)
    along = np.take_along_axis(unit, axis[:, None], axis=1)[:, 0]
    kind = np.where(np.abs(along) > 0.9999, 1 + 2 * axis + (along > 0), 0)
    apart = _sum_at(faces * 7 + kind[:, None], flat)
    together = _sum_at(faces, flat)
    alike = np.einsum("fci,fci->fc", apart, together) > 0.96
    return np.where(alike[..., None], together, apart)


def _sum_at(places: NDArray[np.int64], vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    """Directions of the sums of the faces' vectors over equal places: float32 `[face, corner, (x, y, z)]`."""
    total = [np.bincount(places.ravel(), weights=np.repeat(vectors[:, k], 3)) for k in range(3)]
    return _unit(np.stack(total, axis=1))[places]


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0), dtype=np.float32)


def light(normal: Floats, colour: Floats, open_to_light: Floats) -> Floats:
    """Colours as they are seen.

    Parameters
    ----------
    normal
        float32 `[axis, point]`, unit vectors.
    colour
        float32 `[channel, point]`: of the material, 0 to 1.
    open_to_light
        float32 `[point]`: what `ambient_occlusion` leaves.

    Returns
    -------
    NDArray
        float32 `[point, channel]`, 0 to 1.
    """
    key, fill, half, up = (_lit(normal, lamp) for lamp in (_KEY, _FILL, _HALF, _UP))
    shaded = colour * ((0.42 + 0.08 * up + 0.46 * key + 0.24 * fill) * open_to_light)
    for _ in range(4):
        half = half * half
    shaded += 0.12 * half * half * half  # the 48th power
    return np.ascontiguousarray(np.clip(shaded, 0.0, 1.0, out=shaded).T)


def _lit(normal: Floats, lamp: Floats) -> Floats:
    x, y, z = lamp
    return np.asarray(np.clip(normal[0] * x + normal[1] * y + normal[2] * z, 0.0, 1.0))


def ambient_occlusion(depth: Floats, pixel: NDArray[np.int64], normal: Floats) -> Floats:
    """Light that reaches each pixel, 1 in the open: less where surroundings stand above its tangent plane.

    Ambient occlusion from the depth picture, with a fixed rosette of neighbours.

    Parameters
    ----------
    depth
        float32 `[row, column]`, in pixels; `FARTHEST` where there is nothing.
    pixel
        Flat indices of the pixels with a surface.
    normal
        float32 `[axis, len(pixel)]`, unit vectors.

    Returns
    -------
    NDArray
        float32 `[row, column]`.
    """
    row, column = np.divmod(pixel, depth.shape[1])
    reach = 0.035 * max(depth.shape)
    margin = int(reach) + 1
    around = np.pad(depth, margin, constant_values=FARTHEST)
    place = (row + margin) * around.shape[1] + column + margin
    here, shadow = depth[row, column], np.zeros(len(pixel), dtype=np.float32)
    for k in range(_ROSETTE):
        angle, radius = k * 2.399963, reach * ((k + 0.5) / _ROSETTE) ** 0.7
        right, down = round(radius * np.cos(angle)), round(radius * np.sin(angle))
        nearer = here - around.ravel()[place + (down * around.shape[1] + right)]
        square = nearer * nearer + np.float32(max(right * right + down * down, 1e-6))
        above = normal[0] * np.float32(right) - normal[1] * np.float32(down) + normal[2] * nearer
        shadow += np.clip(above / np.sqrt(square) - np.float32(0.15), 0.0, 1.0) / (
            1 + square / np.float32(4 * reach * reach)
        )
    found, mask = np.zeros_like(depth), np.zeros_like(depth)
    found[row, column], mask[row, column] = shadow / _ROSETTE, 1.0
    soft = blur(found, 1.0) / np.maximum(blur(mask, 1.0), 1e-3)
    return np.asarray(1 - np.clip(1.6 * soft, 0.0, 0.75), dtype=np.float32)
