"""Heaviside projection: filtered densities pushed towards 0 and 1.

Source: Wang, Lazarov & Sigmund 2011, "On projection methods, convergence and robust formulations in topology
optimization", eq. 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import tanh

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """`(tanh(beta eta) + tanh(beta (x - eta))) / (tanh(beta eta) + tanh(beta (1 - eta)))`.

    Attributes
    ----------
    beta
        Steepness, above 0; towards 0 it is the identity, 32 is nearly a step.
    eta
        Threshold, between 0 and 1.

    Examples
    --------
    >>> Projection(beta=8.0).value(np.array([0.0, 0.5, 1.0]))
    array([0. , 0.5, 1. ])
    """

    beta: float
    eta: float = 0.5

    def value(self, filtered: Array) -> Array:
        """Projected densities, same shape."""
        x = filtered - self.eta
        x *= self.beta
        np.tanh(x, out=x)
        x += tanh(self.beta * self.eta)
        x /= self._range
        return x

    def derivative(self, filtered: Array) -> Array:
        """Derivative of `value`, same shape."""
        x = filtered - self.eta
        x *= self.beta
        np.tanh(x, out=x)
        np.square(x, out=x)
        np.subtract(1.0, x, out=x)
        x *= self.beta / self._range
        return x

    @property
    def _range(self) -> float:
        return tanh(self.beta * self.eta) + tanh(self.beta * (1.0 - self.eta))
