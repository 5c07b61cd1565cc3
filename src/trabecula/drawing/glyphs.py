"""Where supports and loads are drawn: a few points and arrows that stand for many nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST = 9
_FAINT = 0.25


@dataclass(frozen=True, eq=False)
class Arrows:
    """Forces to draw.

    Attributes
    ----------
    point
        float64 `[arrow, axis]`: where they act, in metres.
    direction
        float64 `[arrow, axis]`: unit vectors; zero for heat, which has no direction.
    case
        int64 `[arrow]`: load case.
    """

    point: NDArray[np.float64]
    direction: NDArray[np.float64]
    case: NDArray[np.int64]


def node_points(nodes: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Places of the chosen nodes `[z, y, x]` or `[y, x]`, float64 `[node, (x, y(, z))]` in metres."""
    return np.stack(np.nonzero(nodes)[::-1], axis=1).astype(np.float64) * np.asarray(
        spacing, dtype=np.float64
    )


def farthest_points(points: NDArray[np.float64], count: int, gap: float = 0.0) -> NDArray[np.int64]:
    """Rows of at most `count` points that lie far from each other, and no nearer than `gap` metres.

    Farthest-point sampling, ends first: evenly spaced nodes stay evenly spaced.
    """
    if not len(points):
        return np.empty(0, dtype=np.int64)
    chosen = [int(np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1)))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < count:
        farthest = int(np.argmax(distance))
        if distance[farthest] <= gap:
            break
        chosen.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(points - points[farthest], axis=1))
    return np.array(sorted(chosen))


def make_arrows(loads: NDArray[np.float64], spacing: Sequence[float]) -> Arrows:
    """A few arrows for each load case.

    Parameters
    ----------
    loads
        float64 `[case, component, z, y, x]` (or `[case, component, y, x]`) over nodes.
    spacing
        Edge lengths of a cell along x, y(, z), in metres.
    """
    dimension = len(spacing)
    points, directions, cases = (
        [np.empty((0, dimension))],
        [np.empty((0, dimension))],
        [np.empty(0, np.int64)],
    )
    for case, load in enumerate(loads):
        size = np.sqrt((load**2).sum(axis=0))
        loaded = size > _FAINT * size.max(initial=0.0)
        place = node_points(loaded, spacing)
        rows = farthest_points(place, _MOST)
        vector = load[:, loaded].T[rows]
        if len(load) == dimension:
            vector = vector / np.linalg.norm(vector, axis=1, keepdims=True)
        else:
            vector = np.zeros((len(rows), dimension))
        points.append(place[rows])
        directions.append(vector)
        cases.append(np.full(len(rows), case))
    return Arrows(np.concatenate(points), np.concatenate(directions), np.concatenate(cases))


def place_tails(drawn: Arrows, size: Sequence[float], length: float) -> NDArray[np.float64]:
    """Where the arrows begin so that they stay outside the box: they push onto it with their tip, or pull
    with their tail.

    Parameters
    ----------
    drawn
        The arrows.
    size
        Extent of the box along x, y(, z), in metres.
    length
        Length of an arrow in metres.
    """
    outward = drawn.point - np.asarray(size, dtype=np.float64) / 2
    pulls = np.einsum("ai,ai->a", outward / np.asarray(size), drawn.direction) > 1e-6
    return np.where(pulls[:, None], drawn.point, drawn.point - length * drawn.direction)
