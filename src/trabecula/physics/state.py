"""The state equation K(x) u = f as everything above it knows it: one protocol, whoever solves it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Guess = NDArray[np.float64] | NDArray[np.float32]
"""A state to begin a solve with; single precision is enough for that."""


class Solve(NamedTuple):
    """How one solve went.

    Attributes
    ----------
    iterations
        Of conjugate gradients; 0 for a factorisation.
    residual
        |f - K u| / |f| over the free degrees of freedom.
    method
        "multigrid", "direct", "conjugate gradients", or "none" where there was no load.
    """

    iterations: int
    residual: float
    method: str = ""


class State(Protocol):
    """A state equation K(stiffness) u = f on the grid of a problem.

    States and loads are float64 `[component, z, y, x]` over nodes, in m and N (K and W for heat); what has a
    value per element is float64 `[z, y, x]`. A state vanishes on held degrees of freedom; what a load has
    there is carried by the supports. A state equation may be used by one thread at a time.
    """

    def set_stiffness(self, relative: Array) -> None:
        """Take the stiffness of every element relative to the solid material's, `[z, y, x]`."""
        ...

    def solve(self, load: Array, start: Guess | None = None, tolerance: float = 1e-5) -> tuple[Array, Solve]:
        """The state under a load, and how the solve went.

        Parameters
        ----------
        load
            Left as it is.
        start
            A state to begin with, left as it is; where the solve needs none it is not looked at.
        tolerance
            Relative residual to be reached; what was reached is in the second part of the answer.
        """
        ...

    def bilinear(self, u: Array, v: Array) -> Array:
        """`u_e K0 v_e` of every element at full density, `[z, y, x]`, in J (W K); `u` and `v` may change
        places."""
        ...

    def apply(self, u: Array) -> Array:
        """K u over all nodes, the reactions of the supports included."""
        ...


class WitnessState(State, Protocol):
    """What the certificate asks besides: to judge states that somebody else has found."""

    @property
    def is_direct(self) -> bool:
        """Whether `solve` factorises, so that its residual is that of rounding."""
        ...

    def residual(self, load: Array, u: Array) -> float:
        """|f - K u| / |f| over the free degrees of freedom, recomputed in float64."""
        ...

    def energy_and_error(self, u: Array) -> tuple[Array, Array]:
        """Element energies and a rigorous bound of their rounding errors, both `[z, y, x]`, in J (W K)."""
        ...
