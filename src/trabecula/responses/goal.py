"""What is minimised and what is limited: value and sensitivity side by side, with respect to physical
densities.

A goal sees the response of all load cases at one design. Adding a goal is one class with `value` and
`sensitivity`. Compliance with own weight: Bruyneel & Duysinx 2005, "Note on topology optimization of
continuum structures including self-weight", eq. 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.body_force import body_force_adjoint

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Response:
    """How a design answers its load cases; all a goal may look at.

    Attributes
    ----------
    physical
        Physical densities `[z, y, x]`.
    stiffness_derivative
        Derivative of the relative stiffness with respect to the physical density, `[z, y, x]`.
    energies
        One a case: `u_e K0_e u_e` of every voxel at full stiffness, `[z, y, x]`, in J (W K for heat).
    compliances
        One a case: load times displacement, own weight included, in J (W K for heat).
    displacements
        One a case: `[component, z, y, x]` over nodes in m; needed (else None) for cases with own weight.
    """

    physical: Array
    stiffness_derivative: Array
    energies: Sequence[Array]
    compliances: Sequence[float]
    displacements: Sequence[Array | None] = ()


class Goal(Protocol):
    """A function of the response; as a constraint it is met where its value is not above zero."""

    def value(self, response: Response) -> float:
        """The function's value."""

    def sensitivity(self, response: Response) -> Array:
        """Its gradient with respect to the physical densities, `[z, y, x]`."""


@dataclass(frozen=True)
class Compliance:
    """Weighted sum over the load cases of load times displacement (for heat: load times temperature).

    `dC/dx = sum over cases of weight (2 u . df/dx - E'(x) u_e K0 u_e)`; `df/dx` is own weight.
    """

    discrete: DiscreteProblem
    weights: tuple[float, ...]

    def value(self, response: Response) -> float:
        """Weighted compliance in J (W K for heat)."""
        return float(sum(w * c for w, c in zip(self.weights, response.compliances, strict=True)))

    def sensitivity(self, response: Response) -> Array:
        """Gradient with respect to the physical densities, `[z, y, x]`."""
        gradient = np.zeros(self.discrete.grid.shape)
        for weight, energy in zip(self.weights, response.energies, strict=True):
            if weight != 0.0:
                gradient -= energy if weight == 1.0 else weight * energy
        gradient *= response.stiffness_derivative
        for case, weight in enumerate(self.weights):
            if weight == 0.0 or not np.any(self.discrete.gravity[case]):
                continue
            u = response.displacements[case]
            assert u is not None, "own weight needs the displacement of its case"
            gradient += (2.0 * weight) * body_force_adjoint(self.discrete, u, case)
        return gradient


@dataclass(frozen=True)
class Volume:
    """Used fraction of the domain that is not passive void."""

    discrete: DiscreteProblem

    def value(self, response: Response) -> float:
        """Volume fraction."""
        return self.discrete.volume_fraction(response.physical)

    def sensitivity(self, response: Response) -> Array:
        """Gradient with respect to the physical densities, `[z, y, x]`."""
        return np.full(self.discrete.grid.shape, 1.0 / self.discrete.domain_volume)


@dataclass(frozen=True)
class Limited:
    """A goal held below a positive limit, as the constraint `goal / limit - 1 <= 0`."""

    goal: Goal
    limit: float

    def value(self, response: Response) -> float:
        """`goal / limit - 1`."""
        return self.goal.value(response) / self.limit - 1.0

    def sensitivity(self, response: Response) -> Array:
        """Gradient with respect to the physical densities, `[z, y, x]`."""
        gradient = self.goal.sensitivity(response)
        gradient /= self.limit
        return gradient


@dataclass(frozen=True)
class Formulation:
    """One objective and its constraints."""

    objective: Goal
    constraints: tuple[Limited, ...]


def formulate(discrete: DiscreteProblem) -> Formulation:
    """The objective and constraints a problem's goal stands for.

    Volume is minimised under one limit on the weighted compliance, or under one a load case where several are
    given.
    """
    goal = discrete.goal
    weights = tuple(float(w) for w in discrete.weights)
    if goal.minimize != "volume":
        assert goal.volume is not None, "checked when the problem was read"
        return Formulation(Compliance(discrete, weights), (Limited(Volume(discrete), goal.volume),))
    assert goal.compliance, "checked when the problem was read"
    if len(goal.compliance) == 1:
        limits: tuple[Limited, ...] = (Limited(Compliance(discrete, weights), goal.compliance[0]),)
    else:
        cases = range(len(weights))
        alone = [tuple(1.0 if c == case else 0.0 for c in cases) for case in cases]
        limits = tuple(
            Limited(Compliance(discrete, w), limit) for w, limit in zip(alone, goal.compliance, strict=True)
        )
    return Formulation(Volume(discrete), limits)
