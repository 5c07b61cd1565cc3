"""Vertices moved along their normals until a surface holds the volume of the cells that it surrounds.

Smoothing rounds edges off, so it takes volume from thin members and hardly any from thick ones. How much it
took follows in closed form from the way of every vertex: from its voxel corner where cells are given, for
there the surface holds their volume exactly, and from the iso-surface where a density is. Each neighbourhood
is given back what it lost, and what is left over is spread evenly. No surface is made a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.nodes import REACH, SurfaceNodes

Floats = NDArray[np.float64]

_NEIGHBOURHOOD = 4.0
"""Voxels between the centres of neighbourhoods."""

_LOCAL_LIMIT = 0.25
"""How far, in voxels, a neighbourhood is moved at most."""

_CHUNK = 20_000

_EXACT = 2e-4
"""Relative difference of volume that ends the search."""


@dataclass(frozen=True, eq=False)
class Shell:
    """A closed surface whose first vertices belong to voxel corners.

    Attributes
    ----------
    nodes
        Voxel corners with their vertices.
    offset
        float64 `[vertex, (x, y, z)]`: of the nodes' vertices from their corners, in voxels.
    others
        float64 `[vertex, (x, y, z)]`: further vertices, which stay, in voxels.
    faces
        int64 `[face, corner]`: triangles; first two of each of the `plain` quadrilaterals.
    plain
        int64 `[quad, 4]`: the quadrilaterals that were parted along a diagonal.
    cell
        float64 `(x, y, z)`: edge lengths of a voxel in metres.
    """

    nodes: SurfaceNodes
    offset: Floats
    others: Floats
    faces: NDArray[np.int64]
    plain: NDArray[np.int64]
    cell: Floats

    def points(self) -> Floats:
        """Co-ordinates of all vertices in metres, float64 `[vertex, (x, y, z)]`."""
        return np.concatenate([self.nodes.corner + self.offset, self.others]) * self.cell

    def gradient(self) -> Floats:
        """Derivative of the volume with respect to the nodes' vertices, float64 `[vertex, axis]`, in square
        metres; the mean over both ways of parting a quadrilateral, so that it does not lean to a side."""
        points = self._columns()
        total = np.zeros_like(points)
        for corners in _chunks(self.plain):
            a, b, c, d = (points[:, corner] for corner in corners)
            # a corner has both triangles of one parting and its own of the other
            both = _cross(c - a, d - b)
            for corner, before, here, after in zip(
                corners, (d, a, b, c), (a, b, c, d), (b, c, d, a), strict=True
            ):
                _scatter(total, corner, (both + _cross(here - before, after - here)) / 12)
        for corners in _chunks(self.faces[2 * len(self.plain) :]):
            a, b, c = (points[:, corner] for corner in corners)
            share = _cross(b - a, c - a) / 6
            for corner in corners:
                _scatter(total, corner, share)
        return np.ascontiguousarray(total[:, : len(self.offset)].T)

    def volume(self) -> float:
        """Enclosed volume in cubic metres."""
        points = self._columns()
        total = 0.0
        for corners in _chunks(self.faces):
            a, b, c = (points[:, corner] for corner in corners)
            total += float((a * _cross(b - a, c - a)).sum())
        return total / 6.0

    def move(self, directions: Floats, distance: Floats | float) -> Shell:
        """Vertices moved by a distance in metres along `directions`; none further than `REACH`."""
        way = directions * np.asarray(distance)[..., None] / self.cell
        return replace(self, offset=np.clip(self.offset + way, -REACH, REACH))

    def directions(self, gradient: Floats) -> Floats:
        """The way in which every vertex may move outwards, float64 `[vertex, axis]`; zero where it is
        exact."""
        length = np.sqrt((gradient**2).sum(axis=1))[:, None]
        normal = gradient / np.where(length > 0, length, 1.0)
        normal[self.nodes.fixed | ~self.nodes.free[:, None]] = 0.0
        return normal

    def _columns(self) -> Floats:
        """Co-ordinates from the middle of the grid, float64 `[(x, y, z), vertex]`."""
        middle = np.array(self.nodes.shape[::-1]) / 2 * self.cell
        return np.ascontiguousarray((self.points() - middle).T)


def _chunks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows `[n, corner]` as columns `[corner, n]`, some thousand at a time, which the cache holds."""
    for start in range(0, len(rows), _CHUNK):
        yield np.ascontiguousarray(rows[start : start + _CHUNK].T)


