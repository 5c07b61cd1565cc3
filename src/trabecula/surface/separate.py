"""A cut surface made fit for float32: no vertices that would become one, whatever the file's unit."""

from __future__ import annotations

import numpy as np

from trabecula.numerics.components import components
from trabecula.surface.mesh import Mesh, is_closed, merge_equal

_SCALES = (1.0, 1000.0)
"""Metres and millimetres: numbers in files are rounded in either."""

_ROUNDS = 4


def separate(mesh: Mesh, finest: float) -> Mesh:
    """The mesh with short edges collapsed and vertices parted that touch without an edge between them.

    Parameters
    ----------
    mesh
        A closed surface, in metres.
    finest
        Edges shorter than this are collapsed, and vertices that touch are moved about as far, in metres.
    """
    if _is_fit(mesh):
        return mesh
    mesh = _collapse(mesh, finest)
    for round_ in range(_ROUNDS):
        if _is_fit(mesh):
            break
        mesh = _draw_in(mesh, finest * 2.0 ** (round_ - 1))
    return mesh


def _is_fit(mesh: Mesh) -> bool:
    return all(mesh.scale(scale).is_watertight() for scale in _SCALES)


def _collapse(mesh: Mesh, shortest: float) -> Mesh:
    """Short edges become points, where what is left is still closed."""
    sides = np.concatenate([mesh.faces[:, :2], mesh.faces[:, 1:]])
    length = np.linalg.norm(mesh.vertices[sides[:, 0]] - mesh.vertices[sides[:, 1]], axis=1)
    number, count = components(len(mesh.vertices), sides[length < shortest])
    faces = number.astype(np.int64)[mesh.faces]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    if not is_closed(faces):
        return mesh
    vertices = np.zeros((count, 3))
    vertices[number] = mesh.vertices
    return Mesh(vertices, faces)


def _draw_in(mesh: Mesh, step: float) -> Mesh:
    """Vertices at one place in float32 are moved into the material, each along its own normal."""
    places = np.arange(len(mesh.vertices))[:, None]
    touches = np.zeros(len(mesh.vertices), dtype=np.bool_)
    for scale in _SCALES:
        merged = merge_equal((mesh.vertices * scale).astype(np.float32), places).ravel()
        touches |= np.bincount(merged)[merged] > 1
    normal = np.zeros_like(mesh.vertices)
    of_face = mesh.normals()
    for corner in range(3):
        np.add.at(normal, mesh.faces[:, corner], of_face)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    vertices = mesh.vertices.copy()
    vertices[touches] -= step * (normal / np.where(length > 0, length, 1.0))[touches]
    return Mesh(vertices, mesh.faces)
