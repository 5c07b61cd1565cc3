"""Which points of a lattice lie inside a closed triangle surface: parity of crossings along rays.

A ray along one axis is shot through every column of points. Whether a triangle lies in the way is decided by
the even-odd rule on its three projected edges, each evaluated in the same order of its end points whichever
triangle it belongs to. So a ray through an edge or a corner hits exactly one of the triangles that meet
there, and a closed surface is crossed an even number of times, always; no jitter, no tolerance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.errors import ProblemError

Floats = NDArray[np.float64]
_PAIRS = 500_000  # triangle-column pairs looked at together: some 100 MB
_MOST_PAIRS = 1_000_000_000  # in all: minutes. A sound mesh has a few for every column and every triangle


def inside(triangles: Floats, axes: tuple[Floats, ...]) -> NDArray[np.bool_]:
    """Tell which points of a lattice lie inside a closed surface.

    Where the surface is open (a column is left an odd number of times) rays along the three axes vote.

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
    along_z, leaks = _along_last(triangles, axes)
    if not leaks:
        return along_z
    votes = along_z.astype(np.uint8)
    for axis in (0, 1):
        # The ray's axis goes last; the mask that comes back has it first.
        order = [a for a in range(3) if a != axis] + [axis]
        mask, _ = _along_last(triangles[:, :, order], tuple(axes[a] for a in order))
        votes += mask.transpose([order[::-1].index(a) for a in (2, 1, 0)])
    return np.asarray(votes >= 2)


def _along_last(triangles: Floats, axes: tuple[Floats, ...]) -> tuple[NDArray[np.bool_], bool]:
    """Parity along the last axis, bool `[last, second, first]`, and whether the surface leaks anywhere."""
    first, second, last = axes
    shape = (len(last) + 1, len(second), len(first))
    flips = np.zeros(shape, dtype=np.uint8)
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
        hit = _crosses(corners, first[column], second[row])
        corners, column, row = corners[hit], column[hit], row[hit]
        height = _height(corners, first[column], second[row])
        np.bitwise_xor.at(flips, (np.searchsorted(last, height, "left"), row, column), 1)
    parity = np.bitwise_xor.accumulate(flips, axis=0)
    return parity[:-1].astype(np.bool_), bool(parity[-1].any())


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


def _crosses(corners: Floats, x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Whether points lie in projected triangles `[n, corner, axis]`, by the even-odd rule."""
    odd = np.zeros(len(x), dtype=np.bool_)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        a, b = corners[:, i, :2], corners[:, j, :2]
        # The same order of end points for both triangles that share the edge, so that both see the same
        # number.
        swap = (a[:, 1] > b[:, 1]) | ((a[:, 1] == b[:, 1]) & (a[:, 0] > b[:, 0]))
        a, b = np.where(swap[:, None], b, a), np.where(swap[:, None], a, b)
        spans = (a[:, 1] <= y) & (y < b[:, 1])
        rise = np.where(spans, b[:, 1] - a[:, 1], 1.0)
        odd ^= spans & (x < a[:, 0] + (y - a[:, 1]) / rise * (b[:, 0] - a[:, 0]))
    return odd


def _height(corners: Floats, x: Floats, y: Floats) -> Floats:
    """Third co-ordinate of the triangles' planes over points; kept within upright ones."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    upright = np.abs(normal[:, 2]) < 1e-300
    slope = np.where(upright, 1.0, normal[:, 2])
    rise = (normal[:, 0] * (x - a[:, 0]) + normal[:, 1] * (y - a[:, 1])) / slope
    return np.asarray(np.clip(a[:, 2] - rise, corners[:, :, 2].min(axis=1), corners[:, :, 2].max(axis=1)))
