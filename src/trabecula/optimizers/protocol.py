"""What every optimiser is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trabecula.responses import Evaluation

Array = NDArray[np.float64]


@runtime_checkable
class Optimizer(Protocol):
    """Takes one step from an evaluated design; its memory is a value passed through.

    Classes in the table `trabecula.OPTIMIZERS` obey it, or have a method `make(discrete, machine)` that gives
    an optimiser for a grid; they have a `name`, and the fields of a frozen dataclass are their keys in the
    problem file. Two runs are the same run where the `repr` of their optimisers is the same.
    """

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
        """The memory as named arrays, so that it can be kept: `Optimizer.restore` of them is the same memory.

        Names are lower-case letters, digits and underscores; values are finite float64, each a number, a
        vector of at most 10,000, or an array in the shape of the design.
        """
        ...
