"""The densities for which a bound holds: all of them on the mesh, or only those a linear filter can make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from trabecula.design import DesignChain

Array = NDArray[np.float64]

FILTER_ROUNDING = 1e-9
"""Relative widening of a bound with a filter inside, whose own rounding is not followed term by term."""


class Designs(Protocol):
    """A set of physical densities: an affine image of the box `lower <= x <= upper`."""

    @property
    def rounding(self) -> float:
        """Relative error of the two maps."""
        ...

    def physical(self, x: Array) -> Array:
        """Physical density of design variables, float64 `[z, y, x]`."""
        ...

    def adjoint(self, gradient: Array) -> Array:
        """Transpose of the linear part: gradient with respect to the design variables."""
        ...


class AnyDensity:
    """Every density within the bounds, however it was made: filtered, projected, black and white."""

    rounding = 0.0

    def physical(self, x: Array) -> Array:
        """The design variables themselves."""
        return x

    def adjoint(self, gradient: Array) -> Array:
        """The gradient itself."""
        return gradient


class FilteredDensity:
    """What a linear design chain makes: density filter, symmetry, passive parts.

    Parameters
    ----------
    chain
        The chain of the problem.

    Raises
    ------
    ValueError
        If the chain projects, clips, or has a nonlinear filter: then the map is not linear and no knapsack
        bounds it.
    """

    rounding = FILTER_ROUNDING

    def __init__(self, chain: DesignChain) -> None:
        if not chain.is_linear:
            does = "clips what its filter makes" if chain.clips else "has a nonlinear filter"
            does = "projects" if chain.projects else does
            raise ValueError(
                f"the chain {does}, so its densities are no linear image of the design variables"
            )
        self._chain = chain
        self._anywhere = chain.discrete.lower

    def physical(self, x: Array) -> Array:
        """Filtered density with passive parts in place."""
        return self._chain.physical(x)

    def adjoint(self, gradient: Array) -> Array:
        """Gradient with respect to the design variables, zero where they are not free."""
        return self._chain.pullback(self._anywhere, 1.0, gradient)
