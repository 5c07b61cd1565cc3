"""From stored solves to designs on the small grid, winners and losers of every level alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.examples import KIND, write_cache_file
from trabecula.learning.store import Sample, read_shard
from trabecula.problem import loads
from trabecula.storage.owned import check_writable
from trabecula.storage.reading import Form, UnreadableError, read_arrays
from trabecula.surrogate.canonical import aspects, canonical

Floats = NDArray[np.float32]

_PARTS = {"densities": np.float16, "sides": np.float32, "problems": np.int64, "levels": np.int64}


@dataclass(frozen=True, eq=False)
class DesignSet:
    """Many designs on the small grid.

    Attributes
    ----------
    densities
        float16 `[design, z, y, x]` or `[design, y, x]`: physical.
    sides
        float32 `[design, axis]`: aspects of their boxes, along the arrays' axes.
    problems
        int64 `[design]`: indices of their problems in the data set.
    levels
        int64 `[design]`: of the grids they were made on, 0 the coarsest.
    """

    densities: NDArray[np.float16]
    sides: Floats
    problems: NDArray[np.int64]
    levels: NDArray[np.int64]

    def __len__(self) -> int:
        """How many."""
        return len(self.densities)

    @classmethod
    def of(cls, parts: Iterable[DesignSet]) -> DesignSet:
        """All of these, in order."""
        listed = list(parts)
        return cls(*(np.concatenate([getattr(part, name) for part in listed]) for name in _PARTS))


@dataclass(frozen=True, eq=False)
class PhysicalDesign:
    """A design on its own grid.

    Attributes
    ----------
    density
        float64 `[z, y, x]` or `[y, x]`: physical.
    size
        Of its box, along x, y(, z), in metres.
    level
        Of its grid, 0 the coarsest.
    """

    density: NDArray[np.float64]
    size: tuple[float, ...]
    level: int


def physical_designs(sample: Sample) -> Iterator[PhysicalDesign]:
    """The physical designs of a sample; those of a grid that the ladder no longer has are left out."""
    grids = grid_hierarchy(discretise(loads(sample.problem)))
    chains: dict[int, DesignChain] = {}
    for run in sample.runs:
        grid = grids[run.level] if run.level < len(grids) else None
        if grid is None or grid.grid.shape != run.density.shape:
            continue
        chain = chains.setdefault(run.level, DesignChain(grid, 1))
        density = np.where(grid.void, 0.0, chain.physical(run.density.astype(np.float64)))
        yield PhysicalDesign(density, size_of(grid), run.level)


def size_of(discrete: DiscreteProblem) -> tuple[float, ...]:
    """Sides of a problem's box along x, y(, z), in metres."""
    grid = discrete.voxels
    return tuple(h * n for h, n in zip(grid.spacing, grid.elements, strict=True))


def small_grid_designs(sample: Sample) -> DesignSet:
    """The designs of a sample on the small grid."""
    found = list(physical_designs(sample))
    return DesignSet(
        np.stack([canonical(one.density) for one in found]).astype(np.float16),
        np.stack([aspects(one.size) for one in found]),
        np.full(len(found), sample.index, np.int64),
        np.array([one.level for one in found], np.int64),
    )


def load_designs(shard: Path, cache: Path) -> DesignSet:
    """The designs of a shard, from the cache or made and kept there.

    Raises
    ------
    UnreadableError
        If the shard is damaged.
    """
    kept = cache / f"autoencoder-{shard.stem}.npz"
    if os.path.lexists(kept):
        return _read_cache(kept)
    check_writable(kept, KIND)
    designs = DesignSet.of(small_grid_designs(sample) for sample in read_shard(shard).samples)
    write_cache_file(kept, {name: getattr(designs, name) for name in _PARTS})
    return designs


def _read_cache(path: Path) -> DesignSet:
    """The designs of a cache file.

    Raises
    ------
    UnreadableError
        If it is damaged.
    """
    arrays = read_arrays(path, {name: Form(dtype=np.dtype(kind).name) for name, kind in _PARTS.items()})
    counts = {len(array) if array.ndim else -1 for array in arrays.values()}
    if set(arrays) != set(_PARTS) or len(counts) != 1 or arrays["sides"].ndim != 2:
        raise UnreadableError(path, "is damaged; remove it, and it is made again")
    return DesignSet(*(arrays[name] for name in _PARTS))
