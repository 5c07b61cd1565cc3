"""From densities to solid and void: the densest voxels, so many that the material stays the same.

A fixed threshold of one half misses the volume of a design by several per cent; ranking meets it to one
voxel. Voxels that are mirror images of each other in a plane of `options.symmetry` stand and fall together,
so that the part is as symmetric as the design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.problem.model import AXES

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROOM = 5e-6
"""Relative share by which the part may have more material than asked: below what counts as a missed limit."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The voxels of a design in the order in which they become material.

    Attributes
    ----------
    discrete
        The problem on its grid.
    solid, free
        bool over elements: passive solid, and what is neither that nor passive void.
    rank
        int32 over elements: 0 for the densest group of mirror images that is free, and so on.
    densities, volumes
        float64 `[group]`: of every rank, the volume of its free voxels in elements.
    """

    discrete: DiscreteProblem
    solid: Mask
    free: Mask
    rank: NDArray[np.int32]
    densities: Array
    volumes: Array

    @classmethod
    def of(cls, discrete: DiscreteProblem, density: NDArray[np.floating]) -> Ranking:
        """Rank the voxels of a density `[z, y, x]`; equal ones in the order of the array."""
        solid = np.asarray(discrete.lower >= 1.0)
        free = np.asarray(discrete.upper > 0.0) & ~solid
        value = np.where(free, density, -1.0).astype(np.float64)
        first = np.arange(value.size, dtype=np.float64).reshape(value.shape)  # exact up to 2^53
        for axis in _mirrors(discrete):
            first = np.minimum(first, discrete.grid.mirror(first, axis))
            value = np.maximum(value, discrete.grid.mirror(value, axis))
        flat, firsts = value.ravel(), first.ravel().astype(np.int64)
        leaders = np.flatnonzero((firsts == np.arange(firsts.size)) & (flat >= 0.0))
        order = leaders[np.argsort(-flat[leaders], kind="stable")]
        rank = np.full(flat.size, len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        rank = rank[firsts]
        chosen = free.ravel()
        own = None if discrete.grid.volumes is None else discrete.grid.volumes.ravel()[chosen]
        volumes = np.bincount(rank[chosen], own, minlength=len(order)).astype(np.float64)
        return cls(discrete, solid, free, rank.reshape(free.shape), flat[order], volumes)

    def volume(self, mask: Mask) -> float:
        """Volume of a mask, in elements."""
        return self.discrete.total(mask.astype(np.float64))

    def keep(self, volume: float, forced: Mask | None = None) -> tuple[Mask, float]:
        """The mask of so much volume (in elements), passive solid and what is forced in it first.

        Returns
        -------
        mask, threshold
            bool over elements, and the density half way between the last group that was kept and the next.
        """
        begun = self.solid if forced is None else self.solid | (forced & self.free)
        groups = self.volumes
        if forced is not None:
            groups = groups.copy()
            volumes = self.discrete.grid.volumes
            inside = forced & self.free
            own = None if volumes is None else volumes[inside]
            groups -= np.bincount(self.rank[inside], own, minlength=len(groups))
        room = volume * (1.0 + ROOM) - self.volume(begun)
        count = int(np.searchsorted(np.cumsum(groups), room, side="right")) if room > 0.0 else 0
        return begun | (self.free & (self.rank < count)), self._threshold(count)

    def grow(self, mask: Mask, volume: float, avoid: Mask) -> Mask:
        """Add the best ranked neighbours until a mask has so much volume (in elements).

        Parameters
        ----------
        avoid
            bool over elements: what must not come back.
        """
        while True:
            room = volume * (1.0 + ROOM) - self.volume(mask)
            groups = np.unique(self.rank[neighbours(self.discrete, mask) & self.free & ~avoid])
            groups = groups[: max(1, len(groups) // 2)]  # what is added has neighbours of its own
            fits = np.cumsum(self.volumes[groups]) <= room
            if not fits.any():
                return mask
            taken = np.zeros(len(self.volumes) + 1, dtype=bool)
            taken[groups[fits]] = True
            mask = mask | (taken[self.rank] & self.free & ~avoid)

    def mirror(self, mask: Mask) -> Mask:
        """A mask with its mirror images in the planes of symmetry."""
        for axis in _mirrors(self.discrete):
            mask = mask | (self.discrete.grid.mirror(mask.astype(np.float64), axis) > 0.0)
        return mask

    def _threshold(self, count: int) -> float:
        kept = float(self.densities[count - 1]) if count else 1.0
        dropped = float(self.densities[count]) if count < len(self.densities) else 0.0
        return 0.5 * (kept + dropped)


def neighbours(discrete: DiscreteProblem, mask: Mask) -> Mask:
    """Elements beside a mask: those that share a face with it (an edge in 2-D); on a grid that is no box of
    voxels, a node."""
    if not isinstance(discrete.grid, Grid):
        touched = discrete.grid.to_nodes(mask.astype(np.float64)) > 0.0
        return np.asarray((discrete.grid.to_elements(touched.astype(np.float64)) > 0.0) & ~mask)
    found = np.zeros_like(mask)
    for axis in range(mask.ndim):
        low = (slice(None),) * axis + (slice(None, -1),)
        high = (slice(None),) * axis + (slice(1, None),)
        found[low] |= mask[high]
        found[high] |= mask[low]
    found &= ~mask
    return found


def _mirrors(discrete: DiscreteProblem) -> tuple[int, ...]:
    return tuple(AXES.index(name) for name in discrete.options.symmetry)
