"""The sensitivity filter: densities stay as they are, the objective's gradient is averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.design.filters.smoothing import SmoothingFilter

Array = NDArray[np.float64]

SMALLEST = 1e-3
"""Densities below this count as this in the denominator (Andreassen et al. 2011, eq. 8)."""


@dataclass(frozen=True)
class SensitivityFilter:
    """`dc = smooth(x dc) / max(1e-3, x)`, a heuristic: not the gradient of any function, but a robust one.

    Source: Sigmund 1997; in the form of the 88-line code (Andreassen et al. 2011, eq. 8).
    """

    average: SmoothingFilter
    overshoots: ClassVar[bool] = False
    is_linear: ClassVar[bool] = True

    def forward(self, density: Array) -> Array:
        """The density itself, not a copy."""
        return density

    def adjoint(self, density: Array, gradient: Array) -> Array:
        """The gradient itself, not a copy."""
        return gradient

    def sensitivity(self, density: Array, gradient: Array) -> Array:
        """The averaged gradient, `[z, y, x]`."""
        averaged = self.average.forward(density * gradient)
        averaged /= np.maximum(density, SMALLEST)
        return averaged
