"""Vertices moved along their normals until a surface holds the volume of the cells that it surrounds.

Smoothing rounds edges off, so it takes volume from thin members and hardly any from thick ones. How much it
took follows in closed form from the way of every vertex: from its voxel corner where cells are given, for
there the surface holds their volume exactly, and from the iso-surface where a density is. Each neighbourhood
is given back what it lost, and what is left over is spread evenly. No surface is made a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.surface.nodes import REACH, SurfaceNodes

Floats = NDArray[np.float64]

_NEIGHBOURHOOD = 4.0
"""Voxels between the centres of neighbourhoods."""

_LOCAL_ROUNDS = 2

_EXACT = 1e-4
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
        """Co-ordinates of all vertices in metres."""
        return np.concatenate([self.nodes.corner + self.offset, self.others]) * self.cell

    def gradient(self) -> Floats:
        """Derivative of the volume with respect to the nodes' vertices, float64 `[vertex, axis]`, in square
        metres; the mean over both ways of parting a quadrilateral, so that it does not lean to a side."""
        points = self.points()
        total = np.zeros((3, len(points)))
        diagonals = [points[self.plain[:, k]] - points[self.plain[:, k - 2]] for k in (2, 3)]
        normal = np.cross(*diagonals)  # twice the area
        sides = [points[self.plain[:, k]] for k in range(4)]
        for k in range(4):
            beside = np.cross(sides[k] - sides[k - 1], sides[(k + 1) % 4] - sides[k])
            for axis in range(3):
                # the corner has both triangles of one parting and its own of the other
                share = (normal[:, axis] + beside[:, axis]) / 12
                total[axis] += np.bincount(self.plain[:, k], share, len(points))
        fans = self.faces[2 * len(self.plain) :]
        a, b, c = (points[fans[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a) / 6
        for k in range(3):
            for axis in range(3):
                total[axis] += np.bincount(fans[:, k], normal[:, axis], len(points))
        return np.ascontiguousarray(total[:, : len(self.offset)].T)

    def volume(self) -> float:
        """Enclosed volume in cubic metres."""
        points = self.points()
        points -= points.mean(axis=0) if len(points) else 0.0
        a, b, c = (points[self.faces[:, k]] for k in range(3))
        return float(np.einsum("fi,fi->", a, np.cross(b - a, c - a))) / 6.0

    def move(self, directions: Floats, distance: Floats | float) -> Shell:
        """Vertices moved by a distance in metres along `directions`; none further than `REACH`."""
        way = directions * np.asarray(distance)[..., None] / self.cell
        return replace(self, offset=np.clip(self.offset + way, -REACH, REACH))

    def directions(self, gradient: Floats) -> Floats:
        """The way in which every vertex may move outwards, float64 `[vertex, axis]`; zero where it is
        exact."""
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        normal = gradient / np.where(length > 0, length, 1.0)
        normal[self.nodes.fixed | ~self.nodes.free[:, None]] = 0.0
        return normal


def restore_locally(shell: Shell, before: Floats) -> Shell:
    """Give every neighbourhood of some voxels the volume that smoothing took from it.

    Parameters
    ----------
    shell
        The surface.
    before
        float64 `[vertex, (x, y, z)]`: offsets with which every neighbourhood has its volume, in voxels.
    """
    gradient_before = replace(shell, offset=before).gradient()
    for _ in range(_LOCAL_ROUNDS):
        gradient = shell.gradient()
        way = (shell.offset - before) * shell.cell
        loss = -(way * (gradient + gradient_before) / 2).sum(axis=1)  # exact to second order
        directions = shell.directions(gradient)
        slope = (gradient * directions).sum(axis=1)
        distance = _quotient_of_means(shell.nodes, loss, slope)
        limit = 0.25 * float(shell.cell.min())
        shell = shell.move(directions, np.clip(distance, -limit, limit))
    return shell


def _quotient_of_means(nodes: SurfaceNodes, above: Floats, below: Floats) -> Floats:
    """Two sums over neighbourhoods that overlap linearly, one divided by the other, at every vertex."""
    count = [max(1, round(n / _NEIGHBOURHOOD)) for n in reversed(nodes.shape)]
    place = nodes.corner / (np.array(nodes.shape[::-1], dtype=np.float64) - 1) * count
    low = np.minimum(place.astype(np.int64), np.array(count) - 1)
    part = place - low
    sides = [n + 1 for n in count]
    total = np.zeros((2, np.prod(sides)))
    corners = []
    for bits in np.ndindex(2, 2, 2):
        weight = np.prod([part[:, a] if bits[a] else 1 - part[:, a] for a in range(3)], axis=0)
        index = ((low[:, 2] + bits[2]) * sides[1] + low[:, 1] + bits[1]) * sides[0] + low[:, 0] + bits[0]
        corners.append((index, weight))
        for row, values in zip(total, (above, below), strict=True):
            row += np.bincount(index, weight * values, len(row))
    least = 1e-3 * total[1].max(initial=0.0)
    quotient = np.where(total[1] > least, total[0] / np.where(total[1] > least, total[1], 1.0), 0.0)
    return np.asarray(sum(weight * quotient[index] for index, weight in corners))


def match_volume(shell: Shell, target: float) -> Shell:
    """Move all free vertices by one distance along their normals until the volume is `target`.

    Parameters
    ----------
    shell
        The surface.
    target
        In cubic metres. What cannot be reached with every vertex within `REACH` of its voxel corner is
        approached as far as that goes.
    """
    volume = shell.volume()
    if target <= 0 or abs(volume - target) <= _EXACT * target:
        return shell
    gradient = shell.gradient()
    directions = shell.directions(gradient)
    slope = float((gradient * directions).sum())
    if slope <= 0:
        return shell
    limit = 2 * REACH * float(shell.cell.max())
    low, high = -limit, limit
    distance = 0.0
    moved = shell
    for _ in range(8):
        low, high = (distance, high) if volume < target else (low, distance)
        step = distance + (target - volume) / slope
        distance, before, last = (step if low < step < high else (low + high) / 2), distance, volume
        moved = shell.move(directions, distance)
        volume = moved.volume()
        if abs(volume - target) <= _EXACT * target:
            break
        slope = (volume - last) / (distance - before) if volume != last else slope
    return moved
