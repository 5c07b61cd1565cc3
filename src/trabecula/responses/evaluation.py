"""What an optimiser is told of a design: values and gradients."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, isfinite

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Constraint:
    """A constraint at a design.

    Attributes
    ----------
    value
        Met where <= 0.
    gradient
        float64 over elements: with respect to the densities.
    own_weight
        The part of the gradient that is own weight's, where the constraint is a compliance and has one.
    """

    value: float
    gradient: Array
    own_weight: Array | None = None


@dataclass(frozen=True)
class Evaluation:
    """What an analysis says of a design.

    Attributes
    ----------
    objective
        What is minimised, in the solver's units; the negative of a quantity that is maximised.
    compliance, volume
        The weighted compliance and the used fraction, whatever the goal is.
    gradient
        float64 over elements: of the objective with respect to the densities.
    constraints
        At least one.
    displacements
        One a load case, `[component, ...nodes]`.
    iterations, residual
        Conjugate-gradient iterations over all cases, and the worst relative residual.
    keeps_promises
        False where it was looked at and a quantity is not what it promises to be (`Quantity`).
    own_weight
        float64 over elements: the part of `gradient` that is own weight's, where the objective is a
        compliance and has one. What is left of the gradient is the stiffness's, and never above zero.
    """

    objective: float
    compliance: float
    volume: float
    gradient: Array
    constraints: tuple[Constraint, ...]
    displacements: tuple[Array, ...]
    iterations: int
    residual: float
    keeps_promises: bool = True
    own_weight: Array | None = None

    @property
    def violation(self) -> float:
        """The worst relative violation of a constraint, 0 if all are met."""
        return max(0.0, *(c.value for c in self.constraints))

    @property
    def is_finite(self) -> bool:
        """Whether objective, constraints and all sensitivities are numbers."""
        values = (self.objective, self.compliance, self.volume, *(c.value for c in self.constraints))
        gradients = (self.gradient, *(c.gradient for c in self.constraints))
        return all(map(isfinite, values)) and all(isfinite(inner(g, g)) for g in gradients)

    @property
    def merit(self) -> float:
        """The objective, comparable where a constraint is violated: worse by the share it is violated by."""
        return self.objective * (1.0 + copysign(self.violation, self.objective))
