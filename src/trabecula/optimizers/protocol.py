"""What every optimiser is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.responses import Evaluation

Array = NDArray[np.float64]


class Optimizer(Protocol):
    """Takes one step from an evaluated design; its memory is a value passed through."""

    def start(self) -> OptimizerState:
        """The memory before the first step."""
        ...

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, OptimizerState]:
        """The next design and memory.

        `adapt` is False while penalty or projection change; `share` is how much of the move limit may be
        used.
        """
        ...

    def restore(self, arrays: Mapping[str, Array]) -> OptimizerState:
        """The memory whose `arrays` these are."""
        ...


class OptimizerState(Protocol):
    """What an optimiser remembers."""

    def arrays(self) -> dict[str, Array]:
        """The memory as named arrays."""
        ...
