"""The method of moving asymptotes as an optimiser of the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log1p
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimizers.mma import MMA, MMAState
from trabecula.optimizers.protocol import OptimizerState
from trabecula.physics.machine import Machine
from trabecula.responses import Evaluation

Array = NDArray[np.float64]

LEAST_SHARE = 1e-6
"""Of the sum of its sensitivities, the least that an objective is taken for as its own scale: an empty part
has no volume, but its volume has a scale."""


@dataclass(frozen=True)
class MovingAsymptotes:
    """MMA for any number of constraints.

    A constraint is seen through a logarithm where it is violated: a compliance that is a million times too
    much is then far from its limit, but not out of reach.
    """

    mma: MMA

    def start(self) -> MMAState:
        """The memory before the first step."""
        return self.mma.start()

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, MMAState]:
        """The next design and memory."""
        assert isinstance(state, MMAState)
        scale = max(abs(found.objective), LEAST_SHARE * float(np.abs(found.gradient).sum()), 1e-300)
        excess = [max(0.0, c.value) for c in found.constraints]
        return replace(self.mma, move=share * self.mma.move).step(
            state,
            x,
            found.gradient / scale,
            [min(c.value, log1p(e)) for c, e in zip(found.constraints, excess, strict=True)],
            [c.gradient / (1.0 + e) for c, e in zip(found.constraints, excess, strict=True)],
            lower,
            upper,
        )

    def restore(self, arrays: Mapping[str, Array]) -> MMAState:
        """The memory whose `arrays` these are."""
        return MMAState.restore(arrays)


@dataclass(frozen=True)
class MmaKind:
    """MMA as a problem file names it."""

    name: ClassVar[str] = "mma"

    def make(self, discrete: DiscreteProblem, machine: Machine | int | None) -> MovingAsymptotes:
        """The optimiser for a problem on a grid."""
        return MovingAsymptotes(MMA(move=discrete.options.move))
