"""From stored solves to families: what a generator is shown of a problem, and designs nearly equally good."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.gallery.difference import Comparison, solid_voxels
from trabecula.gallery.sources.generator import FIELDS, generator_fields
from trabecula.learning.batches import ExampleBatch, ExampleBatches, turn
from trabecula.learning.example import Example, Half
from trabecula.learning.examples import KIND, write_cache_file
from trabecula.learning.store import Sample, read_shard
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.storage.owned import check_writable
from trabecula.storage.reading import Form, UnreadableError, read_named_arrays

NEAR = 0.1
"""How much worse than the best of its grid a design of a family may be."""

APART = 0.06
"""Least difference of two designs of a family (`trabecula.gallery.Comparison`)."""

_PART = re.compile(r"[fd]_[0-9]{1,6}")
_LARGEST = 1 << 32
"""Bytes of a cache file at most."""


@dataclass(frozen=True, eq=False)
class Family:
    """A problem on one grid, and different designs of it that are nearly equally good.

    Attributes
    ----------
    fields
        float16 `[channel, z, y, x]`: `trabecula.gallery.sources.generator.generator_fields`.
    designs
        float16 `[design, z, y, x]`: design variables, best first; two at least.
    """

    fields: Half
    designs: Half


def families_of(sample: Sample) -> Iterator[Family]:
    """A family per grid of a sample, where that has more than one good design.

    A problem with one good design says nothing about how designs differ; it is left out.
    """
    grids = grid_hierarchy(discretise(loads(sample.problem)))
    for level, grid in enumerate(grids[: len(sample.grids)]):
        runs = [run for run in sample.at(level) if run.density.shape == grid.grid.shape]
        analysis, comparison = Analysis(grid, 1), Comparison.of(grid)
        designs: list[Half] = []
        images: list[NDArray[np.bool_]] = []
        for run in runs:
            if run.merit > runs[0].merit * (1.0 + NEAR):
                break
            mask = solid_voxels(analysis.chain.physical(run.density.astype(np.float64)), grid)
            if comparison.least(mask, images) > APART:
                designs.append(run.density)
                images += comparison.images(mask)
        if len(designs) > 1:
            yield Family(generator_fields(analysis).astype(np.float16), np.stack(designs))


def load_families(shard: Path, cache: Path) -> list[Family]:
    """The families of a shard, from the cache or made and kept there.

    Raises
    ------
    UnreadableError
        If shard or cache file is damaged.
    """
    kept = cache / f"generator-{shard.stem}.npz"
    if os.path.lexists(kept):
        return _read_cache(kept)
    check_writable(kept, KIND)
    families = [family for sample in read_shard(shard).samples for family in families_of(sample)]
    named = {f"f_{i}": family.fields for i, family in enumerate(families)}
    write_cache_file(kept, named | {f"d_{i}": family.designs for i, family in enumerate(families)})
    return families


def _read_cache(path: Path) -> list[Family]:
    arrays = read_named_arrays(
        path, lambda name: Form(dtype="float16") if _PART.fullmatch(name) else None, _LARGEST
    )
    count = len(arrays) // 2
    if {f"{part}_{i}" for part in "fd" for i in range(count)} != set(arrays):
        raise UnreadableError(path, "is damaged; remove it, and it is made again")
    found = [Family(arrays[f"f_{i}"], arrays[f"d_{i}"]) for i in range(count)]
    if any(len(f.designs) < 2 or f.designs.shape[1:] != f.fields.shape[1:] for f in found):
        raise UnreadableError(path, "is damaged; remove it, and it is made again")
    return found


class FamilyBatches:
    """An endless supply of pairs of designs, each pair of one family; the same ones for the same seed.

    The families of a batch have similar shapes and are padded to one. As `ExampleBatch`, the first design of
    every pair is the base and the second the target.

    Parameters
    ----------
    families
        Of any shapes.
    patch, multiple
        Of the networks.
    count
        Pairs per batch.
    """

    def __init__(self, families: Sequence[Family], patch: int, multiple: int, count: int) -> None:
        self.families, self.count = families, count
        self._packer = ExampleBatches([], FIELDS, patch, multiple, count)
        self._shapes = np.array([sorted(family.fields.shape[1:]) for family in families])

    def draw(self, random: np.random.Generator) -> ExampleBatch:
        """One batch; every pair turned and mirrored, all with their longest sides the same way."""
        middle = self._shapes[int(random.integers(len(self.families)))]
        apart = np.abs(np.log(self._shapes / middle)).max(axis=1)
        near = np.argsort(apart, kind="stable")[: 4 * self.count]
        dimension = int(self._shapes.shape[1])
        orders = list(permutations(range(dimension)))
        wanted = orders[int(random.integers(len(orders)))]
        pairs = []
        for k in random.choice(near, self.count):
            family = self.families[int(k)]
            chosen = random.permutation(np.arange(len(family.designs)))
            example = Example(family.fields, *(family.designs[int(place)] for place in chosen[:2]))
            by_length = np.argsort(family.fields.shape[1:], kind="stable")
            order = [int(by_length[place]) for place in wanted]
            flips = [bool(flip) for flip in random.integers(2, size=dimension)]
            pairs.append(turn(example, order, flips))
        return self.batch(pairs)

    def batch(self, pairs: Sequence[Example]) -> ExampleBatch:
        """These pairs, padded to one shape, as a batch."""
        shape = np.max([pair.target.shape for pair in pairs], axis=0)
        padded = []
        for pair in pairs:
            beyond = [(0, int(n - m)) for n, m in zip(shape, pair.target.shape, strict=True)]
            padded.append(
                Example(
                    np.pad(pair.fields, [(0, 0), *beyond]),
                    np.pad(pair.base, beyond),
                    np.pad(pair.target, beyond),
                )
            )
        return self._packer.batch(padded)
