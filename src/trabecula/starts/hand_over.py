"""From a design on a coarse grid to a start on a finer one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain, Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.resample import resample
from trabecula.responses import formulate

Array = NDArray[np.float64]


class HandOver(Protocol):
    """Draws a start on a fine grid from a coarse design."""

    def start(self, density: Array, discrete: DiscreteProblem, chain: DesignChain) -> tuple[Array, Schedule]:
        """The start, float64 `[z, y, x]` of the fine grid, and the penalty schedule it needs."""
        ...


@dataclass(frozen=True)
class HalfGrey:
    """The coarse design mixed with a uniform one, and a short penalty ramp that re-decides the details.

    Attributes
    ----------
    grey
        Share of the uniform density.
    penalty
        Where the ramp begins; never above the problem's own penalty.
    ramp
        Iterations of the ramp.
    """

    grey: float = 0.5
    penalty: float = 1.5
    ramp: int = 10

    def start(self, density: Array, discrete: DiscreteProblem, chain: DesignChain) -> tuple[Array, Schedule]:
        """The start, float64 `[z, y, x]` of the fine grid, and the penalty schedule it needs."""
        end = discrete.options.penalty
        fine = resample(density, discrete.grid.shape)
        if end > self.penalty:
            volume = formulate(discrete).volume_limit(discrete)
            volume = float(fine.mean()) if volume is None else volume
            fine = (1.0 - self.grey) * fine + self.grey * volume
            schedule = Schedule(self.penalty, end, self.ramp)
        else:
            schedule = Schedule(end, end)
        return chain.symmetrise(np.clip(fine, discrete.lower, discrete.upper)), schedule
