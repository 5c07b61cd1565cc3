"""An optimiser of one's own: projected gradient steps with momentum, under one limit.

The direction is a running mean of the descent directions; the multiplier of the limit is found by bisection,
so that the step keeps the limit as far as its gradient tells. Where there are several limits it looks at the
one that is violated most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from trabecula.responses import Evaluation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Memory:
    """What is carried from step to step: the direction, float64 over elements; None before the first step."""

    direction: Array | None = None

    def arrays(self) -> dict[str, Array]:
        """The memory as named arrays, so that a solve that is interrupted goes on where it was."""
        return {} if self.direction is None else {"direction": self.direction}


@dataclass(frozen=True)
class Momentum:
    """Projected gradient steps with momentum."""

    momentum: float = tb.key(0.5, "share of the last direction that is kept", least=0.0, most=0.99)
    move: float = tb.key(0.1, "largest change of a density in one step", above=0.0, most=1.0)
    name: ClassVar[str] = "momentum"

    def start(self) -> Memory:
        """The memory before the first step."""
        return Memory()

    def step(
        self,
        state: Memory,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, Memory]:
        """The next design and memory."""
        limit = max(found.constraints, key=lambda constraint: constraint.value)
        descent = -found.gradient / max(float(np.abs(found.gradient).mean()), 1e-300)
        push = limit.gradient / max(float(np.abs(limit.gradient).mean()), 1e-300)
        before = np.zeros(x.shape) if state.direction is None or not adapt else state.direction
        direction = self.momentum * before + (1.0 - self.momentum) * descent
        move = share * self.move
        low, high = np.maximum(lower, x - move), np.minimum(upper, x + move)

        def step(multiplier: float) -> Array:
            return np.asarray(np.clip(x + move * (direction - multiplier * push), low, high))

        def excess(multiplier: float) -> float:
            return limit.value + float(np.vdot(limit.gradient, step(multiplier) - x))

        least, most = -4.0, 4.0
        for _ in range(60):
            middle = 0.5 * (least + most)
            least, most = (middle, most) if excess(middle) > 0.0 else (least, middle)
        return step(most), Memory(direction)

    def restore(self, arrays: Mapping[str, Array]) -> Memory:
        """The memory whose `arrays` these are."""
        return Memory(arrays.get("direction"))


tb.OPTIMIZERS.register(Momentum.name, Momentum)
