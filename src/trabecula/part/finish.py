"""The part of a design: thresholded, joined, freed of what carries nothing, and measured by a solve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.part.carve import carve
from trabecula.part.load_paths import Paths, join, loaded_nodes, touches
from trabecula.part.threshold import ROOM, Ranking
from trabecula.responses import formulate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

JOININGS = 12
"""Times that pieces are joined: what is spent on that is missing elsewhere, and may cut another."""

SOLVES = 8
"""Most solves for the lightest part that keeps its limits."""

LEVELS, JOINTS = (0.5, 0.1), 1.03
"""Densities above which voxels are material in the heavier parts of a design with own weight, and what more
the heaviest has, to join what meets at corners."""

NEAR = 2e-3
"""Relative room to a limit, or share of the volume, at which a lighter part is no longer looked for."""


@dataclass(frozen=True, eq=False)
class Shape:
    """The voxels of a part, `mask`; the `threshold` they came of, and the share that was `removed`."""

    mask: Mask
    threshold: float
    removed: float


def target_volume(discrete: DiscreteProblem, density: NDArray[np.floating]) -> float:
    """The volume that a part is given, in elements: what the design uses, to the nearest whole voxel, and no
    more than is allowed."""
    used = discrete.total(density.astype(np.float64)) + 0.5
    limit = formulate(discrete).volume_limit(discrete)
    return used if limit is None else min(used, limit * discrete.domain_volume)


def shape_part(ranking: Ranking, volume: float, forced: Mask | None = None, is_carved: bool = False) -> Shape:
    """The part of so much volume (in elements).

    Parameters
    ----------
    ranking
        Of the design's voxels.
    volume
        See `target_volume`.
    forced
        bool over elements: what is kept whatever its rank.
    is_carved
        Whether what is spent on joining comes off the surface without cutting a member (see `carve`), and not
        off what is least dense.
    """
    discrete = ranking.discrete
    mask, threshold = ranking.keep(volume, forced)
    mask = _join_all(ranking, mask, volume, forced, is_carved)
    useless = _useless(ranking, mask)
    whole = ranking.volume(mask)
    removed = ranking.volume(useless) / whole if whole and useless.any() else 0.0
    mask = ranking.grow(mask & ~useless, volume, useless) if removed else mask
    if removed and discrete.grid.volumes is not None:  # neighbours there may share no more than a node
        mask &= ~_useless(ranking, mask)
    return Shape(mask, threshold, removed)


def joined_parts(ranking: Ranking, volume: float) -> list[Shape]:
    """The parts of a volume by the two ways of making room for what is joined; one where nothing is."""
    plain = shape_part(ranking, volume)
    if not isinstance(ranking.discrete.grid, Grid) or np.array_equal(plain.mask, ranking.keep(volume)[0]):
        return [plain]
    carved = shape_part(ranking, volume, is_carved=True)
    return [plain] if np.array_equal(plain.mask, carved.mask) else [plain, carved]


def _join_all(
    ranking: Ranking, mask: Mask, volume: float, kept: Mask | None = None, is_carved: bool = False
) -> Mask:
    """The best that comes of joining what a mask of some volume leaves apart, at the same volume."""
    best, score = mask, _score(ranking, mask)
    forced = np.zeros_like(mask) if kept is None else kept.copy()
    for _ in range(JOININGS):
        wanted = join(ranking, mask)
        if not (wanted & ~mask).any():
            break
        forced |= wanted
        carved = _carve_room(ranking, mask, volume, forced) if is_carved else None
        mask = ranking.keep(volume, forced)[0] if carved is None else carved
        if ranking.volume(mask) > volume * (1.0 + ROOM):
            break  # joining takes more than there is
        found = _score(ranking, mask)
        if found > score:
            best, score = mask, found
    return best


def _carve_room(ranking: Ranking, mask: Mask, volume: float, forced: Mask) -> Mask | None:
    """A mask with what is forced, at the same volume: what carries nothing goes first, then what lies at the
    surface; None where that is not enough."""
    more = mask | forced
    more &= ~_useless(ranking, more) | forced
    carved = carve(ranking, more, volume, forced | _ends(ranking, more))
    return None if carved is None else ranking.grow(carved, volume, np.zeros_like(carved))


def _ends(ranking: Ranking, mask: Mask) -> Mask:
    """The voxels of a mask at supports and loads."""
    discrete = ranking.discrete
    nodes = discrete.fixed.any(axis=0) | loaded_nodes(discrete)
    return mask & np.asarray(discrete.grid.to_elements(nodes.astype(np.float64)) > 0.0)


def _score(ranking: Ranking, mask: Mask) -> tuple[int, int]:
    """How much of the loads a mask carries to supports, in nodes, and how few pieces it has."""
    paths = Paths.of(ranking.discrete, mask)
    carried = loaded_nodes(ranking.discrete) & touches(ranking.discrete, paths.working)
    return int(np.count_nonzero(carried)), -paths.count


def _useless(ranking: Ranking, mask: Mask) -> Mask:
    """What belongs to no load path: pieces that join no load to a support and hold no passive solid.

    Where nothing joins loads to supports, all of it is kept, for then nothing is left to keep.
    """
    paths = Paths.of(ranking.discrete, mask)
    is_useful = paths.held & paths.loaded
    if not is_useful[1:].any():
        return np.zeros_like(mask)
    is_useful[np.unique(paths.labels[ranking.solid])] = True
    is_useful[0] = True
    return np.asarray(~is_useful[paths.labels])


def choices(ranking: Ranking, density: NDArray[np.floating], volume: float) -> list[Shape]:
    """The part of a volume, and others with the greyer voxels too, as far as the volume is allowed.

    Where own weight acts a member that needs less than the width of a voxel is grey, and the part of the same
    volume has gaps there. Others have more volume, where the design uses less than it may; or they keep what
    is thinner than two voxels, and less of what is thick.

    Parameters
    ----------
    volume
        Of the design, in elements.

    Returns
    -------
    list
        The part of the volume first; all are different.
    """
    limit = formulate(ranking.discrete).volume_limit(ranking.discrete)
    most = ranking.volume(ranking.solid | ranking.free)
    if limit is not None:
        most = min(most, limit * ranking.discrete.domain_volume)
    volumes = [volume]
    solid = ranking.volume(ranking.solid)
    wanted = [solid + float(ranking.volumes[ranking.densities > level].sum()) for level in LEVELS]
    for wider in (min(most, each) for each in (*wanted, JOINTS * max(volume, *wanted))):
        if wider > volumes[-1] * (1.0 + NEAR):
            volumes.append(wider)
    found = [shape_part(ranking, each) for each in volumes]
    for level in LEVELS if isinstance(ranking.discrete.grid, Grid) else ():
        thin = ranking.mirror(ranking.free & _thin(np.asarray(density > level)))
        if thin.any() and ranking.volume(thin | ranking.solid) <= volumes[-1]:
            found.append(shape_part(ranking, volumes[-1], thin))
    return [
        shape
        for place, shape in enumerate(found)
        if not any(np.array_equal(shape.mask, other.mask) for other in found[:place])
    ]


def _thin(mask: Mask) -> Mask:
    """What of a mask lies in no block of two voxels along every axis."""
    thick = mask
    for axis in range(mask.ndim):  # the first voxels of the blocks ...
        after = np.zeros_like(thick)
        _along(after, axis, 0, -1)[...] = _along(thick, axis, 1, None)
        thick = thick & after
    for axis in range(mask.ndim):  # ... and all of them
        before = np.zeros_like(thick)
        _along(before, axis, 1, None)[...] = _along(thick, axis, 0, -1)
        thick = thick | before
    return np.asarray(mask & ~thick)


def _along(mask: Mask, axis: int, first: int, end: int | None) -> Mask:
    return mask[(slice(None),) * axis + (slice(first, end),)]


def lightest(ranking: Ranking, volume: float, excess: Callable[[Shape], float]) -> Shape:
    """The lightest part that keeps its limits, to `NEAR`; the best that was found where none does.

    Parameters
    ----------
    volume
        Of the design, in elements: where the search begins.
    excess
        By how much a part misses its limits, relative to them; one solve.
    """
    full = ranking.volume(ranking.solid | ranking.free)
    least = ranking.volume(ranking.solid)
    tried: dict[float, tuple[float, Shape]] = {}
    low, high = least, full
    for _ in range(SOLVES):
        shape = shape_part(ranking, volume)
        found = excess(shape)
        tried[volume] = (found, shape)
        low, high = (max(low, volume), high) if found > 0.0 else (low, min(high, volume))
        if -NEAR <= found <= 0.0 or high - low <= max(NEAR * high, 1.0):
            break
        volume = _next(tried, low, high)
    kept = {volume: each for volume, each in tried.items() if each[0] <= 0.0}
    best = min(kept) if kept else min(tried, key=lambda each: tried[each][0])
    return tried[best][1]


def _next(tried: dict[float, tuple[float, Shape]], low: float, high: float) -> float:
    """The next volume to try, by a secant in logarithms: compliances fall about as a power of the volume."""
    points = sorted((np.log(volume), np.log1p(found)) for volume, (found, _) in tried.items())
    points = [point for point in points if np.isfinite(point[1])]
    goal = np.log1p(-0.5 * NEAR)
    guess = 0.5 * (low + high)
    if len(points) == 1:
        guess = np.exp(points[0][0] + np.clip(0.7 * (points[0][1] - goal), -0.3, 0.3))
    elif len(points) > 1:
        one, other = sorted(points, key=lambda point: abs(point[1] - goal))[:2]
        if one[1] != other[1]:
            guess = np.exp(one[0] + (goal - one[1]) * (other[0] - one[0]) / (other[1] - one[1]))
    inside = 0.02 * (high - low)
    return float(np.clip(guess, low + inside, high - inside))


def support_masks(discrete: DiscreteProblem, selected: Sequence[tuple[Mask, Sequence[int]]]) -> list[Mask]:
    """The held degrees of freedom of each support, bool `[component, ...nodes]`; what several hold
    is the first one's.

    Parameters
    ----------
    selected
        Of every support: the nodes that it selects, and the components that it holds.

    Returns
    -------
    list
        One per support, and one more for what none of them accounts for, if there is any.
    """
    left = discrete.fixed.copy()
    found = []
    for nodes, components in selected:
        own = np.zeros_like(left)
        for component in components:
            own[component] = nodes & left[component]
        left &= ~own
        found.append(own)
    return [*found, left] if left.any() else found
