"""The thickness of members: of the thinnest, and of the thickest place, of a set of voxels.

The thickness of a member is the diameter of the largest balls that fit into it (local thickness, Hildebrand &
Ruegsegger 1997). The centres of such balls are the skeleton of the set (Lantuejoul 1978; Serra 1982, chapter
XI): where a ball fits that no larger one beside it replaces. All corners and edges have skeletons too, with
balls as small as one likes, and say nothing of members. So a place of the skeleton counts where it belongs to

* a neck: a piece of the skeleton that thicker ones meet on two sides,
* an arm that ends: a piece that is longer than it is thick,
* or all of a body: a piece that nothing thicker meets.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.components import label
from trabecula.numerics.inscribed_balls import RIM, ROUNDING, InscribedBalls, cover, places_beside

Mask = NDArray[np.bool_]

BESIDE = 2
"""Voxels around a piece within which what is thicker must hang together to count as one side."""

SHORT = 1.5
"""Voxels by which a piece of the skeleton must be longer than half its thickness to be an arm: corners as
sharp as 30 degrees have shorter ones."""


def measure_members(inside: Mask, spacing: tuple[float, ...]) -> tuple[float, float] | None:
    """Thickness of the thinnest member of a set of voxels, and of its thickest place, each to a voxel.

    Parameters
    ----------
    inside
        bool `[z, y, x]` or `[y, x]`; outside of the array there is nothing of it.
    spacing
        Edges of a voxel along the axes of the array, any unit of length.

    Returns
    -------
    thinnest, thickest
        In the unit of the spacing; None where there is nothing.

    Examples
    --------
    >>> dumbbell = np.zeros((9, 20), dtype=bool)
    >>> dumbbell[1:8, :7] = dumbbell[1:8, 13:] = True
    >>> dumbbell[4:6] = True
    >>> measure_members(dumbbell, (0.5, 0.5))
    (1.0, 3.5)
    """
    if not inside.any():
        return None
    balls = InscribedBalls(inside, spacing)
    thickest = balls.largest()
    thinnest = _thinnest(balls, thickest)
    return thickest if thinnest is None else thinnest, thickest


def measure_gap(inside: Mask, spacing: tuple[float, ...]) -> float | None:
    """Width of the narrowest gap of a set of voxels, to a voxel: the thinnest member of what it leaves free.

    What lies around the array is free, so that a member beside the array's end has no gap there.

    Parameters
    ----------
    inside, spacing
        As for `measure_members`.

    Returns
    -------
    float or None
        None where there is none up to the longest edge of the array; a hollow that is open on one side and
        wider than deep is none.

    Examples
    --------
    >>> plate = np.ones((9, 9), dtype=bool)
    >>> plate[3:5, 3:7] = False
    >>> measure_gap(plate, (0.5, 0.5))
    1.0
    """
    if not inside.any() or inside.all():
        return None
    widest = max(n * edge for n, edge in zip(inside.shape, spacing, strict=True))
    return _thinnest(InscribedBalls(~inside, spacing, is_open=True), widest)


def find_thick(inside: Mask, diameter: float, spacing: tuple[float, ...]) -> Mask:
    """What balls of a diameter cover of a set of voxels: its opening by them (Serra 1982); same shape."""
    balls = InscribedBalls(inside, spacing)
    found = cover(balls.fit(diameter), diameter, balls.parity(diameter), spacing)
    return found[(slice(RIM, -RIM),) * inside.ndim]


def say_in_voxels(length: float, resolution: float) -> str:
    """A length in words, by the longest edge of a voxel.

    Examples
    --------
    >>> say_in_voxels(0.5, 0.5), say_in_voxels(1.5, 0.5), say_in_voxels(0.2, 0.5)
    ('one voxel', '3 voxels', "0.4 of a voxel's longest edge")
    """
    count = f"{length / resolution:.2g}"
    if float(count) < 1.0:
        return f"{count} of a voxel's longest edge"
    return "one voxel" if count == "1" else f"{float(count):g} voxels"


def _thinnest(balls: InscribedBalls, most: float) -> float | None:
    """The least diameter whose balls make a member; None where none up to `most` does."""
    diameters = balls.diameters()
    diameter = next(diameters)
    fits = balls.fit(diameter)
    for larger in diameters:
        fit_larger = balls.fit(larger)
        covered = places_beside(fit_larger, balls.parity(larger), balls.parity(diameter)) & fits
        if _holds_member(fits & ~covered, covered, diameter, balls.spacing):
            return diameter
        if larger > most:
            break
        diameter, fits = larger, fit_larger
    return None


def _holds_member(skeleton: Mask, thicker: Mask, diameter: float, spacing: tuple[float, ...]) -> bool:
    """Whether a piece of the skeleton of one thickness is a neck, an arm or a body."""
    if not skeleton.any():
        return False
    box = _box_around(skeleton, BESIDE + 1)
    skeleton, thicker = np.pad(skeleton[box], 1), np.pad(thicker[box], 1)
    pieces, count = label(skeleton, diagonal=True)
    beside = skeleton
    for _ in range(BESIDE):
        beside = grow(beside, range(skeleton.ndim))
    sides, many = label(thicker & beside, diagonal=True)
    places = np.nonzero(skeleton)
    own = pieces[places].astype(np.int64)
    met = []
    for step in product((-1, 0, 1), repeat=skeleton.ndim):
        side = sides[tuple(at + s for at, s in zip(places, step, strict=True))]
        met.append((own * (many + 1) + side)[side > 0])
    pairs = np.unique(np.concatenate(met))
    sides_of = np.bincount(pairs // (many + 1), minlength=count + 1)[1:]
    return bool((sides_of != 1).any()) or _reaches_far(skeleton, thicker, diameter, spacing)


def _reaches_far(skeleton: Mask, thicker: Mask, diameter: float, spacing: tuple[float, ...]) -> bool:
    """Whether the way along the skeleton to what is thicker is longer than that of a corner: a voxel in any
    direction, and then as far as the shortest edge, step by step."""
    shortest = min(spacing)
    allowed, reached = skeleton | thicker, thicker
    for step in range(ceil(0.5 * diameter / shortest + SHORT - 1.0 - ROUNDING) + 1):
        axes = [
            axis
            for axis, edge in enumerate(spacing)
            if step == 0 or _count(step * shortest, edge) > _count((step - 1) * shortest, edge)
        ]
        reached = grow(reached, axes) & allowed
        if not (skeleton & ~reached).any():
            return False
    return True


def _count(length: float, edge: float) -> int:
    """How many whole edges a length has."""
    return int(length / edge + ROUNDING)


def grow(mask: Mask, axes: Iterable[int]) -> Mask:
    """A mask and its neighbours along some axes, corners included; same shape."""
    found = mask
    for axis in axes:
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        wide = found.copy()
        wide[low] |= found[high]
        wide[high] |= found[low]
        found = wide
    return found


def _box_around(mask: Mask, more: int) -> tuple[slice, ...]:
    """The smallest box around a mask, and some voxels more where there are any."""
    found = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        found.append(slice(max(0, int(places[0]) - more), int(places[-1]) + 1 + more))
    return tuple(found)
