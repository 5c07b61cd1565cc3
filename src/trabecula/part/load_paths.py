"""Which pieces of a mask join loads to supports, and what is wanted where they do not.

A loaded node is carried where a piece that is held touches it. Where the threshold has left nothing there,
the densest voxel at the node is added and joined to the part along the densest way: the way whose thinnest
place is as dense as any way's, and the shortest among those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.numerics.components import Labels
from trabecula.part.threshold import Ranking, neighbours

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST = 0.25
"""Share of the material that may be spent on loads which would act on void."""

LEG = 0.03
"""Share of the material from which on a piece that is held and carries nothing is a leg that was cut off."""

MOST_WAYS = 64
"""Pieces that are joined to the part one by one."""


@dataclass(frozen=True, eq=False)
class Paths:
    """The pieces of a mask.

    Attributes
    ----------
    labels, count
        Over elements: the number of the piece, 0 outside; and how many there are.
    held, loaded
        bool `[piece + 1]`: whether a support, or a load, touches it.
    """

    labels: Labels
    count: int
    held: Mask
    loaded: Mask

    @classmethod
    def of(cls, discrete: DiscreteProblem, mask: Mask) -> Paths:
        """Find the pieces of a mask; own weight loads all that is held."""
        labels, count = discrete.grid.label_elements(mask)
        held = _touched(discrete, labels, np.asarray(discrete.fixed.any(axis=0)), count)
        loaded = _touched(discrete, labels, loaded_nodes(discrete), count)
        is_heavy = "gravity" in discrete.physics.loads and np.any(discrete.gravity)
        if is_heavy or any(acts_everywhere(discrete, case) for case in range(len(discrete.loads))):
            loaded |= held
        return cls(labels, count, held, loaded)

    @property
    def working(self) -> Mask:
        """bool over elements: pieces that are held and loaded."""
        return np.asarray((self.held & self.loaded)[self.labels])


def loaded_nodes(discrete: DiscreteProblem) -> Mask:
    """bool over nodes: where a load acts in any case; not those of a case that acts everywhere."""
    found = np.zeros(discrete.loads.shape[2:], dtype=np.bool_)
    for case, load in enumerate(discrete.loads):
        if not acts_everywhere(discrete, case):
            found |= (load != 0.0).any(axis=0)
    return found


def acts_everywhere(discrete: DiscreteProblem, case: int) -> bool:
    """Whether the load of a case acts on the whole domain, as heat that is made everywhere: no part of the
    domain can be asked to have all of it on its nodes."""
    acts = (discrete.loads[case] != 0.0).any(axis=0) | discrete.fixed.any(axis=0)
    return bool(acts[touches(discrete, ~discrete.void)].all())


def touches(discrete: DiscreteProblem, mask: Mask) -> Mask:
    """bool over nodes: those of the elements of a mask."""
    return np.asarray(discrete.grid.to_nodes(mask.astype(np.float64)) > 0.0)


def join(ranking: Ranking, mask: Mask) -> Mask:
    """Voxels that make a mask carry what it can carry; none where it lacks none.

    Pieces that meet the part in a corner or, in a solid, an edge carry load there in the model and fall apart
    in the hand: the densest voxel between the two is wanted. Pieces that stand apart and carry load, or are
    passive solid, are given a way to the largest one. Of loads that act on no piece of the part, the densest
    voxel at every node is wanted with a way to the part; none of them where they ask for more than `MOST` of
    the material.

    Parameters
    ----------
    mask
        bool over elements, from a threshold.
    """
    discrete = ranking.discrete
    if not isinstance(discrete.grid, Grid):
        return np.zeros_like(mask)
    paths = Paths.of(discrete, mask)
    works = paths.held & paths.loaded
    sizes = np.bincount(paths.labels.ravel(), minlength=paths.count + 1)
    sizes *= works if works.any() else paths.held  # where nothing joins a load to a support, what is held
    if not sizes.any():
        return np.zeros_like(mask)
    body = np.asarray(paths.labels == int(sizes.argmax()))
    wanted = _bridges(ranking, paths, body)
    works |= paths.held & (
        np.bincount(paths.labels.ravel(), minlength=len(works)) > LEG * np.count_nonzero(mask)
    )
    works[np.unique(paths.labels[ranking.solid])] = True
    works[0] = False
    apart = np.asarray(works[paths.labels]) & ~body
    if apart.any():
        wanted |= _ways(ranking, body, mask, apart)
    bare = loaded_nodes(discrete) & ~touches(discrete, body | paths.working)
    if bare.any():
        at_nodes = _densest_at(ranking, mask, bare)
        if ranking.volume(at_nodes & ~mask) <= MOST * ranking.volume(mask):
            more = mask | wanted | at_nodes
            wanted = (more & ~mask) | _ways(ranking, body, more, at_nodes)
    return ranking.mirror(wanted) & ranking.free


def _bridges(ranking: Ranking, paths: Paths, body: Mask) -> Mask:
    """For every piece that meets the body at a node, the best ranked voxel beside both."""
    discrete, found = ranking.discrete, np.zeros_like(body)
    met = np.unique(discrete.grid.contacts(paths.labels, touches(discrete, body).astype(np.int32))[:, 0])
    is_met = np.zeros(paths.count + 1, dtype=bool)
    is_met[met] = True
    is_met[np.unique(paths.labels[body])] = False
    if not is_met.any():
        return found
    between = neighbours(discrete, body) & ranking.free
    others = np.where(is_met[paths.labels], paths.labels, 0)
    pieces, voxels = [], []
    for beside in _beside(others):
        here = between & (beside > 0)
        pieces.append(beside[here])
        voxels.append(np.flatnonzero(here))
    piece, voxel = np.concatenate(pieces), np.concatenate(voxels)
    order = np.lexsort((voxel, ranking.rank.ravel()[voxel], piece))
    is_first = np.diff(piece[order], prepend=-1) != 0
    found.ravel()[voxel[order][is_first]] = True
    return found


def _beside(labels: Labels) -> Iterator[Labels]:
    """The labels of the neighbours of every element in each direction, 0 beyond the sides."""
    for axis in range(labels.ndim):
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        for to, at in ((low, high), (high, low)):
            shifted = np.zeros_like(labels)
            shifted[to] = labels[at]
            yield shifted


def _densest_at(ranking: Ranking, mask: Mask, nodes: Mask) -> Mask:
    """For each of the nodes the best ranked element at it; elements of the mask come first."""
    discrete = ranking.discrete
    worst = len(ranking.volumes) + 1
    score = np.where(ranking.free, ranking.rank, worst).astype(np.float64)
    score[mask] = -1.0
    numbered = np.cumsum(nodes.ravel(), dtype=np.int32).reshape(nodes.shape) * nodes
    around = np.asarray(discrete.grid.to_elements(nodes.astype(np.float64)) > 0.0) & (score < worst)
    labels = np.cumsum(around.ravel(), dtype=np.int32).reshape(around.shape) * around
    pairs = discrete.grid.contacts(labels.astype(np.int32), numbered.astype(np.int32))
    elements = np.flatnonzero(around.ravel())[pairs[:, 0] - 1]
    order = np.lexsort((score.ravel()[elements], pairs[:, 1]))
    is_first = np.diff(pairs[order, 1], prepend=-1) != 0
    chosen = np.zeros(mask.size, dtype=bool)
    chosen[elements[order][is_first]] = True
    return chosen.reshape(mask.shape)


def _ways(ranking: Ranking, body: Mask, mask: Mask, chosen: Mask) -> Mask:
    """The voxels on ways to the body from those pieces of a mask that chosen voxels belong to."""
    paths = Paths.of(ranking.discrete, mask)
    apart = np.zeros(paths.count + 1, dtype=bool)
    apart[np.unique(paths.labels[chosen])] = True
    apart[0] = False
    apart[np.unique(paths.labels[body])] = False
    found = np.zeros_like(mask)
    for piece in np.flatnonzero(apart)[:MOST_WAYS]:
        found |= _way(ranking, np.asarray(paths.labels == piece), body | found)
    return found


def _way(ranking: Ranking, piece: Mask, body: Mask) -> Mask:
    """The shortest way from a piece to the body among the densest ones."""
    low, high = 0, len(ranking.volumes)
    reach = _within(ranking, piece, body, high)
    if reach is None:
        return np.zeros_like(piece)
    while high - low > 1:
        middle = (low + high) // 2
        found = _within(ranking, piece, body, middle)
        if found is None:
            low = middle
        else:
            high, reach = middle, found
    return _shortest(ranking, piece, body, reach)


def _within(ranking: Ranking, piece: Mask, body: Mask, rank: int) -> Mask | None:
    """The piece of all voxels up to a rank that joins a piece to the body; None where none does."""
    allowed = piece | body | (ranking.free & (ranking.rank < rank))
    labels, _ = ranking.discrete.grid.label_elements(allowed)
    number = labels.ravel()[int(piece.argmax())]
    joined = np.asarray(labels == number)
    return joined if bool((joined & body).any()) else None


def _shortest(ranking: Ranking, piece: Mask, body: Mask, allowed: Mask) -> Mask:
    """Voxels on a shortest way, breadth first."""
    steps, front = [piece], piece
    seen = piece.copy()
    while not (front & body).any():
        front = neighbours(ranking.discrete, front) & allowed & ~seen
        if not front.any():
            return np.zeros_like(piece)
        seen |= front
        steps.append(front)
    way = np.zeros_like(piece)
    last = front & body
    for step in reversed(steps):
        candidates = np.where(step & last, ranking.rank, np.iinfo(np.int32).max)
        here = np.zeros_like(piece)
        here.ravel()[int(candidates.argmin())] = True
        way |= here
        last = neighbours(ranking.discrete, here)
    return way


def _touched(discrete: DiscreteProblem, labels: Labels, nodes: Mask, count: int) -> Mask:
    """bool `[piece + 1]`: which have a corner among the nodes."""
    touched = np.zeros(count + 1, dtype=bool)
    touched[discrete.grid.contacts(labels, nodes.astype(np.int32))[:, 0]] = True
    return touched
