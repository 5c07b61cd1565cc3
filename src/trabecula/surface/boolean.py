"""Unions, intersections and differences of closed meshes, by manifold3d.

Why it is manifold3d and not the field that is cut: docs/decisions/surface-cut.md. Nothing else of the package
imports it, and it is imported only where there is something to cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trabecula.numerics.components import components
from trabecula.surface.mesh import Mesh, is_closed

if TYPE_CHECKING:
    from manifold3d import Manifold


def unite(meshes: Sequence[Mesh]) -> Mesh:
    """What at least one of some closed meshes holds."""
    return _combine(meshes, "Add")


def intersect(meshes: Sequence[Mesh]) -> Mesh:
    """What all of some closed meshes hold."""
    return _combine(meshes, "Intersect")


def subtract(mesh: Mesh, others: Sequence[Mesh]) -> Mesh:
    """What a closed mesh holds and none of some others does."""
    return _combine([mesh, *others], "Subtract")


def _combine(meshes: Sequence[Mesh], operation: str) -> Mesh:
    import manifold3d

    found = [to_manifold(mesh) for mesh in meshes]
    return from_manifold(manifold3d.Manifold.batch_boolean(found, getattr(manifold3d.OpType, operation)))


def to_manifold(mesh: Mesh) -> Manifold:
    """A closed mesh as manifold3d has it.

    Raises
    ------
    ValueError
        If the mesh is not an oriented manifold without boundary.
    """
    import manifold3d

    if not len(mesh.faces):
        return manifold3d.Manifold()
    vertices = np.ascontiguousarray(mesh.vertices, dtype=np.float64)
    faces = np.ascontiguousarray(mesh.faces, dtype=np.uint64)
    found = manifold3d.Manifold(manifold3d.Mesh64(vertices, faces))
    if found.status() != manifold3d.Error.NoError:
        raise ValueError(f"the mesh is no closed surface ({found.status().name})")
    return found


def from_manifold(manifold: Manifold) -> Mesh:
    """The mesh of one of manifold3d's; without faces where it is empty."""
    mesh = manifold.to_mesh64()
    vertices = np.array(mesh.vert_properties, dtype=np.float64)[:, :3]  # theirs cannot be written to
    return Mesh(vertices, np.asarray(mesh.tri_verts).astype(np.int64).reshape(-1, 3))


def unite_bodies(mesh: Mesh) -> Mesh | None:
    """One closed surface of a mesh that may be of several bodies, which may overlap.

    A body is what hangs together. One that is inside out is a cavity where it lies within others, and a body
    like the others elsewhere.

    Parameters
    ----------
    mesh
        Corners at one place are one vertex.

    Returns
    -------
    Mesh or None
        None where a body is open or not orientable, so that nobody knows its inside.
    """
    sides = np.concatenate([mesh.faces[:, :2], mesh.faces[:, 1:]])
    number, count = components(len(mesh.vertices), sides)
    of_face = number[mesh.faces[:, 0]]
    solids: list[Mesh] = []
    turned: list[Mesh] = []
    for piece in range(count):
        faces = mesh.faces[of_face == piece]
        if not len(faces):
            continue
        body = Mesh(mesh.vertices, faces)
        if not is_closed(faces):
            return None
        (solids if body.volume() > 0 else turned).append(body)
    inside_out = [Mesh(body.vertices, body.faces[:, ::-1]) for body in turned]
    if not solids:
        return unite(inside_out) if inside_out else None
    whole = unite(solids)
    cavities = []
    for body in inside_out:
        within = intersect([whole, body]).volume() > 0.99 * body.volume()
        if within:
            cavities.append(body)
        else:
            whole = unite([whole, body])
    return subtract(whole, cavities) if cavities else whole
