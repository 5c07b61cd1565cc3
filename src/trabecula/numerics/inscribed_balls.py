"""Balls that fit into a set of voxels: where those of a diameter have their centres.

A digital ball is all voxels whose centres are nearer to its own than its radius. Its centre is that of a
voxel along an axis where the ball is an odd number of voxels wide, and between two voxels where it is an even
number wide: so a straight member of `n` voxels takes balls of up to exactly `n` voxels, whatever `n` is, and
voxels that are no cubes are measured in lengths.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil, inf, isfinite

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Squares = NDArray[np.float32]
Parity = tuple[bool, ...]
"""For every axis whether centres of balls lie between voxels."""

ROUNDING = 1e-5
"""Relative difference of lengths that counts as rounding."""

NEARLY_EQUAL = 0.25
"""Share of the shortest edge by which two diameters must differ to be told apart."""

RIM = 2
"""Layers of outside around the voxels, so that there are places between the outermost two."""


class InscribedBalls:
    """Where balls fit into a set of voxels.

    Parameters
    ----------
    inside
        bool `[z, y, x]` or `[y, x]`: the set.
    spacing
        Edges of a voxel along the axes of the array, any unit of length.
    is_open
        Whether what lies around the array belongs to the set, and balls fit there wherever they lie.
    """

    def __init__(self, inside: Mask, spacing: tuple[float, ...], *, is_open: bool = False) -> None:
        self.spacing = spacing
        self.is_open = is_open
        self._inside = np.pad(inside, RIM, constant_values=is_open)
        self._squares: dict[Parity, tuple[float, Squares]] = {}

    def diameters(self) -> Iterator[float]:
        """All diameters that are told apart, ascending: the multiples of the edges of a voxel."""
        last, counts = 0.0, [1] * len(self.spacing)
        room = NEARLY_EQUAL * min(self.spacing)
        while True:
            found = min(n * edge for n, edge in zip(counts, self.spacing, strict=True))
            counts = [
                n + (n * edge <= found * (1.0 + ROUNDING))
                for n, edge in zip(counts, self.spacing, strict=True)
            ]
            if found - last >= room:
                last = found
                yield found

    def parity(self, diameter: float) -> Parity:
        """For every axis whether a ball of a diameter has its centre between voxels."""
        return tuple(ceil(diameter / edge - ROUNDING) % 2 == 0 for edge in self.spacing)

    def fit(self, diameter: float) -> Mask:
        """The places where a ball of a diameter fits: voxels, or along an axis of even parity what lies
        between them; around the array there are `RIM` voxels more on every side.

        Between two voxels that are long compared with the ball its widest section meets no centre of a voxel.
        So along the longer edges a ball in one of the two voxels must fit as well.
        """
        parity, reach, least = self.parity(diameter), 0.5 * diameter, self._square(diameter)
        found = self._squares_of(parity, reach) >= least
        for within in self._also_within(parity):
            found &= places_beside(self._squares_of(within, reach) >= least, within, parity)
        if self.is_open:
            for axis in range(found.ndim):
                for end in (0, -1):
                    found[(slice(None),) * axis + (end,)] = True
        return np.asarray(found)

    def largest(self) -> float:
        """Diameter of the largest ball that fits into a set that is not open; 0 where the set is empty."""
        best, widest = 0.0, {}
        for diameter in self.diameters():
            parity = self.parity(diameter)
            if parity not in widest:
                widest[parity] = float(self._squares_of(parity, inf).max(initial=0.0))
            if widest[parity] >= self._square(diameter) and self.fit(diameter).any():
                best = diameter
            elif diameter > best + 2.0 * max(self.spacing):
                return best
        raise AssertionError("there are diameters without end")

    def _also_within(self, parity: Parity) -> Iterator[Parity]:
        """The other parities at which a ball must fit: some of the longer edges halved no more."""
        shortest = min(self.spacing)
        longer = [
            i for i, edge in enumerate(self.spacing) if edge > shortest * (1.0 + ROUNDING) and parity[i]
        ]
        for chosen in product((False, True), repeat=len(longer)):
            if any(chosen):
                within = {axis for axis, is_within in zip(longer, chosen, strict=True) if is_within}
                yield tuple(p and axis not in within for axis, p in enumerate(parity))

    def _square(self, diameter: float) -> float:
        return (0.5 * diameter / min(self.spacing)) ** 2 * (1.0 - ROUNDING)

    def _squares_of(self, parity: Parity, reach: float) -> Squares:
        """Squared distances from places to the nearest voxel outside, in shortest edges; right up to a reach,
        and at least that beyond it."""
        known, found = self._squares.get(parity, (0.0, None))
        if found is None or known < reach:
            reach = inf if not self.is_open else max(reach, 2.0 * known, 4.0 * max(self.spacing))
            found = self._measure(parity, reach)
            self._squares[parity] = (reach, found)
        return found

    def _measure(self, parity: Parity, reach: float) -> Squares:
        """The separable distance transform (Saito & Toriwaki 1994), axis by axis, the shortest first."""
        shortest = min(self.spacing)
        found = np.where(self._inside, np.float32(np.inf), np.float32(0.0))
        for axis in sorted(range(found.ndim), key=lambda axis: self._inside.shape[axis]):
            edge = self.spacing[axis] / shortest
            farthest = float(found.max(initial=0.0)) ** 0.5
            farthest = min(farthest, reach / shortest) / edge
            most = found.shape[axis] if not isfinite(farthest) else min(found.shape[axis], ceil(farthest))
            found = _nearest(found, axis, edge, most, between=parity[axis])
        return found


def _nearest(squares: Squares, axis: int, edge: float, most: int, between: bool) -> Squares:
    """The least of squares and squared steps along an axis of up to `most` voxels; with `between`, as seen
    from between two voxels."""
    squares = np.moveaxis(squares, axis, 0)
    length = len(squares)
    if between:
        found = np.minimum(squares[:-1], squares[1:]) + np.float32((0.5 * edge) ** 2)
    else:
        found = squares.copy()
    other = np.empty_like(found)
    for step in range(1, most + 1):
        away = np.float32(((step + 0.5 * between) * edge) ** 2)
        # place i looks at the voxels i - step and i + step, and from between i and i + 1 at i + 1 + step
        ahead = step + between
        if length - ahead <= 0:
            break
        shifted = np.add(squares[ahead:], away, out=other[: length - ahead])
        np.minimum(found[: length - ahead], shifted, out=found[: length - ahead])
        behind = found[step:]
        shifted = np.add(squares[: len(behind)], away, out=other[: len(behind)])
        np.minimum(behind, shifted, out=behind)
    return np.moveaxis(found, 0, axis)


def places_beside(places: Mask, before: Parity, after: Parity) -> Mask:
    """The places of one parity that touch places of another: half a voxel away along every axis where the
    parities differ, and the same along the others."""
    found = places
    for axis, (is_between, will_be) in enumerate(zip(before, after, strict=True)):
        if is_between == will_be:
            continue
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        if will_be:
            found = found[low] | found[high]
        else:
            wide = np.zeros([n + (i == axis) for i, n in enumerate(found.shape)], dtype=np.bool_)
            wide[low] |= found
            wide[high] |= found
            found = wide
    return found


def cover(places: Mask, diameter: float, parity: Parity, spacing: tuple[float, ...]) -> Mask:
    """The voxels of all balls of a diameter that have their centres at some places; `RIM` is left on."""
    found = np.zeros([n + p for n, p in zip(places.shape, parity, strict=True)], dtype=np.bool_)
    radii = [ceil(0.5 * diameter / edge) for edge in spacing]
    for step in product(*(range(-radius, radius + 1) for radius in radii)):
        away = [(s - 0.5 * p) * h for s, p, h in zip(step, parity, spacing, strict=True)]
        if sum(a * a for a in away) > (0.5 * diameter) ** 2 * (1.0 - ROUNDING):
            continue
        to, at = [], []
        for s, p, n in zip(step, parity, places.shape, strict=True):
            # from between i and i + 1, the voxel at i + 1/2 + (s - 1/2) is i + s
            low, high = max(0, s), min(n + p, n + s)
            to.append(slice(low, high))
            at.append(slice(low - s, high - s))
        found[tuple(to)] |= places[tuple(at)]
    return found
