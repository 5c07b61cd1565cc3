"""From a network's logits to a design that uses exactly the material allowed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.root_finding import root
from trabecula.responses import formulate

Array = NDArray[np.float64]

SHARPNESS = 2.0
"""What a network's logits are multiplied by: it hedges, and grey is soft at full penalty (docs/decisions)."""

FARTHEST = 40.0
"""No logit needs to be moved by more than this, either way."""


def fill(logits: NDArray[np.floating], volume: float, discrete: DiscreteProblem, chain: DesignChain) -> Array:
    """Densities whose physical volume is `volume`, by adding the same number to every logit.

    Parameters
    ----------
    logits
        `[z, y, x]`: finite; log-odds of material.
    volume
        Volume fraction wanted; met to rounding where bounds allow.

    Returns
    -------
    NDArray[np.float64]
        `[z, y, x]`, within the bounds, symmetric where the problem asks for it.
    """
    odds = chain.symmetrise(np.nan_to_num(np.asarray(logits, np.float64), posinf=30.0, neginf=-30.0))
    odds = np.clip(odds, -30.0, 30.0)

    def design(shift: float) -> Array:
        density = 1.0 / (1.0 + np.exp(-(odds + shift)))
        return np.asarray(np.clip(density, discrete.lower, discrete.upper))

    def excess(shift: float) -> float:
        return chain.volume(chain.physical(design(shift))) - volume

    if excess(-FARTHEST) >= 0.0:
        return design(-FARTHEST)
    if excess(FARTHEST) <= 0.0:
        return design(FARTHEST)
    return design(root(excess, -FARTHEST, FARTHEST, 1e-9))


def target_volume(fine: Array, discrete: DiscreteProblem, chain: DesignChain) -> float:
    """The volume fraction that the limits allow, or where they say nothing that of the design itself."""
    limit = formulate(discrete).volume_limit(discrete)
    if limit is not None:
        return limit
    return chain.volume(chain.physical(np.clip(fine, discrete.lower, discrete.upper)))


def log_odds(density: NDArray[np.floating]) -> Array:
    """The logits of densities, which are taken as 0.02 to 0.98: a start knows nothing for certain."""
    sure = np.clip(np.asarray(density, np.float64), 0.02, 0.98)
    return np.asarray(np.log(sure / (1.0 - sure)))
