"""The watertight, smooth surface of a density field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.errstate import own_errstate
from trabecula.surface.faces import Quads, find_quads
from trabecula.surface.mesh import Mesh
from trabecula.surface.nodes import find_joined_cells, find_nodes
from trabecula.surface.relax import relax
from trabecula.surface.samples import find_pieces, sample

SMOOTHING = 5
"""Rounds of smoothing by default."""


@own_errstate
def surface(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    *,
    thickness: float = 1.0,
    solid: NDArray[np.bool_] | None = None,
    void: NDArray[np.bool_] | None = None,
    sharp: bool = True,
    smoothing: int = SMOOTHING,
    keep_islands: bool = False,
) -> Mesh:
    """The closed surface around all material denser than 0.5.

    The surface lies exactly on the domain's box and on passive voxels where these are bounded by void, and is
    smooth elsewhere. It is always an oriented manifold without boundary, and stays one when its co-ordinates
    are rounded to float32. Plane designs become plates from z = 0 to `thickness`.

    Parameters
    ----------
    density
        `[z, y, x]` or `[y, x]`: cell values from 0 to 1.
    spacing
        Edge lengths of a cell along x, y(, z), in metres.
    thickness
        Thickness of a plane design in metres.
    solid, void
        bool, same shape: passive cells, which count as 1 and 0.
    sharp
        Whether the surface follows the faces of passive voxels exactly, rather than being smoothed there too.
    smoothing
        Rounds of smoothing; no vertex leaves the voxel corner it belongs to by more than 0.45 voxels.
    keep_islands
        Whether floating pieces with less than a hundredth of the largest piece's cells are kept. Pieces with
        passive solid are always kept. What was left out stands in the mesh.

    Returns
    -------
    Mesh
        Without any face if nothing is denser than 0.5.

    Raises
    ------
    ValueError
        If shapes do not agree or the density is not finite.

    Examples
    --------
    >>> block = surface(np.ones((2, 3, 4)), (0.5, 0.5, 0.5))
    >>> block.is_watertight(), round(block.volume(), 12)
    (True, 3.0)
    """
    field, cell, solid, void = _to_layers(density, spacing, thickness, solid, void)
    samples = sample(field, solid, void, sharp)
    nodes = find_nodes(samples)
    quads = find_quads(samples, nodes)
    labels, keep, share = find_pieces(samples, find_joined_cells(nodes), solid)
    if not keep_islands and share > 0:
        quads = quads.select(np.asarray(keep[labels.ravel()[quads.cell]]))
    del samples, labels
    points = nodes.corner + relax(nodes, quads.corners, np.array(cell), smoothing)
    vertices, faces = _triangles(points, quads, np.array(cell))
    dropped = 0 if keep_islands else int((~keep[1:]).sum())
    return Mesh(vertices, faces, dropped, 0.0 if keep_islands else share)


def _to_layers(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    thickness: float,
    solid: NDArray[np.bool_] | None,
    void: NDArray[np.bool_] | None,
) -> tuple[
    NDArray[np.floating], tuple[float, float, float], NDArray[np.bool_] | None, NDArray[np.bool_] | None
]:
    """Everything as `[z, y, x]`: a plane design is one layer of cells."""
    if density.ndim not in {2, 3} or len(spacing) != density.ndim:
        raise ValueError(
            f"surface: a density of shape {density.shape} with {len(spacing)} spacings;"
            " give [y, x] with two or [z, y, x] with three"
        )
    for name, mask in (("solid", solid), ("void", void)):
        if mask is not None and mask.shape != density.shape:
            raise ValueError(f"surface: `{name}` has shape {mask.shape}, the density {density.shape}")
    if not np.isfinite(density).all():
        raise ValueError("surface: the density holds values that are not finite")
    if density.ndim == 3:
        return density, (spacing[0], spacing[1], spacing[2]), solid, void
    layer = (None if solid is None else solid[None], None if void is None else void[None])
    return density[None], (spacing[0], spacing[1], thickness), *layer


def _triangles(
    points: NDArray[np.float64], quads: Quads, cell: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices in metres and triangles: quadrilaterals cut along the shorter diagonal, or fanned if they have
    extra vertices on their sides."""
    fanned = np.asarray((quads.middles >= 0).any(axis=1))
    corners = quads.corners[~fanned]
    span = [((points[corners[:, k]] - points[corners[:, k + 2]]) * cell) for k in (0, 1)]
    first = (span[0] ** 2).sum(axis=1) <= (span[1] ** 2).sum(axis=1)
    corners = np.where(first[:, None], corners, np.roll(corners, -1, axis=1))
    faces = [corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]]

    fans = quads.select(fanned)
    centre = len(points) + len(quads.extra) + np.arange(len(fans.corners))
    for k in range(4):
        here, middle, there = fans.corners[:, k], fans.middles[:, k], fans.corners[:, (k + 1) % 4]
        has = middle >= 0
        faces.append(np.stack([centre, here, np.where(has, middle, there)], axis=1))
        faces.append(np.stack([centre, middle, there], axis=1)[has])
    everything = np.concatenate(faces)
    vertices = np.concatenate([points, quads.extra, fans.centre])
    used = np.zeros(len(vertices), dtype=np.bool_)
    used[everything.ravel()] = True
    number = np.cumsum(used) - 1
    return vertices[used] * cell, number[everything]
