"""Shares of a load on the rim of a bore: by the arc that each node of the stair-step stands for.

Drawn in voxels, the wall of a round hole is a staircase, and which of its nodes lie within a selector's
radius changes with a hair of it. The hole itself is round: rays from its axis find the wall, and every ray
gives an equal part of the load to the selected node that is nearest to where it meets the circle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.cells import any_neighbour
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.recentre import recentre
from trabecula.problem.where import AllOf, Mask, Points
from trabecula.problem.where_parts import Round, has_stl, true_spans

Floats = NDArray[np.float64]

RAYS = 720
"""Rays around the axis; a multiple of eight, so that they lie alike in every octant."""

THICK = 1.5
"""Up to so many voxels beyond the wall it is a rim; a thicker ring is a lump of its elements."""

SMALL = 2.0
"""Selectors of a radius under so many voxels are on a rim only where there is a wall all around."""

_TIE = 1e-9


@dataclass(frozen=True)
class Rim:
    """A load's `shares` over nodes, summing to one, and the `area` of the wall that carries it (in 2-D per
    metre of thickness)."""

    shares: Floats
    area: float


def rim(part: Round, selected: Mask, material: Mask, grid: Grid) -> Rim | None:
    """Spread a total over the rim of a bore.

    Parameters
    ----------
    part
        The round selector around the bore.
    selected
        bool `[z, y, x]` over nodes: what it selects.
    material
        bool `[z, y, x]` over elements that are not passive void.
    grid
        The voxels.

    Returns
    -------
    The shares, centred where the arcs of the wall have their centroid; None where what is selected is no rim:
    it holds material further than one and a half voxels from its outline, or is a ball.
    """
    dimension = grid.dimension
    if (dimension == 3 and part.axis is None) or any(has_stl(one) for one in part.others):
        return None
    across = [a for a in range(dimension) if a != part.axis]
    centre = np.array([part.center[a] for a in across])
    spacing = tuple(grid.spacing[a] for a in across)
    layers, beside = _layers(part.axis, selected, material)
    edge = 1.0 if part.axis is None else grid.spacing[part.axis]
    used = np.flatnonzero(layers.any(axis=(1, 2))).tolist()
    weights, areas, moment = np.zeros(layers.shape), [], np.zeros(2)
    for k in used:
        place = None if part.axis is None else (part.axis, k * edge)
        wall = _Wall(centre, spacing, part, place)
        if wall.holds_material(beside[k]):
            return None
        found = wall.share(layers[k], beside[k])
        if found is None:
            continue
        counts, arc, middle = found
        areas.append(arc * edge * _length(k, used))
        weights[k] = counts * areas[-1]
        moment += middle * areas[-1]
    area = sum(areas)
    if area == 0.0:
        return None
    shares = weights[0] if part.axis is None else np.moveaxis(weights, 0, dimension - 1 - part.axis)
    wanted = dict(zip(across, (moment / area).tolist(), strict=True))
    if part.axis is not None and np.ptp(areas[1:-1] or [0.0]) <= _TIE * area:
        wanted |= _middle_along(part, used, grid)
    return Rim(recentre(np.ascontiguousarray(shares) / area, wanted, grid.spacing), area)


def _middle_along(part: Round, used: list[int], grid: Grid) -> dict[int, float]:
    """The middle along a bore between the planes that bound it, where there is wall all the way."""
    assert part.axis is not None
    size = tuple(n * h for n, h in zip(grid.elements, grid.spacing, strict=True))
    spans = [true_spans(one, size)[part.axis] for one in part.others if part.axis in true_spans(one, size)]
    if not spans:
        return {}
    low, high = max(a for a, _ in spans), min(b for _, b in spans)
    edge = grid.spacing[part.axis]
    reaches = (used[0] - 1) * edge < low and high < (used[-1] + 1) * edge
    return {part.axis: 0.5 * (low + high)} if reaches and len(used) == used[-1] - used[0] + 1 else {}


def _layers(axis: int | None, selected: Mask, material: Mask) -> tuple[Mask, Mask]:
    """The layers of nodes across a bore, and for each the elements with material beside it, `[layer, y, x]`.

    In the plane (no axis) there is one layer.
    """
    if axis is None:
        return selected[None], material[None]
    place = material.ndim - 1 - axis
    elements = np.pad(np.moveaxis(material, place, 0), ((1, 1), (0, 0), (0, 0)))
    layers = np.moveaxis(selected, place, 0)
    used = np.pad(layers.any(axis=(1, 2)), 1)
    below, above = (side[:, None, None] for side in (used[:-2], used[2:]))
    alone = ~(below | above)  # at its ends a bore counts as it is inside: the floor of a blind one is no wall
    return layers, (elements[:-1] & (below | alone)) | (elements[1:] & (above | alone))


def _length(layer: int, used: list[int]) -> float:
    """How much of the bore a layer of nodes stands for, in voxels."""
    return (0.5 * ((layer - 1 in used) + (layer + 1 in used))) or 1.0


@dataclass(frozen=True)
class _Wall:
    """The wall of a bore in one layer of nodes: its `centre` and the `spacing` along the two axes across, and
    the layer's `place` (axis and co-ordinate)."""

    centre: Floats
    spacing: tuple[float, ...]
    part: Round
    place: tuple[int, float] | None

    def holds_material(self, material: Mask) -> bool:
        """Whether there is material well inside the outline, bool `[y, x]` over elements in."""
        distance = [
            (np.arange(n) + 0.5) * h - at
            for n, h, at in zip(material.shape[::-1], self.spacing, self.centre, strict=True)
        ]
        radius = np.hypot(distance[0][None, :], distance[1][:, None])
        edge = max(self.spacing)
        return bool(material[radius < max(self.part.radius - THICK * edge, 0.75 * edge)].any())

    def share(self, selected: Mask, material: Mask) -> tuple[Floats, float, Floats] | None:
        """Part of the rays that each node gets, the length of the arc, and the middle of where rays meet it.

        Both masks are of one layer, `[y, x]`; None where no ray finds the wall or no node can carry.
        """
        carry = selected & any_neighbour(np.pad(material, 1), ())
        nodes = np.argwhere(carry)[:, ::-1] * np.array(self.spacing)
        turn = (np.arange(RAYS) + 0.5) * (2 * pi / RAYS)
        ways = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        hit = self._hits(ways, material)
        found = np.isfinite(hit)
        is_tiny = self.part.radius < SMALL * max(self.spacing)
        if not len(nodes) or not (found.all() if is_tiny else found.any()):
            return None
        radius = float(hit[found].mean())
        points = self.centre + radius * ways
        meets = found & self._asked(points)
        if not meets.any():
            return None
        points = points[meets]
        square = ((points[:, None] - nodes) ** 2).sum(axis=2)
        near = square <= square.min(axis=1, keepdims=True) + _TIE * min(self.spacing) ** 2
        given = (near / near.sum(axis=1, keepdims=True)).sum(axis=0) / len(points)
        counts = np.zeros(selected.shape)
        index = np.rint(nodes / np.array(self.spacing)).astype(np.int64)
        counts[index[:, 1], index[:, 0]] = given
        return counts, radius * 2 * pi * len(points) / RAYS, np.asarray(points.mean(axis=0))

    def _hits(self, ways: Floats, material: Mask) -> Floats:
        """How far along each ray the first element with material begins, in metres; infinity without one."""
        edge = min(self.spacing)
        steps = np.arange(0.0, self.part.radius + 1.5 * max(self.spacing), edge / 16)
        points = self.centre + steps[:, None, None] * ways
        index = np.floor(points / np.array(self.spacing)).astype(np.int64)
        inside = ((index >= 0) & (index < np.array(material.shape[::-1]))).all(axis=2)
        index = np.where(inside[..., None], index, 0)
        full = material[index[..., 1], index[..., 0]] & inside
        return np.where(full.any(axis=0), steps[full.argmax(axis=0)], np.inf)

    def _asked(self, points: Floats) -> Mask:
        """Which points of the circle the other selectors hold as well."""
        if not self.part.others:
            return np.ones(len(points), dtype=np.bool_)
        if self.place is not None:
            points = np.insert(points, self.place[0], self.place[1], axis=1)
        return AllOf(self.part.others).select(Points.of(points, 0.5 * min(self.spacing)))
