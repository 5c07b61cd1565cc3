"""A leap that sees every element alone: its own last densities and sensitivities, no neighbours.

After Kallioras, Kazakis & Lagaros 2020 ("Accelerated topology optimization by means of deep learning",
Struct. Multidiscip. Optim., doi 10.1007/s00158-020-02545-z; DLTOP): a regression from an element's history
over the first iterations to its final density, the same for all elements of all problems, after which the
ordinary iteration goes on. Theirs is a deep belief network that sees many densities; ours sees two designs
four iterations apart and the pulls of both (what our leap network sees, less everything around), is a ridge
regression on random rectified features in closed form, and is decided by a solve as the network is. Longer
histories of densities without pulls were no better on elements held out.

`python -m benchmarks.element_history --data FOLDER` fits it on what `trabecula generate` wrote and keeps the
coefficients in element_history.json beside this file.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.ways import with_networks
from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.store import (
    Dataset,
    Sample,
    Snapshot,
    open_dataset,
    read_shard,
)
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads
from trabecula.starts import (
    ExtrapolationNetwork,
    fill,
    log_odds,
    target_volume,
    volume_of,
)
from trabecula.strategy.learned_steps import Learned
from trabecula.strategy.runner import Strategy
from trabecula.surrogate import level

Array = NDArray[np.float64]
Pull = NDArray[np.float32]

KEPT = Path(__file__).with_suffix(".json")
EARLY, LATE = 12, 16
"""Iterations on the finest grid whose designs are seen; the ramp takes the first ten."""

FEATURES, SPREAD = 256, 1.5
ELEMENTS = 1500
"""Of every run that is learned from, drawn at random."""

CHUNK = 20_000
"""Elements that are worked on at once."""

RIDGE = 1e-6
"""Of the mean square of the features."""

SHARPNESS = (1.0, 2.0, 3.0, 4.0, 6.0)
"""Factors of the drawn logits that are tried; the one whose designs are stiffest in the median is kept."""

EVERY = 8
"""Every so many-th shard is held out."""


@dataclass(frozen=True)
class Fit:
    """A regression and where it comes from.

    Attributes
    ----------
    mean, scale
        Of the five numbers an element is seen by.
    weights
        Of a constant, those numbers, and the random features of `seed`.
    sharpness
        Factor of the logits that are drawn.
    elements, seconds
        Learned from, and the time it took.
    errors
        Mean square on elements held out: of the later design as it is, and of the regression.
    data
        Seed of the training set.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    sharpness: float
    elements: int
    seconds: float
    errors: tuple[float, float]
    data: int
    seed: int = 0

    def predict(self, seen: Array) -> Array:
        """Final densities, `[element]`, of what was seen, `[element, 5]`."""
        mean, scale, weights = map(np.array, (self.mean, self.scale, self.weights))
        parts = (seen[part : part + CHUNK] for part in range(0, len(seen), CHUNK))
        change = np.concatenate([features(part, mean, scale, self.seed) @ weights for part in parts])
        return np.asarray(np.clip(seen[:, LATE_COLUMN] + change, 0.0, 1.0))


LATE_COLUMN = 2
"""Column of the later density: early density and pull, late density and pull, volume fraction."""


def features(seen: Array, mean: Array, scale: Array, seed: int) -> Array:
    """A constant, the numbers themselves, and random rectified combinations of them."""
    random = np.random.default_rng(seed)
    directions = random.standard_normal((seen.shape[1], FEATURES)) * SPREAD / np.sqrt(seen.shape[1])
    offsets = random.uniform(-SPREAD, SPREAD, FEATURES)
    scaled = (seen - mean) / scale
    return np.concatenate(
        [np.ones((len(seen), 1)), scaled, np.maximum(scaled @ directions + offsets, 0.0)], axis=1
    )


@dataclass(frozen=True)
class _Label:
    label: str = "element history"


@dataclass(frozen=True)
class _Nameless:
    card: _Label = _Label()


