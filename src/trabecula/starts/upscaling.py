"""A network draws the fine design from the coarse one and its fields, in place of half grey and a ramp."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.resample import resample
from trabecula.starts.hand_over import HalfGrey
from trabecula.starts.volume import (
    SHARPNESS,
    fill,
    log_odds,
    target_volume,
)
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
class UpscalingNetwork:
    """Hand-over by a network; whether it is taken is decided by a solve.

    Attributes
    ----------
    model
        Sees the coarse design, and its pull on the fine grid.
    hand_over
        From the drawn design to the start: wrong void costs most, so grey is mixed in.
    sharpness
        Of what is drawn.
    """

    model: Model
    hand_over: HalfGrey = field(default_factory=lambda: HalfGrey(0.5, 2.0, 5))
    sharpness: float = SHARPNESS

    @classmethod
    def of(cls, model: Model) -> UpscalingNetwork:
        """With the settings its validation found best."""
        settings = model.card.settings
        hand_over = HalfGrey(settings["grey"], settings["penalty"], int(settings["ramp"]))
        return cls(model, hand_over, settings["sharpness"])

    def draw(
        self,
        coarse: Array,
        pull: NDArray[np.float32],
        discrete: DiscreteProblem,
        chain: DesignChain,
    ) -> Array:
        """The fine design, float64 `[z, y, x]`, with exactly the problem's volume.

        Parameters
        ----------
        coarse
            float64 `[z, y, x]`: design of the coarser grid.
        pull
            float32 `[z, y, x]`: of `slightly_grey(coarse)` on the fine grid
            (`trabecula.surrogate.log_sensitivity_ratio`).
        """
        design = resample(coarse, discrete.grid.shape)
        volume = target_volume(design, discrete, chain)
        fields = channels(discrete, volume, [design], [pull])
        correction = self.model.logits(fields)[0]
        return fill(self.sharpness * (log_odds(design) + correction), volume, discrete, chain)
