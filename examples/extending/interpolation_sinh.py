"""An interpolation of one's own: stiffness as a hyperbolic sine of the density.

Source: Bruns 2005, "A reevaluation of the SIMP method with filtering and an alternative formulation for
solid-void topology optimization".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import trabecula as tb

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sinh(tb.Interpolation):
    """`minimum + (1 - minimum) sinh(s x) / sinh(s)` with `s = sharpness (penalty - 1)`; linear at penalty 1.

    A chord of a convex curve is above it, so that the promise `below_linear` is kept and bounds are proven.
    """

    penalty: float = 3.0
    minimum: float = 1e-9
    sharpness: float = tb.key(1.0, "how quickly the penalty bends the curve", above=0.0, most=10.0)
    name: ClassVar[str] = "sinh"
    below_linear: ClassVar[bool] = True

    def value(self, density: Array) -> Array:
        """Relative stiffness."""
        x = np.maximum(density, 0.0)
        bent = x if self._s == 0.0 else np.sinh(self._s * x) / np.sinh(self._s)
        return np.asarray(self.minimum + (1.0 - self.minimum) * bent)

    def derivative(self, density: Array) -> Array:
        """Its derivative."""
        x = np.maximum(density, 0.0)
        slope = np.ones(x.shape) if self._s == 0.0 else self._s * np.cosh(self._s * x) / np.sinh(self._s)
        return np.asarray((1.0 - self.minimum) * slope)

    def with_penalty(self, penalty: float) -> Sinh:
        """The same with another penalty."""
        return replace(self, penalty=penalty)

    @property
    def _s(self) -> float:
        return self.sharpness * (self.penalty - 1.0)


tb.INTERPOLATIONS.register(Sinh.name, Sinh)