@dataclass(frozen=True)
class ElementHistory:
    """Takes the place of `trabecula.starts.ExtrapolationNetwork`."""

    fit: Fit
    first: int = 4
    apart: int = 4
    model: _Nameless = _Nameless()

    def draw(
        self,
        designs: Sequence[Array],
        pulls: Sequence[Pull],
        discrete: DiscreteProblem,
        chain: DesignChain,
    ) -> Array:
        """Where the iteration will end, float64 `[z, y, x]`, with the volume of the later design."""
        volume = target_volume(designs[-1], discrete, chain)
        seen = columns(designs, pulls, volume)
        predicted = self.fit.predict(seen).reshape(discrete.grid.shape)
        return fill(self.fit.sharpness * log_odds(predicted), volume, discrete, chain)


def columns(designs: Sequence[Array], pulls: Sequence[Pull], volume: float) -> Array:
    """What is seen of every element, float64 `[element, 5]`."""
    own = [part.astype(np.float64).ravel() for pair in zip(designs, pulls, strict=True) for part in pair]
    return np.stack([*own, np.full(own[0].shape, volume)], axis=1)


@dataclass(frozen=True)
class Case:
    """A run of the training set: what was seen of it, where it ended, what of it is free."""

    discrete: DiscreteProblem
    designs: tuple[Array, ...]
    pulls: tuple[Pull, ...]
    end: Array
    free: NDArray[np.bool_]


def cases(sample: Sample) -> Iterator[Case]:
    """The runs on the finest grid that were seen at both iterations."""
    discrete = discretise(loads(sample.problem))
    chain = DesignChain(discrete, 1)
    slope = chain.volume_gradient(discrete.upper)
    free = ~discrete.void & (slope > 0) & (discrete.lower < discrete.upper)
    shots = {(shot.run, shot.iteration): shot for shot in sample.snapshots}
    for name in sorted({shot.run for shot in sample.snapshots}):
        early, late = (shots.get((name, iteration)) for iteration in (EARLY, LATE))
        if early is None or late is None or early.penalty < discrete.options.penalty:
            continue
        pulls = tuple(_pull(shot, slope, free, volume_of(discrete)) for shot in (early, late))
        designs = tuple(shot.density.astype(np.float64) for shot in (early, late))
        end = sample.run(name).density.astype(np.float64)
        yield Case(
            discrete, cast("tuple[Array, Array]", designs), cast("tuple[Pull, Pull]", pulls), end, free
        )


def _pull(shot: Snapshot, slope: Array, free: NDArray[np.bool_], volume: float) -> Pull:
    """A stored log10 sensitivity as the pull that the loop would see."""
    logarithm = shot.sensitivity.astype(np.float64) * np.log(10.0) - np.log(np.where(free, slope, 1.0))
    return level(logarithm, volume, free)


def fitted(dataset: Dataset, shards: int | None = None, judged: int = 12) -> Fit:
    """Fit on a data set, sharpness chosen by solves on what is held out.

    Parameters
    ----------
    shards
        At most; None takes all.
    judged
        Runs held out that the sharpness is chosen on.
    """
    clock = time.perf_counter()
    random = np.random.default_rng(0)
    learned: list[tuple[Array, Array]] = []
    held: list[tuple[Array, Array]] = []
    judges: list[Case] = []
    for number, path in enumerate(dataset.shards[:shards]):
        is_held = number % EVERY == EVERY - 1 or (number and number == len(dataset.shards[:shards]) - 1)
        for sample in read_shard(path).samples:
            for case in cases(sample):
                (held if is_held else learned).append(_some(case, random))
                if is_held and len(judges) < judged:
                    judges.append(case)
    if not learned:
        raise ValueError("no run of the data set was long enough")
    seen, ends = _stacked(learned)
    mean, scale = seen.mean(axis=0), seen.std(axis=0) + 1e-9
    weights = _solved(seen, ends - seen[:, LATE_COLUMN], mean, scale)
    fit = Fit(
        mean=tuple(map(float, mean)),
        scale=tuple(map(float, scale)),
        weights=tuple(float(f"{w:.6g}") for w in weights),
        sharpness=SHARPNESS[0],
        elements=len(seen),
        seconds=0.0,
        errors=(0.0, 0.0),
        data=int(dataset.info["seed"]),
    )
    fit = replace(fit, sharpness=_sharpest(fit, judges), errors=_errors(fit, held or learned))
    return replace(fit, seconds=round(time.perf_counter() - clock, 1))


