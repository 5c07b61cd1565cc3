"""What every filter can do, and the filter that does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Filter(Protocol):
    """A linear map of densities, its transpose, and a heuristic change of the objective's sensitivities.

    All arrays are float64 `[z, y, x]` (or `[y, x]`) over elements.
    """

    @property
    def overshoots(self) -> bool:
        """Whether filtered densities can lie outside 0 to 1, by more than rounding, where densities do not.

        `forward` must then return a new array, which may be changed.
        """

    def forward(self, density: Array) -> Array:
        """Filtered densities."""

    def adjoint(self, gradient: Array) -> Array:
        """Gradient with respect to the density from the gradient with respect to the filtered density."""

    def sensitivity(self, density: Array, gradient: Array) -> Array:
        """What the optimiser is given as the objective's gradient; for true filters the gradient itself."""


@dataclass(frozen=True)
class Identity:
    """No filter; returns its arguments themselves, not copies."""

    overshoots: ClassVar[bool] = False

    def forward(self, density: Array) -> Array:
        """The density itself."""
        return density

    def adjoint(self, gradient: Array) -> Array:
        """The gradient itself."""
        return gradient

    def sensitivity(self, density: Array, gradient: Array) -> Array:
        """The gradient itself."""
        return gradient
