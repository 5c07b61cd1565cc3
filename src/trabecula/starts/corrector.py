"""A network draws the fine design from the coarse one and its fields, in place of half grey and a ramp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.problem.discrete import DiscreteProblem
from trabecula.starts.resample import resample
from trabecula.starts.volume import fill, log_odds, target_volume
from trabecula.surrogate import Model, channels

Array = NDArray[np.float64]

SEEN = 0.15
"""Share of grey in the design whose solve gives the network its fields."""


def slightly_grey(density: Array, discrete: DiscreteProblem, chain: DesignChain, grey: float = SEEN) -> Array:
    """A coarse design on the fine grid, with a little uniform grey: no place is surely void.

    Parameters
    ----------
    density
        float64 `[z, y, x]` of any grid of the same box.
    grey
        Share of the uniform density.
    """
    fine = resample(density, discrete.grid.shape)
    volume = target_volume(fine, discrete, chain)
    return chain.symmetrise(
        np.clip((1.0 - grey) * fine + grey * volume, discrete.lower, discrete.upper),
    )


@dataclass(frozen=True)
class Corrector:
    """Hand-over by a network; whether it is taken is decided by a solve.

    Attributes
    ----------
    model
        Sees the coarse design, the slightly grey one, and its pull.
    grey
        Share of grey mixed into what it draws: wrong void costs most.
    """

    model: Model
    grey: float = SEEN

    def draw(
        self,
        coarse: Array,
        pull: NDArray[np.float32],
        discrete: DiscreteProblem,
        chain: DesignChain,
        threads: int,
    ) -> Array:
        """The fine design, float64 `[z, y, x]`, with exactly the problem's volume.

        Parameters
        ----------
        coarse
            float64 `[z, y, x]`: design of the coarser grid.
        pull
            float32 `[z, y, x]`: of `slightly_grey(coarse)` on the fine grid (`trabecula.surrogate.pull`).
        """
        design = resample(coarse, discrete.grid.shape)
        volume = target_volume(design, discrete, chain)
        fields = channels(discrete, volume, [design], [pull])
        correction = self.model.logits(fields, threads)[0]
        drawn = fill(log_odds(design) + correction, volume, discrete, chain)
        mixed = (1.0 - self.grey) * drawn + self.grey * volume
        return np.asarray(np.clip(mixed, discrete.lower, discrete.upper))