def _some(case: Case, random: np.random.Generator) -> tuple[Array, Array]:
    places = np.flatnonzero(case.free)
    places = random.choice(places, min(ELEMENTS, len(places)), replace=False)
    seen = columns(case.designs, case.pulls, volume_of(case.discrete))
    return seen[places], case.end.ravel()[places]


def _stacked(found: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    return np.concatenate([seen for seen, _ in found]), np.concatenate([end for _, end in found])


def _solved(seen: Array, wanted: Array, mean: Array, scale: Array) -> Array:
    """Ridge regression, the normal equations summed part by part."""
    size = 1 + seen.shape[1] + FEATURES
    normal, right = np.zeros((size, size)), np.zeros(size)
    for part in range(0, len(seen), CHUNK):
        rows = features(seen[part : part + CHUNK], mean, scale, 0)
        normal += rows.T @ rows
        right += rows.T @ wanted[part : part + CHUNK]
    normal += RIDGE * np.trace(normal) / size * np.eye(size)
    return np.asarray(np.linalg.solve(normal, right))


def _errors(fit: Fit, held: list[tuple[Array, Array]]) -> tuple[float, float]:
    seen, ends = _stacked(held)
    pair = (seen[:, LATE_COLUMN], fit.predict(seen))
    late, predicted = (round(float(np.mean((found - ends) ** 2)), 6) for found in pair)
    return late, predicted


def _sharpest(fit: Fit, judges: list[Case]) -> float:
    """The sharpness whose designs are stiffest in the median."""
    if not judges:
        return SHARPNESS[1]
    found: dict[float, list[float]] = {sharpness: [] for sharpness in SHARPNESS}
    for case in judges:
        analysis = Analysis(case.discrete, 1)
        penalty = case.discrete.options.penalty
        late = analysis.evaluate(case.designs[1], penalty).compliance
        for sharpness, ratios in found.items():
            leaper = ElementHistory(replace(fit, sharpness=sharpness))
            drawn = leaper.draw(case.designs, case.pulls, case.discrete, analysis.chain)
            ratios.append(analysis.evaluate(drawn, penalty).compliance / late)
    return min(found, key=lambda sharpness: float(np.median(found[sharpness])))


@cache
def kept(dimension: int, path: Path = KEPT) -> Fit | None:
    """The fit that is kept for problems of a dimension, if there is one."""
    entries = json.loads(path.read_text()) if path.exists() else {}
    entry = entries.get(f"{dimension}-D")
    if entry is None:
        return None
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Fit(**{**entry, **lists})


def element_history(discrete: DiscreteProblem, threads: int, fit: Fit) -> Strategy:
    """The default with a leap that sees every element alone."""
    return with_networks(discrete, threads, Learned(leaper=cast(ExtrapolationNetwork, ElementHistory(fit))))


def main() -> None:
    """Fit and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--shards", type=int, help="at most")
    parser.add_argument("--out", type=Path, default=KEPT)
    asked = parser.parse_args()
    entries = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    for folder in asked.data:
        dataset = open_dataset(folder)
        fit = fitted(dataset, asked.shards)
        entries[f"{dataset.dimension}-D"] = asdict(fit)
        print(
            f"{dataset.dimension}-D: {fit.elements} elements, {fit.seconds:.0f} s, mean square held out"
            f" {fit.errors[1]} (the later design as it is: {fit.errors[0]}), sharpness {fit.sharpness:g}"
        )
    asked.out.write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main()
