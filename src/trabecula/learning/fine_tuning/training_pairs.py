"""Past solves as training pairs of a corrector: the coarse design handed over, and what it became."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning.example import Example
from trabecula.learning.examples import corrector_example
from trabecula.learning.history import Entry, Store
from trabecula.optimize.analysis import Analysis
from trabecula.problem import Problem, ProblemError
from trabecula.storage.reading import UnreadableError

Array = NDArray[np.float64]

MOST = 200
"""Past solves that are learned from, the newest first."""

LARGEST = 250_000
"""Voxels of a past solve; larger ones would take hours to judge."""

SHARE, LEAST = 0.25, 2
"""Share of past solves that is never trained on, and how many these are at least."""

NEEDED = 8
"""Past solves without which nothing is trained."""


@dataclass(frozen=True, eq=False)
class TrainingPair:
    """A past solve.

    Attributes
    ----------
    key
        Of the problem in the history.
    problem
        What was asked.
    coarse
        float64 `[z, y, x]`: the design of the grid before the finest.
    fine
        float32 `[z, y, x]`: the design it ended in.
    """

    key: str
    problem: Problem
    coarse: Array
    fine: NDArray[np.float32]

    def analysis(self) -> Analysis:
        """Of the finest grid."""
        return Analysis(discretise(self.problem), 1)

    def example(self) -> Example:
        """What a corrector saw, and what it should have said."""
        return corrector_example(self.analysis(), self.coarse, self.fine)


def training_pairs(store: Store, dimension: int) -> tuple[list[TrainingPair], Counter[str]]:
    """What a history holds for a corrector, the newest first, and why the others are left out."""
    found: list[TrainingPair] = []
    left: Counter[str] = Counter()
    for entry in store.entries():
        if len(entry.elements) != dimension:
            continue
        if len(found) == MOST:
            left["older than the others"] += 1
            continue
        lesson = _training_pair(store, entry)
        if isinstance(lesson, TrainingPair):
            found.append(lesson)
        else:
            left[lesson] += 1
    return found, left


def _training_pair(store: Store, entry: Entry) -> TrainingPair | str:
    """The lesson of an entry, or why there is none."""
    if not entry.converged:
        return "not converged"
    if prod(entry.elements) > LARGEST:
        return "too large"
    try:
        problem = store.problem(entry)
        if problem.goal.minimize != "compliance":
            return "with another goal than compliance"
        if problem.options.penalty <= 1.0:
            return "convex"
        grids = grid_hierarchy(discretise(problem))[:-1]
        coarser = store.coarser(entry, [grid.grid.shape for grid in grids])
        if not coarser:
            return "without coarse grids"
        return TrainingPair(entry.key, problem, coarser[-1], store.arrays(entry)[0])
    except UnreadableError as error:
        return "without coarse grids" if "does not exist" in error.reason else "damaged"
    except ProblemError:
        return "damaged"


def split_pairs(found: list[TrainingPair]) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """Those to train on, and those that are never trained on: always the same, whatever comes later.

    A hash of its key decides which part a pair belongs to, so that what was once held out stays so.
    """
    ordered = sorted(found, key=_place)
    count = max(LEAST, sum(_place(lesson) < SHARE for lesson in found))
    count = min(count, ceil(len(found) / 2))
    return ordered[count:], ordered[:count]


def _place(lesson: TrainingPair) -> float:
    """A number from 0 to 1."""
    return int.from_bytes(hashlib.sha256(lesson.key.encode()).digest()[:8]) / 2**64
