"""A design in a few numbers that people see too: holes, members, thickness, symmetry, direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.gallery.thinning import count_members, skeleton

Mask = NDArray[np.bool_]

AXES = "xyz"
UPWARDS = {2: "y", 3: "z"}
"""The direction parts are built in where overhangs are counted."""

MOST = {2: 40_000, 3: 30_000}
"""Voxels of the grid that skeletons are made on; finer designs are averaged onto fewer voxels first."""

SYMMETRIC = 0.95
"""Agreement with a mirror image from which on words call a design symmetric."""

STRONG = 0.45
"""Share of a direction from which on words name it."""


@dataclass(frozen=True)
class Description:
    """What a part looks like.

    Attributes
    ----------
    pieces
        Pieces, joined through corners.
    holes
        Holes that go through: in the plane pockets of void, in space tunnels (the genus of the surface).
    cavities
        Closed pockets of void; None in the plane.
    members
        Lines of the skeleton between joints and ends; on fine grids as far as a coarser one shows them.
    thickness, thinnest
        Median over the skeleton, and its lowest tenth, of twice the distance to the surface, m.
    symmetry
        By axis: the share of the material that its mirror image in the middle plane covers, 0 to 1.
    directions
        By axis: how much of the surface runs along it; the shares add up to 1.
    overhang
        Share of the material's undersides, seen along y (z in space) from above, with nothing below within
        45 degrees and that do not lie on the ground of the box.
    """

    pieces: int
    holes: int
    cavities: int | None
    members: int
    thickness: float
    thinnest: float
    symmetry: dict[str, float]
    directions: dict[str, float]
    overhang: float

    def to_json(self) -> dict[str, object]:
        """As a JSON object; lengths in metres."""
        return {**asdict(self), "words": self.words}

    @property
    def words(self) -> str:
        """The same in a few words."""
        parts = [f"{_count(self.members, 'member')}, {_count(self.holes, 'hole')}"]
        mirrors = [axis for axis, share in self.symmetry.items() if share >= SYMMETRIC]
        if mirrors:
            parts.append(f"symmetric in {' and '.join(mirrors)}")
        axis, share = max(self.directions.items(), key=lambda item: item[1], default=("", 0.0))
        if share >= STRONG + (0.15 if len(self.directions) == 2 else 0.0):
            parts.append(f"mostly along {axis}")
        return ", ".join(parts)


def describe(mask: Mask, spacing: Sequence[float]) -> Description:
    """Describe a part.

    Parameters
    ----------
    mask
        bool `[z, y, x]` or `[y, x]`: its voxels.
    spacing
        Edge lengths of a voxel along x, y(, z), in metres.
    """
    from scipy.ndimage import distance_transform_edt

    holes, pieces, cavities = count_holes(mask)
    coarse, edges = _coarsen(mask, tuple(spacing)[::-1])
    lines = skeleton(coarse)
    depth = distance_transform_edt(np.pad(coarse, 1), edges)[(slice(1, -1),) * mask.ndim]
    in_voxels = distance_transform_edt(np.pad(coarse, 1))[(slice(1, -1),) * mask.ndim]
    widths = 2.0 * depth[lines] - float(np.mean(edges))  # to the face of the last voxel, not to its neighbour
    names = AXES[: mask.ndim]
    return Description(
        pieces=pieces,
        holes=holes,
        cavities=cavities if mask.ndim == 3 else None,
        members=count_members(lines, in_voxels),
        thickness=float(np.median(widths)) if widths.size else 0.0,
        thinnest=float(np.quantile(widths, 0.1)) if widths.size else 0.0,
        symmetry={name: _mirror_share(mask, mask.ndim - 1 - k) for k, name in enumerate(names)},
        directions=dict(zip(names, _directions(mask, tuple(spacing)[::-1]), strict=True)),
        overhang=overhang_share(mask),
    )


def count_holes(mask: Mask) -> tuple[int, int, int]:
    """Holes that go through, pieces, and closed cavities (0 in the plane) of a set of voxels.

    Exact: by the Euler number of the voxels with their faces, edges and corners, `pieces - tunnels +
    cavities` in space and `pieces - holes` in the plane.
    """
    from scipy.ndimage import label

    if not mask.any():
        return 0, 0, 0
    pieces = int(label(mask, np.ones((3,) * mask.ndim, int))[1])
    cavities = 0
    if mask.ndim == 3:
        cavities = int(label(~np.pad(mask, 1))[1]) - 1
    return pieces + cavities - _euler_number(mask), pieces, cavities


def _euler_number(mask: Mask) -> int:
    """Corners less edges plus faces (less voxels) of the union of closed voxels."""
    total = 0
    for axes in np.ndindex((2,) * mask.ndim):  # 1: the cell spans that axis, 0: it is between two voxels
        cells = np.pad(mask, [(0, 0) if spans else (1, 1) for spans in axes])
        for axis, spans in enumerate(axes):
            if not spans:
                count = cells.shape[axis]
                cells = np.take(cells, range(count - 1), axis) | np.take(cells, range(1, count), axis)
        total += (-1) ** sum(axes) * int(cells.sum())
    return total


def overhang_share(mask: Mask) -> float:
    """Share of the undersides that nothing within 45 degrees holds from below; see `Description`."""
    axis = mask.ndim - 2 if mask.ndim == 2 else 0
    solid = np.moveaxis(mask, axis, 0)
    undersides = solid[1:] & ~solid[:-1]
    below = np.pad(solid[:-1], [(0, 0)] + [(1, 1)] * (mask.ndim - 1))
    held = np.zeros_like(undersides)
    for shift in np.ndindex((3,) * (mask.ndim - 1)):
        window = tuple(slice(s, s + n) for s, n in zip(shift, solid.shape[1:], strict=True))
        held |= below[(slice(None), *window)]
    count = int(undersides.sum())
    return float((undersides & ~held).sum()) / count if count else 0.0


def _mirror_share(mask: Mask, axis: int) -> float:
    count = int(mask.sum())
    return float((mask & np.flip(mask, axis)).sum()) / count if count else 1.0


def _directions(mask: Mask, edges: Sequence[float]) -> list[float]:
    """Shares of the surface that run along x, y(, z), from its normals in a smoothed picture."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(np.pad(mask, 2).astype(np.float64), 1.0)
    slopes = np.gradient(smooth, *edges)
    squares = np.array([float((slope * slope).sum()) for slope in slopes])
    total = float(squares.sum())
    if not total:
        return [1.0 / mask.ndim] * mask.ndim
    return [float(value) for value in ((1.0 - squares / total) / (mask.ndim - 1))[::-1]]


def _coarsen(mask: Mask, edges: Sequence[float]) -> tuple[Mask, tuple[float, ...]]:
    """The mask on at most `MOST` voxels, and the edges of those; thin members keep together."""
    factor = max(1, int(np.ceil((mask.size / MOST[mask.ndim]) ** (1.0 / mask.ndim) - 1e-9)))
    if factor == 1:
        return mask, tuple(edges)
    room = [(0, -n % factor) for n in mask.shape]
    blocks = np.pad(mask, room)
    shape = [part for n in blocks.shape for part in (n // factor, factor)]
    mean = blocks.reshape(shape).mean(axis=tuple(range(1, 2 * mask.ndim, 2)))
    return mean >= 0.4, tuple(edge * factor for edge in edges)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
