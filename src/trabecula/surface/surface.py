"""The watertight, smooth surface of a density field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.errstate import own_errstate
from trabecula.surface.cut import Cut, carry_on, cut_to_volume
from trabecula.surface.faces import Quads, find_quads
from trabecula.surface.mesh import Mesh
from trabecula.surface.nodes import SurfaceNodes, find_joined_cells, find_nodes
from trabecula.surface.primitives import make_box
from trabecula.surface.relax import relax
from trabecula.surface.samples import LEVEL, OUTSIDE, Samples, find_pieces, sample
from trabecula.surface.volume import Shell, find_free_faces

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
    part: NDArray[np.bool_] | None = None,
    threshold: float = LEVEL,
    cuts: Sequence[Cut] = (),
) -> Mesh:
    """The closed surface around a part, or around all material denser than 0.5, with the same volume.

    The surface lies exactly on the domain's box and on passive voxels where these are bounded by void, and is
    smooth elsewhere. Its volume is that of the cells it surrounds. It is always an oriented manifold without
    boundary, and stays one when its co-ordinates are rounded to float32. Plane designs become plates from
    z = 0 to `thickness`.

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
    part
        bool, same shape: the cells that are material, all of them and no others; the density says only where
        between two cells the surface passes. None: the cells denser than 0.5, without floating pieces.
    threshold
        Density at which the part was cut out of the density.
    cuts
        True shapes of all that is passive, in the order in which they count: the surface has their faces
        instead of those of the passive cells.

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
    masks = {"solid": solid, "void": void, "part": part}
    field, cell, layers = _to_layers(density, spacing, thickness, masks)
    samples = sample(field, layers["solid"], layers["void"], sharp, layers["part"], threshold)
    nodes = find_nodes(samples)
    labels, keep, share = find_pieces(samples, find_joined_cells(nodes), layers["solid"])
    if keep_islands or part is not None:
        keep[1:], share = True, 0.0
    lost = int((~keep[1:]).sum())
    if cuts:
        mesh = _cut_surface(samples, keep[labels], layers, cuts, np.array(cell), smoothing)
        return Mesh(mesh.vertices, mesh.faces, lost, share)
    quads = find_quads(samples, nodes)
    if share > 0:
        quads = quads.select(np.asarray(keep[labels.ravel()[quads.cell]]))
    volume = float(np.count_nonzero(keep[labels])) * float(np.prod(cell))
    del samples, labels
    shell = _smooth(nodes, quads, np.array(cell), smoothing)
    before = nodes.offset if part is None else np.zeros_like(nodes.offset)
    del quads, nodes  # half of the memory
    free = find_free_faces(shell, before)
    shell = free.move(free.match(volume))
    return Mesh(*_drop_unused(shell.points(), shell.faces), lost, share)


def _cut_surface(
    samples: Samples,
    inside: NDArray[np.bool_],
    layers: Mapping[str, NDArray[np.bool_] | None],
    cuts: Sequence[Cut],
    cell: NDArray[np.float64],
    smoothing: int,
) -> Mesh:
    """The surface of the padded cells that are `inside`, with the faces of true shapes."""
    core = (slice(1, -1),) * 3
    part = inside[core]
    passive = np.zeros(part.shape, dtype=np.bool_)
    for name in ("solid", "void"):
        mask = layers[name]
        passive |= False if mask is None else mask
    values = np.where(inside, samples.values, np.minimum(samples.values, OUTSIDE))
    carry_on(values, passive)
    hard = samples.hard.copy()
    hard[core] = False
    whole = Samples(values, hard, values > LEVEL)
    nodes = find_nodes(whole)
    shell = _smooth(nodes, find_quads(whole, nodes), cell, smoothing)
    free = find_free_faces(shell, np.zeros_like(nodes.offset))
    first = free.match(float(np.count_nonzero(whole.inside)) * float(np.prod(cell)))

    def make(distance: float) -> Mesh:
        moved = free.move(first + distance)
        return Mesh(*_drop_unused(moved.points(), moved.faces))

    box = make_box((0.0, 0.0, 0.0), (cell * part.shape[::-1]).tolist())
    return cut_to_volume(make, cuts, box, part, cell, free.slope)


def _smooth(nodes: SurfaceNodes, quads: Quads, cell: NDArray[np.float64], rounds: int) -> Shell:
    """The smooth surface of quadrilaterals."""
    offset = relax(nodes, quads.corners, cell, rounds)
    faces, centres = _triangles(nodes.corner + offset, quads, cell)
    plain = quads.corners[~quads.are_fanned()]
    return Shell(nodes, offset, np.concatenate([quads.extra, centres]), faces, plain, cell)


def _to_layers(
    density: NDArray[np.floating],
    spacing: Sequence[float],
    thickness: float,
    masks: Mapping[str, NDArray[np.bool_] | None],
) -> tuple[NDArray[np.floating], tuple[float, float, float], dict[str, NDArray[np.bool_] | None]]:
    """Everything as `[z, y, x]`: a plane design is one layer of cells."""
    if density.ndim not in {2, 3} or len(spacing) != density.ndim:
        raise ValueError(
            f"surface: a density of shape {density.shape} with {len(spacing)} spacings;"
            " give [y, x] with two or [z, y, x] with three"
        )
    for name, mask in masks.items():
        if mask is not None and mask.shape != density.shape:
            raise ValueError(f"surface: `{name}` has shape {mask.shape}, the density {density.shape}")
    if not np.isfinite(density).all():
        raise ValueError("surface: the density holds values that are not finite")
    if density.ndim == 3:
        return density, (spacing[0], spacing[1], spacing[2]), dict(masks)
    layers = {name: None if mask is None else mask[None] for name, mask in masks.items()}
    return density[None], (spacing[0], spacing[1], thickness), layers


def _triangles(
    points: NDArray[np.float64], quads: Quads, cell: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Triangles, and the vertices that they have besides `points` and the extra ones: quadrilaterals are cut
    along the shorter diagonal, or fanned around a centre if they have extra vertices on their sides."""
    plain = quads.corners[~quads.are_fanned()]
    a, b, c, d = (points[plain[:, k]] * cell for k in range(4))
    longer = ((a - c) ** 2).sum(axis=1) - ((b - d) ** 2).sum(axis=1)
    # of two diagonals as long as each other the one that lies outside, so that mirrored designs stay mirrored
    bulge = np.einsum("qi,qi->q", np.cross(b - a, c - a), d - a)
    tie = np.abs(longer) <= 1e-9 * float((cell**2).sum())
    first = np.where(tie, bulge <= 0, longer < 0)
    plain = np.where(first[:, None], plain, np.roll(plain, -1, axis=1))
    faces = [plain[:, [0, 1, 2]], plain[:, [0, 2, 3]]]

    fans = quads.select(quads.are_fanned())
    centre = len(points) + len(quads.extra) + np.arange(len(fans.corners))
    for k in range(4):
        here, middle, there = fans.corners[:, k], fans.middles[:, k], fans.corners[:, (k + 1) % 4]
        has = middle >= 0
        faces.append(np.stack([centre, here, np.where(has, middle, there)], axis=1))
        faces.append(np.stack([centre, middle, there], axis=1)[has])
    return np.concatenate(faces), fans.centre


def _drop_unused(
    points: NDArray[np.float64], faces: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Without the points that no face has."""
    used = np.zeros(len(points), dtype=np.bool_)
    used[faces.ravel()] = True
    number = np.cumsum(used) - 1
    return points[used], number[faces]
