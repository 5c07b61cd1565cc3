"""A start without a network: the designs of the nearest problems of a training set.

Problems are compared as the user's history compares them (`trabecula.learning.history.describe`): supports,
loads and passive parts on a coarse lattice, a few ratios, mirror images considered. Their best designs enter
the search on the coarsest grid beside all others, and go on where they beat them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import SCRATCH
from benchmarks.ways import EIGHT, searched
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.history.describe import (
    mirror,
    mirrors,
    sketch,
    vector,
)
from trabecula.learning.store import Dataset, Sample, open_dataset
from trabecula.problem import loads
from trabecula.starts import PastDesigns
from trabecula.storage import writing
from trabecula.strategy.runner import Strategy

Array = NDArray[np.float64]
Half = NDArray[np.float16]

NEAREST = 3
"""Neighbours whose designs are tried."""


@dataclass(frozen=True, eq=False)
class Index:
    """The problems of a training set, ready to be compared.

    Attributes
    ----------
    kinds
        Problems of different kinds are never alike.
    vectors
        float16 `[problem, number]`.
    designs
        The best design of each, float16 `[z, y, x]`.
    """

    kinds: tuple[str, ...]
    vectors: Half
    designs: tuple[Half, ...]

    def nearest(self, discrete: DiscreteProblem, count: int = NEAREST) -> list[tuple[float, Array]]:
        """Distances and designs of the problems most like a given one, turned to fit; the nearest first."""
        pooled = sketch(discrete)
        fit = np.array([kind == pooled.kind for kind in self.kinds])
        if not fit.any():
            return []
        known = self.vectors.astype(np.float32)
        images = list(mirrors(discrete.grid.dimension))
        distances = np.stack(
            [
                np.linalg.norm(known - vector(mirror(pooled, axes)).astype(np.float32), axis=1)
                for axes in images
            ]
        )
        least = np.where(fit, distances.min(axis=0), np.inf)
        found = []
        for place in np.argsort(least, kind="stable")[: min(count, int(fit.sum()))]:
            axes = images[int(distances[:, place].argmin())]
            turned = np.flip(self.designs[place], tuple(-1 - axis for axis in axes))
            found.append((float(least[place]), np.ascontiguousarray(turned, dtype=np.float64)))
        return found


def build(dataset: Dataset) -> Index:
    """Describe all problems of a data set."""
    kinds, vectors, designs = [], [], []
    for sample in dataset.samples():
        pooled = sketch(discretise(loads(sample.problem)))
        kinds.append(pooled.kind)
        vectors.append(vector(pooled))
        designs.append(winner(sample))
    return Index(tuple(kinds), np.stack(vectors), tuple(designs))


def winner(sample: Sample) -> Half:
    """The best design on the finest grid."""
    return sample.run(sample.winner).density


@cache
def index_of(folder: Path) -> Index:
    """The index of a folder that `trabecula generate` wrote, kept until the folder has other shards.

    Raises
    ------
    UnreadableError
        The folder is no data set.
    """
    dataset = open_dataset(folder)
    kept = SCRATCH / f"neighbours-{_fingerprint(dataset.shards)}.npz"
    if kept.exists():
        with np.load(kept, allow_pickle=False) as arrays:
            designs = tuple(arrays[f"design_{k}"] for k in range(len(arrays["kinds"])))
            return Index(tuple(map(str, arrays["kinds"])), arrays["vectors"], designs)
    made = build(dataset)
    kept.parent.mkdir(parents=True, exist_ok=True)
    arrays_out: dict[str, NDArray[np.generic]] = {"kinds": np.array(made.kinds), "vectors": made.vectors}
    arrays_out |= {f"design_{k}": design for k, design in enumerate(made.designs)}
    writing.write_arrays(kept, arrays_out)
    return made


def _fingerprint(shards: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in shards:
        digest.update(f"{path.parent.name} {path.name} {path.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]


def neighbours(discrete: DiscreteProblem, threads: int, folder: Path) -> Strategy:
    """Designs of the nearest problems of a training set tried too, in place of further fields."""
    designs = tuple(design for _, design in index_of(folder).nearest(discrete))
    search = replace(EIGHT, also=(PastDesigns(designs),) if designs else ())
    return (yield from searched(discrete, threads, search))
