"""Which points of a lattice lie inside the surfaces of a file: how often they wind around each point.

A ray along one axis is shot through every column of points, and crossings are counted with the side that
they come from (`ray_crossings`). Bodies that overlap are united, whichever way they are turned; which shells
bound material and which cavities is found in `shells`. Around a surface that is open, rays both ways along
all three axes vote.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.errors import ProblemError
from trabecula.problem.ray_crossings import height_over, side_of_crossing
from trabecula.problem.shells import Shells, find_shells

Floats = NDArray[np.float64]
Counts = NDArray[np.int16]
_PAIRS = 500_000  # triangle-column pairs looked at together: some 100 MB
_MOST_PAIRS = 1_000_000_000  # in all: minutes. A sound mesh has a few for every column and every triangle
_MOSTLY = 3  # of six rays
_UNLIKE = 0.1  # share of columns with as many crossings from one side as makes no sense


def inside(triangles: Floats, axes: tuple[Floats, ...]) -> NDArray[np.bool_]:
    """Tell which points of a lattice lie inside the bodies that triangles bound.

    Parameters
    ----------
    triangles
        float64 `[triangle, corner, axis]`.
    axes
        Positions along x, y and z, each float64 `[n]`, ascending and evenly spaced.

    Returns
    -------
    bool `[z, y, x]`.

    Raises
    ------
    ProblemError
        If the triangles lie over each other so often that the answer would take minutes.
    """
    return inside_shells(find_shells(triangles), axes)


def inside_shells(shells: Shells, axes: tuple[Floats, ...]) -> NDArray[np.bool_]:
    """The same of triangles that are sorted already."""
    depth = np.zeros(tuple(len(places) for places in reversed(axes)), dtype=np.int16)
    for shell, sense in enumerate(shells.senses):
        low, high = shells.boxes[shell]
        box, near = _window(axes, low, high)
        if all(len(places) for places in near):
            crossings, _ = _crossings(shells.of(shell), near)
            depth[box] += np.int16(sense) * (np.cumsum(crossings, axis=0, dtype=np.int16)[:-1] != 0)
    found = depth > 0
    loose = shells.of(-1)
    if len(loose):
        box, near = _window(axes, loose.min(axis=(0, 1)), loose.max(axis=(0, 1)))
        if all(len(places) for places in near):
            found[box] |= _vote(loose, near)
    return np.asarray(found)


def _window(
    axes: tuple[Floats, ...], low: Floats, high: Floats
) -> tuple[tuple[slice, ...], tuple[Floats, ...]]:
    """The part of a lattice within a box, as slices `[z, y, x]` and positions along x, y, z."""
    cuts = [
        slice(int(np.searchsorted(places, a, "left")), int(np.searchsorted(places, b, "right")))
        for places, a, b in zip(axes, low, high, strict=True)
    ]
    return tuple(reversed(cuts)), tuple(places[cut] for places, cut in zip(axes, cuts, strict=True))


def _vote(triangles: Floats, axes: tuple[Floats, ...]) -> NDArray[np.bool_]:
    """Points that more than half of six rays find inside a surface with openings.

    Where triangles are turned alike the rays count windings, so that bodies may overlap; else only whether
    they cross an even or an odd number of triangles.
    """
    windings, parities, senseless, crossed = [], [], 0, 0
    for axis in (2, 0, 1):
        # The ray's axis goes last, in turn, so that left stays left; the mask that comes back has it first.
        order = [(axis + 1) % 3, (axis + 2) % 3, axis]
        steps, flips = _crossings(triangles[:, :, order], tuple(axes[a] for a in order))
        back = [order[::-1].index(a) for a in (2, 1, 0)]
        total, odd = steps.sum(axis=0, dtype=np.int16), np.bitwise_xor.reduce(flips, axis=0)
        senseless += int(((odd == 0) & (total != 0)).sum())
        crossed += int(((steps != 0) | (flips != 0)).any(axis=0).sum())
        below = np.cumsum(steps, axis=0, dtype=np.int16)[:-1]
        parity = np.bitwise_xor.accumulate(flips, axis=0)[:-1]
        windings += [below.transpose(back), (below - total).transpose(back)]
        parities += [parity.transpose(back), (parity ^ odd).transpose(back)]
    if senseless <= _UNLIKE * crossed:
        votes = np.sum([np.sign(one) for one in windings], axis=0)
    else:
        votes = np.sum(parities, axis=0, dtype=np.int16)
    return np.asarray(np.abs(votes) > _MOSTLY)


def _crossings(triangles: Floats, axes: tuple[Floats, ...]) -> tuple[Counts, NDArray[np.uint8]]:
    """What a ray along the last axis meets below every point, `[last + 1, second, first]` each.

    First what each step adds to the winding number, then whether the number of crossings is odd; the last
    layer holds what lies above all points.
    """
    first, second, last = axes
    shape = (len(last) + 1, len(second), len(first))
    steps, flips = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.uint8)
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    span0 = np.searchsorted(first, low[:, 0], "left"), np.searchsorted(first, high[:, 0], "right")
    span1 = np.searchsorted(second, low[:, 1], "left"), np.searchsorted(second, high[:, 1], "right")
    wide, tall = span0[1] - span0[0], span1[1] - span1[0]
    pairs = wide * tall
    if pairs.sum() > _MOST_PAIRS:
        raise ProblemError("stl", "covers the domain with too many large triangles", "", "simplify the mesh")
    for chunk in _chunks(pairs):
        which = np.repeat(np.arange(chunk.start, chunk.stop), pairs[chunk])
        if which.size == 0:
            continue
        start = np.cumsum(pairs[chunk]) - pairs[chunk]
        place = np.arange(which.size) - np.repeat(start, pairs[chunk])
        column = span0[0][which] + place % wide[which]
        row = span1[0][which] + place // wide[which]
        corners = triangles[which]
        side = side_of_crossing(corners, first[column], second[row])
        hit = side != 0
        corners, column, row = corners[hit], column[hit], row[hit]
        height = height_over(corners, first[column], second[row])
        layer = np.searchsorted(last, height, "left")
        # Seen from above a triangle that faces up runs counter-clockwise: upwards, the body is left there.
        np.add.at(steps, (layer, row, column), -side[hit].astype(np.int16))
        np.bitwise_xor.at(flips, (layer, row, column), 1)
    return steps, flips


def _chunks(pairs: NDArray[np.intp]) -> list[slice]:
    """Cut the triangles into runs of at most `_PAIRS` pairs (or one triangle, if that alone has more)."""
    total = np.cumsum(pairs)
    cuts, begin = [], 0
    while begin < len(pairs):
        done = total[begin - 1] if begin else 0
        end = max(int(np.searchsorted(total, done + _PAIRS, "right")), begin + 1)
        cuts.append(slice(begin, end))
        begin = end
    return cuts
