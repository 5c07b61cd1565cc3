"""Random problems of reserved seeds: the gate's fixed set, and replay against forgetting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.example import Example
from trabecula.learning.examples import corrector_example
from trabecula.learning.problems import draw
from trabecula.optimize.analysis import Analysis
from trabecula.strategy.grid_continuation import continue_grids
from trabecula.strategy.multistart import Search
from trabecula.strategy.runner import run_to_end
from trabecula.strategy.workbench import Workbench
from trabecula.surrogate import Model

Array = NDArray[np.float64]

FIXED, REPLAYED = 10_000_019, 10_000_079
"""Seeds of the fixed set and of replay; data to train on should have others."""

SEARCH = Search(proposals=1)
"""One ramp: any good coarse design will do."""


def problems(seed: int, dimension: int, count: int) -> Iterator[DiscreteProblem]:
    """The first problems of a reserved seed."""
    for index in range(count):
        yield prepare(draw(seed, index, dimension))[0]


def coarse_design(discrete: DiscreteProblem) -> Array:
    """The best design of the grid before the finest after a short search, float64 `[z, y, x]`."""
    candidates = run_to_end(continue_grids(Workbench(discrete, 1), SEARCH))
    return candidates[0].density


def replay_example(model: Model, discrete: DiscreteProblem) -> Example:
    """A problem with what a network says of it as the target, so that it goes on saying so.

    Source: Li & Hoiem 2016, "Learning without forgetting": the old network's answers stand in for data that
    are not at hand.
    """
    unsaid = np.zeros(discrete.grid.shape)
    asked = corrector_example(Analysis(discrete, 1), coarse_design(discrete), unsaid)
    logits = asked.base.astype(np.float32) + model.logits(asked.fields.astype(np.float32))[0]
    return Example(asked.fields, asked.base, (1.0 / (1.0 + np.exp(-logits))).astype(np.float16))
