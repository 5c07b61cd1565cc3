"""Simulated judges with known rules, for the benchmark of taste.

A judge's rules speak of the features of a design, standardised over all designs of its problem, or of its
voxels; a judge that is of two minds answers by one of two rules, drawn anew every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.taste_pool import Pool
from trabecula.taste.features import NAMES

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Judge:
    """A judge.

    Attributes
    ----------
    name
        In tables.
    says
        The rule, in words.
    minds
        One rule, or two that it changes between: feature to what a standard deviation more of it is worth.
        "middling" is the distance of the number of holes from the middle one, "favourite" the share of voxels
        that differ from one design of the pool.
    """

    name: str
    says: str
    minds: tuple[dict[str, float], ...]

    def niceties(self, pool: Pool, raw: Array) -> Array:
        """float64 `[mind, design]`."""
        z = (raw - raw.mean(axis=0)) / np.maximum(raw.std(axis=0), 1e-9)
        columns = {name: z[:, k] for k, name in enumerate(NAMES)}
        columns["middling"] = np.abs(z[:, NAMES.index("holes")])
        favourite = pool.masks[len(pool.masks) // 3]
        apart = np.stack([_difference(mask, favourite) for mask in pool.masks])
        columns["favourite"] = (apart - apart.mean()) / max(float(apart.std()), 1e-9)
        return np.stack([sum(w * columns[name] for name, w in mind.items()) for mind in self.minds])

    def mind(self, niceties: Array, random: np.random.Generator) -> Array:
        """The niceties that one answer goes by."""
        return niceties[int(random.integers(len(niceties)))]

    def overall(self, niceties: Array) -> Array:
        """What the judge likes on the whole."""
        return niceties.mean(axis=0)


def _difference(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return min(float((one ^ np.flip(other, axes)).mean()) for axes in _flips(one.ndim))


def _flips(dimension: int) -> Sequence[tuple[int, ...]]:
    return [tuple(np.flatnonzero(bits)) for bits in np.ndindex((2,) * dimension)]


JUDGES = (
    Judge("thick", "thick members", ({"thickness": 1.0},)),
    Judge("few holes", "few holes", ({"holes": -1.0},)),
    Judge("symmetric", "symmetric", ({"symmetry": 1.0},)),
    Judge("slender", "many slender members", ({"slenderness": 1.0, "members": 0.5},)),
    Judge("diagonal", "diagonal members", ({"diagonal": 1.0},)),
    Judge(
        "mixed", "thick members, few holes, symmetric", ({"thickness": 1.0, "holes": -0.7, "symmetry": 0.7},)
    ),
    Judge("middling", "neither few nor many holes", ({"middling": -1.0},)),
    Judge("favourite", "like one design in its voxels, which no feature measures", ({"favourite": -1.0},)),
    Judge(
        "opposites", "thick members and many of them, which seldom go together",
        ({"thickness": 1.0, "members": 1.0},),
    ),
    Judge("two minds", "few holes one time, diagonal members another", ({"holes": -1.0}, {"diagonal": 1.0})),
)  # fmt: skip
