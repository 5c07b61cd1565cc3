"""What every filter can do, and the filter that does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.machine import Machine

Array = NDArray[np.float64]


@runtime_checkable
class Filter(Protocol):
    """A map of densities on one grid, its derivative, and a heuristic change of sensitivities.

    A filter may inherit from this class and then gives `forward` and `adjoint`; what else is here are the
    answers of a filter that promises nothing. All arrays are float64 `[z, y, x]` (or `[y, x]`) over elements.
    """

    @property
    def overshoots(self) -> bool:
        """Whether filtered densities can lie outside 0 to 1, by more than rounding, where densities do not.

        `forward` must then return a new array, which may be changed.
        """
        return False

    @property
    def is_linear(self) -> bool:
        """Whether `forward` is linear, so that `adjoint` is the same at all densities.

        That permits a proof at penalty 1, where the problem is then convex.
        """
        return False

    def forward(self, density: Array) -> Array:
        """Filtered densities: a new array, or the density itself."""
        ...

    def adjoint(self, density: Array, gradient: Array) -> Array:
        """Gradient with respect to the density from the gradient with respect to the filtered density.

        Parameters
        ----------
        density
            Where the derivative is taken; of no account to a linear filter.
        gradient
            With respect to `forward(density)`.
        """
        ...

    def sensitivity(self, density: Array, gradient: Array) -> Array:
        """What the optimiser is given as the objective's gradient; for true filters the gradient itself."""
        return gradient


class FilterKind(Protocol):
    """A filter as a problem file names it: the same for all grids.

    Classes in the table `trabecula.FILTERS` obey it; the fields of a frozen dataclass are its keys in the
    file. A field `radius` is its length scale in metres: left out or None it is 1.5 elements, and on the
    coarse grids of a search never less.

    Attributes
    ----------
    name
        What it is called in a problem file.
    """

    name: ClassVar[str]

    def make(self, discrete: DiscreteProblem, machine: Machine) -> Filter:
        """The filter on a grid.

        Parameters
        ----------
        discrete
            The problem on the grid, whose lengths (`discrete.grid`) are in metres.
        machine
            What runs compiled loops, for filters that are made of `Cone` or `Helmholtz`.
        """
        ...


@dataclass(frozen=True)
class Identity:
    """No filter; returns its arguments themselves, not copies."""

    overshoots: ClassVar[bool] = False
    is_linear: ClassVar[bool] = True

    def forward(self, density: Array) -> Array:
        """The density itself."""
        return density

    def adjoint(self, density: Array, gradient: Array) -> Array:
        """The gradient itself."""
        return gradient

    def sensitivity(self, density: Array, gradient: Array) -> Array:
        """The gradient itself."""
        return gradient
