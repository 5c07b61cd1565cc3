"""Closed meshes of boxes, round bars and balls, with facets that touch the true shape from one side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.mesh import Mesh, merge_equal

_SIDES = 96
"""Facets around a bar at least: a chord is off by 0.05 % of the radius."""

_BALL_EDGE = 24
"""Facets along each edge of the octahedron that a ball is made of: a facet is off by 0.15 % of the radius."""


def make_box(low: Sequence[float], high: Sequence[float]) -> Mesh:
    """The box between two corners.

    Parameters
    ----------
    low, high
        Lowest and highest co-ordinates along x, y, z in metres.

    Examples
    --------
    >>> make_box((0, 0, 0), (1, 2, 3)).volume()
    6.0
    """
    vertices = np.array(list(product(*zip(low, high, strict=True))), dtype=np.float64)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    return Mesh(vertices, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def make_bar(
    axis: int,
    center: Sequence[float],
    radius: float,
    ends: tuple[float, float],
    *,
    outside: bool,
    longest: float = np.inf,
) -> Mesh:
    """A round bar along an axis.

    Parameters
    ----------
    axis
        0, 1, 2 for x, y, z.
    center
        A point of the bar's axis in metres, `(x, y, z)`.
    radius
        In metres.
    ends
        Lowest and highest place along the axis in metres.
    outside
        Whether the facets touch the true surface from outside (no point of the mesh's surface is nearer to
        the axis than the radius, as a bore needs) or from inside.
    longest
        Longest facet around the bar in metres.
    """
    count = 4 * int(np.ceil(max(_SIDES, 2 * np.pi * radius / longest) / 4))
    angle = 2 * np.pi * np.arange(count) / count
    reach = radius / np.cos(np.pi / count) if outside else radius
    circle = reach * np.round(np.stack([np.cos(angle), np.sin(angle)], axis=1), 15)  # exact at quarters
    ring = np.zeros((2, count, 3))
    ring[..., (axis + 1) % 3] = center[(axis + 1) % 3] + circle[:, 0]
    ring[..., (axis + 2) % 3] = center[(axis + 2) % 3] + circle[:, 1]
    ring[..., axis] = np.array(ends)[:, None]
    k = np.arange(count)
    following = (k + 1) % count
    side = [
        np.stack([k, following, following + count], axis=1),
        np.stack([k, following + count, k + count], axis=1),
    ]
    fan = np.stack([np.zeros(count - 2, np.int64), k[1:-1], k[2:]], axis=1)
    return Mesh(ring.reshape(-1, 3), np.concatenate([*side, fan[:, ::-1], fan + count]))


def make_ball(center: Sequence[float], radius: float, *, outside: bool) -> Mesh:
    """A ball.

    Parameters
    ----------
    center
        In metres, `(x, y, z)`.
    radius
        In metres.
    outside
        Whether the facets touch the true surface from outside or from inside.
    """
    n = _BALL_EDGE
    rows = [(i, j) for i in range(n) for j in range(n - i)]
    down = [(i, j) for i in range(n - 1) for j in range(n - 1 - i)]
    patch = [((i, j), (i + 1, j), (i, j + 1)) for i, j in rows]
    patch += [((i + 1, j), (i + 1, j + 1), (i, j + 1)) for i, j in down]
    steps = np.array(patch)
    corners = np.concatenate([steps, n - steps.sum(axis=2, keepdims=True)], axis=2).astype(np.float64)
    facets = []
    for signs in product((1, -1), repeat=3):
        facet = corners * np.array(signs)
        facets.append(facet if np.prod(signs) > 0 else facet[:, ::-1])
    points = np.concatenate(facets).reshape(-1, 3)
    points += 0.0  # no negative zeros
    _, first, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    sphere = points[first] / np.sqrt((points[first] ** 2).sum(axis=1))[:, None]
    faces = inverse.reshape(-1, 3).astype(np.int64)
    if outside:
        normal = Mesh(sphere, faces).normals()
        nearest = np.einsum("fi,fi->f", normal, sphere[faces[:, 0]]) / np.linalg.norm(normal, axis=1)
        sphere = sphere / nearest.min()
    return Mesh(np.asarray(center) + radius * sphere, faces)


def join_corners(corners: NDArray[np.float64]) -> Mesh:
    """The mesh of loose triangles, float64 `[face, corner, (x, y, z)]`: corners at one place become one."""
    points = corners.reshape(-1, 3)
    loose = np.arange(len(points)).reshape(-1, 3)
    merged = merge_equal(points.astype(np.float32), loose)
    vertices = np.zeros((int(merged.max(initial=-1)) + 1, 3))
    vertices[merged.ravel()] = points
    needles = (merged == np.roll(merged, 1, axis=1)).any(axis=1)  # triangles that became lines
    return Mesh(vertices, merged[~needles])
