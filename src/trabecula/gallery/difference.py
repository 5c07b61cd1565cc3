"""How different two designs are: their mean difference, relative to that of unrelated designs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.gallery.symmetries import Move, symmetries

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

DIFFERENT = 0.12
"""Difference above which two designs are called different."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Compares designs of one problem on one grid, as sets of solid voxels.

    Attributes
    ----------
    free
        bool `[z, y, x]`: the voxels that are designed; passive ones say nothing.
    moves
        Moves under which the problem is itself, the identity first: images of a design count as one.
    """

    free: Mask
    moves: tuple[Move, ...]

    @classmethod
    def of(cls, discrete: DiscreteProblem) -> Comparison:
        """For the designs of a problem on its grid."""
        return cls(np.asarray(discrete.upper > discrete.lower), symmetries(discrete))

    def images(self, mask: Mask) -> tuple[Mask, ...]:
        """The different images of a design."""
        images: list[Mask] = []
        for move in self.moves:
            image = np.ascontiguousarray(move.apply(mask))
            if not any(np.array_equal(image, known) for known in images):
                images.append(image)
        return tuple(images)

    def difference(self, one: Mask, other: Mask) -> float:
        """The share of voxels in which two designs differ, divided by what it is in the mean for two designs
        of the same volumes that have nothing to do with each other. The nearest image counts.

        Returns
        -------
        float
            0 for the same design or an image of it, 1 for unrelated designs, more for opposed ones.
        """
        return self.least(one, self.images(other))

    def least(self, one: Mask, others: Iterable[Mask]) -> float:
        """The least difference of a design from several, images not looked at; infinite without any."""
        mine = one[self.free]
        return min((_relative(mine, other[self.free]) for other in others), default=float("inf"))

    def matrix(self, masks: Sequence[Mask]) -> Array:
        """Differences of all pairs, `[design, design]`, symmetric."""
        found = np.zeros((len(masks), len(masks)))
        for k, mask in enumerate(masks):
            images = self.images(mask)
            for j in range(k):
                found[k, j] = found[j, k] = self.least(masks[j], images)
        return found


def _relative(one: Mask, other: Mask) -> float:
    """The mean difference of two designs, relative to unrelated ones; 0 where there can be none."""
    if not one.size:
        return 0.0
    p, q = float(one.mean()), float(other.mean())
    unrelated = p * (1.0 - q) + q * (1.0 - p)
    return float((one ^ other).mean()) / unrelated if unrelated else 0.0


def solid_voxels(physical: Array, discrete: DiscreteProblem) -> Mask:
    """The densest voxels of a design, as many as its material fills; passive ones are what they are.

    Parameters
    ----------
    physical
        float64 `[z, y, x]`: physical density.
    """
    free = discrete.upper > discrete.lower
    values = physical[free]
    count = round(float(values.sum()))
    chosen = np.zeros(values.size, bool)
    chosen[np.argsort(-values, kind="stable")[:count]] = True
    mask = np.asarray(discrete.lower >= 0.5)
    mask[free] = chosen
    return mask
