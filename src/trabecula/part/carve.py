"""Material taken off a part's surface, least dense voxels first, without cutting a member.

What is spent on joining a part is missing elsewhere. Taken by rank alone, the foot of a leg may go, or all of
a thin member, for in a crisp design the densities of its voxels differ by little. A voxel is taken only where
the others around it stay joined through faces (a simple point of digital topology: Kong & Rosenfeld 1989),
and never where the part touches a support or a load.
"""

from __future__ import annotations

import heapq
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.grid import Grid
from trabecula.part.threshold import ROOM, Ranking

Mask = NDArray[np.bool_]
Offsets = tuple[tuple[int, ...], ...]


def carve(ranking: Ranking, mask: Mask, volume: float, kept: Mask) -> Mask | None:
    """Take voxels off a mask until it has so much volume (in elements).

    Parameters
    ----------
    ranking
        Of the design's voxels, on a box of voxels; mirror images are taken together.
    mask
        bool over elements.
    volume
        What it may have at most.
    kept
        bool over elements: what stays.

    Returns
    -------
    bool over elements, or None where so much cannot be taken without cutting a member.
    """
    assert isinstance(ranking.discrete.grid, Grid)
    solid = np.pad(mask, 1)
    may_go = np.pad(mask & ranking.free & ~kept, 1)
    rank = np.pad(ranking.rank, 1)
    groups = _groups(rank, may_go)
    faces, around = _offsets(mask.ndim)
    excess = int(np.count_nonzero(mask)) - int(volume * (1.0 + ROOM))
    queue = [(-number, number) for number in groups]
    heapq.heapify(queue)
    waits = set(groups)
    while excess > 0 and queue:
        _, number = heapq.heappop(queue)
        waits.discard(number)
        members = groups[number]
        if not _take(solid, members, faces, around):
            continue
        excess -= len(members)
        del groups[number]
        for place in members:
            for step in around:
                other = tuple(a + b for a, b in zip(place, step, strict=True))
                beside = int(rank[other])
                if may_go[other] and solid[other] and beside in groups and beside not in waits:
                    heapq.heappush(queue, (-beside, beside))
                    waits.add(beside)
    return None if excess > 0 else solid[(slice(1, -1),) * mask.ndim]


def _groups(rank: NDArray[np.int32], may_go: Mask) -> dict[int, list[tuple[int, ...]]]:
    """The places of every rank that may go as a whole."""
    found: dict[int, list[tuple[int, ...]]] = {}
    places = np.argwhere(may_go)
    for number, place in zip(rank[may_go].tolist(), places.tolist(), strict=True):
        found.setdefault(number, []).append(tuple(place))
    return found


def _take(solid: Mask, members: list[tuple[int, ...]], faces: Offsets, around: Offsets) -> bool:
    """Take the members of a group off, or none of them."""
    for count, place in enumerate(members):
        if not _is_simple(solid, place, faces, around):
            for other in members[:count]:
                solid[other] = True
            return False
        solid[place] = False
    return True


def _is_simple(solid: Mask, place: tuple[int, ...], faces: Offsets, around: Offsets) -> bool:
    """Whether a voxel is at the surface, and those beside it stay joined without it."""
    block = solid[tuple(slice(at - 1, at + 2) for at in place)]
    beside = [step for step in faces if block[tuple(1 + a for a in step)]]
    if not beside or len(beside) == len(faces):
        return False
    reached, front = {beside[0]}, [beside[0]]
    links = _links(solid.ndim)
    while front:
        for step in links[front.pop()]:
            if step not in reached and block[tuple(1 + a for a in step)]:
                reached.add(step)
                front.append(step)
    return reached.issuperset(beside)


@cache
def _offsets(dimension: int) -> tuple[Offsets, Offsets]:
    """Steps to the neighbours through faces, and to all that share a corner."""
    around = tuple(step for step in product((-1, 0, 1), repeat=dimension) if any(step))
    return tuple(step for step in around if sum(map(abs, step)) == 1), around


@cache
def _links(dimension: int) -> dict[tuple[int, ...], Offsets]:
    """Which of the neighbours around a voxel share a face with each other."""
    _, around = _offsets(dimension)
    return {
        one: tuple(other for other in around if sum(abs(a - b) for a, b in zip(one, other, strict=True)) == 1)
        for one in around
    }