def _cross(first: Floats, second: Floats) -> Floats:
    """Vector products of columns, float64 `[axis, n]`."""
    (ax, ay, az), (bx, by, bz) = first, second
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def _scatter(total: Floats, corner: NDArray[np.int64], share: Floats) -> None:
    """Add shares `[axis, n]` to the totals `[axis, vertex]` of corners."""
    low = int(corner.min()) if len(corner) else 0
    near = corner - low
    for row, values in zip(total, share, strict=True):
        found = np.bincount(near, values)
        row[low : low + len(found)] += found


@dataclass(frozen=True, eq=False)
class FreeFaces:
    """A surface whose free faces can be moved outwards evenly, beginning where every neighbourhood has its
    volume.

    Attributes
    ----------
    shell
        The surface.
    directions
        float64 `[vertex, axis]`: the way outwards of every vertex that may move.
    local
        float64 `[vertex]`: how far each is moved for its neighbourhood, in metres.
    slope
        How fast the volume grows with the distance, in square metres.
    """

    shell: Shell
    directions: Floats
    local: Floats
    slope: float

    def move(self, distance: float) -> Shell:
        """The surface with its free faces moved outwards, by a distance in metres."""
        return self.shell.move(self.directions, self.local + distance)

    def match(self, target: float) -> float:
        """The distance in metres at which the surface has a volume in cubic metres, or as near to it as it
        can be with every vertex within `REACH` of its voxel corner."""
        volume, slope, distance = self.move(0.0).volume(), self.slope, 0.0
        limit = 2 * REACH * float(self.shell.cell.max())
        low, high = -limit, limit
        for _ in range(8):
            if slope <= 0 or abs(volume - target) <= _EXACT * target:
                break
            low, high = (distance, high) if volume < target else (low, distance)
            step = distance + (target - volume) / slope
            before, last = distance, volume
            distance = step if low < step < high else (low + high) / 2
            volume = self.move(distance).volume()
            slope = (volume - last) / (distance - before) if volume != last else slope
        return distance


def find_free_faces(shell: Shell, before: Floats) -> FreeFaces:
    """The free faces of a surface, with what each neighbourhood lost to smoothing.

    Parameters
    ----------
    shell
        The surface.
    before
        float64 `[vertex, (x, y, z)]`: offsets with which every neighbourhood has its volume, in voxels.
    """
    gradient = shell.gradient()
    directions = shell.directions(gradient)
    slope = (gradient * directions).sum(axis=1)
    mean = (gradient + replace(shell, offset=before).gradient()) / 2  # exact to second order
    loss = ((before - shell.offset) * shell.cell * mean).sum(axis=1)
    limit = _LOCAL_LIMIT * float(shell.cell.min())
    local = np.clip(_quotient_of_means(shell.nodes, loss, slope), -limit, limit)
    return FreeFaces(shell, directions, local, float(slope.sum()))


def _quotient_of_means(nodes: SurfaceNodes, above: Floats, below: Floats) -> Floats:
    """Two sums over neighbourhoods that overlap linearly, one divided by the other, at every vertex."""
    count = [max(1, round(n / _NEIGHBOURHOOD)) for n in reversed(nodes.shape)]
    sides = [n + 1 for n in count]
    sums = np.zeros((2, int(np.prod(sides))))
    for index, weight in _overlaps(nodes, count):
        _scatter(sums, index, np.stack([weight * above, weight * below]))
    least = 1e-3 * sums[1].max(initial=0.0)
    quotient = np.where(sums[1] > least, sums[0] / np.where(sums[1] > least, sums[1], 1.0), 0.0)
    total = np.zeros(len(above))
    for index, weight in _overlaps(nodes, count):
        total += weight * quotient[index]
    return total


def _overlaps(nodes: SurfaceNodes, count: list[int]) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    """The neighbourhoods that every vertex belongs to: their numbers and its shares, both `[vertex]`.

    Parameters
    ----------
    nodes
        Voxel corners with their vertices.
    count
        Neighbourhoods along x, y, z.
    """
    low, part = [], []
    for axis, many in enumerate(count):
        place = nodes.corner[:, axis] * (many / (nodes.shape[2 - axis] - 1.0))
        low.append(np.minimum(place.astype(np.int64), many - 1))
        part.append(place - low[-1])
    for bits in np.ndindex(2, 2, 2):
        x, y, z = (low[axis] + bits[axis] for axis in range(3))
        weight = np.prod([part[a] if bits[a] else 1 - part[a] for a in range(3)], axis=0)
        yield (z * (count[1] + 1) + y) * (count[0] + 1) + x, weight
