"""Optimality criteria as an optimiser of the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.optimizers.oc import OC, OCState
from trabecula.optimizers.protocol import OptimizerState
from trabecula.responses import Evaluation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class OptimalityCriteria:
    """OC for one constraint: least compliance under a volume, or least volume under a compliance."""

    oc: OC
    least_volume: bool = False

    def start(self) -> OCState:
        """The memory before the first step."""
        return self.oc.start()

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, OCState]:
        """The next design and memory."""
        assert isinstance(state, OCState)
        oc = self.oc.with_shorter_steps(share)
        (limit,) = found.constraints
        if self.least_volume:
            return oc.step_least_volume(
                state, x, limit.gradient, limit.value, found.gradient, lower, upper, adapt
            )
        return oc.step(state, x, found.gradient, limit.value, limit.gradient, lower, upper, adapt)

    def restore(self, arrays: Mapping[str, Array]) -> OCState:
        """The memory whose `arrays` these are."""
        return OCState.restore(arrays)
