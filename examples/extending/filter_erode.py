"""A filter of one's own: erosion by a smooth minimum, which is no linear map.

`y = 1 - log(mean(exp(beta (1 - x)))) / beta`, with the mean of the cone around: the steeper `beta`, the
nearer to the least density in reach. Holes can then not be thinner than the cone.

Source: Sigmund 2007, "Morphology-based black and white filters for topology optimization", eqs. 15 to 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from trabecula.design.filters import Identity, SmoothingFilter, average_by_cone
from trabecula.discretisation import DiscreteProblem

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Erosion(tb.Filter):
    """The filter on one grid; what it does not say (`is_linear`, `overshoots`) is no."""

    mean: SmoothingFilter
    void: NDArray[np.bool_]
    beta: float

    def forward(self, density: Array) -> Array:
        """Eroded densities."""
        return np.asarray(1.0 - np.log(self._mean(density)) / self.beta)

    def adjoint(self, density: Array, gradient: Array) -> Array:
        """The derivative's transpose at a density."""
        back = self.mean.adjoint(density, gradient / self._mean(density))
        return np.asarray(back * np.exp(self.beta * (1.0 - density)))

    def _mean(self, density: Array) -> Array:
        """The mean of the exponentials; passive void, which is outside the filter's domain, stays void."""
        mean = self.mean.forward(np.exp(self.beta * (1.0 - density)))
        return np.where(self.void, np.exp(self.beta), mean)


@dataclass(frozen=True)
class Erode:
    """Erosion as a problem file names it: `filter: {kind: erode, radius: 0.1, beta: 4}`."""

    radius: float | None = tb.key(None, "reach; left out, 1.5 elements", unit="m", above=0.0)
    beta: float = tb.key(4.0, "steepness: a minimum where it is large, a mean where it is small", above=0.0)
    name: ClassVar[str] = "erode"

    def make(self, discrete: DiscreteProblem, machine: tb.Machine) -> tb.Filter:
        """The filter on a grid."""
        mean = average_by_cone(discrete, self.radius, machine)
        return Identity() if mean is None else Erosion(mean, discrete.void, self.beta)


tb.FILTERS.register(Erode.name, Erode)
