"""From stored solves to what a network is trained on: fields in, the design that was reached out.

Every kind of network has one function here that turns a sample into examples; what it computes is what the
same network is given at work (`trabecula.starts`, `trabecula.strategy.learned_steps`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.discretisation.resample import resample
from trabecula.learning.example import Example, Half
from trabecula.learning.store import Sample, read_shard
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.starts import (
    log_odds,
    slightly_grey,
    target_volume,
    volume_of,
)
from trabecula.storage.owned import BUSY, check_writable, hold
from trabecula.storage.reading import Form, UnreadableError, read_named_arrays
from trabecula.strategy.learned_steps import TOLERANCE, proposer_ratios, ratio_of
from trabecula.surrogate import channels, level

Array = NDArray[np.float64]

_PART = re.compile(r"[fbt]_[0-9]{1,6}")
_LARGEST = 1 << 32
"""Bytes of a cache file at most."""


KIND = "prepared examples"
"""Of a cache's folder, in its mark."""

Maker = Callable[[Sample], Iterator[Example]]


def corrector_examples(sample: Sample) -> Iterator[Example]:
    """Coarse design and its fields on the finest grid, to the design it led to; one example a refined run."""
    discrete = discretise(loads(sample.problem))
    analysis = Analysis(discrete, 1)
    finest = len(sample.grids) - 1
    runs = {run.name: run for run in sample.runs}
    for run in sample.runs:
        if run.level != finest or run.parent not in runs:
            continue
        yield corrector_example(analysis, runs[run.parent].density.astype(np.float64), run.density)


def corrector_example(analysis: Analysis, coarse: Array, reached: NDArray[np.floating]) -> Example:
    """What a corrector sees of a coarse design, float64 `[z, y, x]` of any grid, and what it led to."""
    discrete, chain = analysis.discrete, analysis.chain
    design = resample(coarse, discrete.grid.shape)
    volume = target_volume(design, discrete, chain)
    plain = slightly_grey(coarse, discrete, chain)
    found = analysis.evaluate(plain, discrete.options.penalty, 1.0, None, TOLERANCE)
    fields = channels(discrete, volume, [design], [ratio_of(analysis, plain, found, volume)])
    return _example(fields, log_odds(design), reached)


def proposer_examples(sample: Sample) -> Iterator[Example]:
    """Uniform and convex design and their fields on the coarsest grid, to the winner of the search there.

    Nothing is corrected: what is drawn out of noise owes nothing to a design that others can have for less.
    """
    grids = grid_hierarchy(discretise(loads(sample.problem)))
    discrete = grids[0]
    analysis = Analysis(discrete, 1)
    best = min((run for run in sample.runs if run.level == 0), key=lambda run: run.merit)
    convex = sample.convex.astype(np.float64)
    volume = target_volume(convex, discrete, analysis.chain)
    fields = channels(discrete, volume, [convex], proposer_ratios(analysis, convex))
    yield _example(fields, np.zeros(discrete.grid.shape), best.density)


LEAPS = ((12, 16), (16, 24), (24, 32))
"""Pairs of iterations on the finest grid whose designs a leap is shown; the ramp takes the first ten."""


def leap_examples(sample: Sample) -> Iterator[Example]:
    """Two designs of a run on the finest grid and their fields, to where the run ended."""
    discrete = discretise(loads(sample.problem))
    chain = DesignChain(discrete, 1)
    ends = {run.name: run for run in sample.runs}
    seen = {(snap.run, snap.iteration): snap for snap in sample.snapshots}
    for name in {snap.run for snap in sample.snapshots}:
        for early, late in LEAPS:
            pair = [seen.get((name, i)) for i in (early, late)]
            if any(snap is None or snap.penalty < discrete.options.penalty for snap in pair):
                continue
            designs = [snap.density.astype(np.float32) for snap in pair if snap is not None]
            pulls = [_log_ratio(snap.sensitivity, chain) for snap in pair if snap is not None]
            fields = channels(discrete, volume_of(discrete), designs, pulls)
            yield _example(fields, log_odds(designs[-1]), ends[name].density)


MAKERS: dict[str, Maker] = {
    "corrector": corrector_examples,
    "proposer": proposer_examples,
    "leap": leap_examples,
}


def load_examples(kind: str, shard: Path, cache: Path) -> list[Example]:
    """The examples of a shard, from the cache or made and kept there.

    Raises
    ------
    UnreadableError
        If shard or cache file is damaged.
    """
    kept = cache / f"{kind}-{shard.stem}.npz"
    if os.path.lexists(kept):
        return _read_cache(kept)
    check_writable(kept, KIND)
    examples = [example for sample in read_shard(shard).samples for example in MAKERS[kind](sample)]
    arrays_out = {
        f"{part}_{i}": array
        for i, e in enumerate(examples)
        for part, array in zip("fbt", (e.fields, e.base, e.target), strict=True)
    }
    write_cache_file(kept, arrays_out)
    return examples


def _read_cache(path: Path) -> list[Example]:
    """The examples of a cache file, three arrays each.

    Raises
    ------
    UnreadableError
        If it is damaged.
    """
    arrays = read_named_arrays(
        path, lambda name: Form(dtype="float16") if _PART.fullmatch(name) else None, _LARGEST
    )
    count = len(arrays) // 3
    named = [[f"{part}_{i}" for part in "fbt"] for i in range(count)]
    if {name for names in named for name in names} != set(arrays):
        raise UnreadableError(path, "is damaged; remove it, and it is made again")
    return [Example(*(arrays[name] for name in names)) for names in named]


def write_cache_file(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file of a cache, which several processes fill."""
    with hold(path.parent, KIND, wait=BUSY) as held:
        held.write_arrays(path.name, arrays)


def prepare_all(kind: str, shards: list[Path], cache: Path, workers: int = 1) -> list[list[Example]]:
    """The examples of many shards, made by several processes."""
    if workers > 1 and any(not (cache / f"{kind}-{shard.stem}.npz").exists() for shard in shards):
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as crew:
            for _ in crew.map(partial(_prepare, kind, cache), shards):
                pass
    return [load_examples(kind, shard, cache) for shard in shards]


def _prepare(kind: str, cache: Path, shard: Path) -> int:
    return len(load_examples(kind, shard, cache))


def _example(fields: NDArray[np.float32], base: Array, target: NDArray[np.floating]) -> Example:
    return Example(fields.astype(np.float16), base.astype(np.float16), target.astype(np.float16))


def _log_ratio(sensitivity: Half, chain: DesignChain) -> NDArray[np.float32]:
    """A stored log10 sensitivity as the pull that the loop would see."""
    slope = chain.volume_gradient(chain.discrete.upper)
    free = ~chain.discrete.void & (slope > 0)
    logarithm = sensitivity.astype(np.float64) * np.log(10.0) - np.log(np.where(free, slope, 1.0))
    return level(logarithm, volume_of(chain.discrete), free)
