"""Compliance: load times displacement, and for heat load times temperature.

`dC/dx = sum over cases of weight (2 u . df/dx - E'(x) u_e K0 u_e)`; `df/dx` is own weight: Bruyneel & Duysinx
2005, "Note on topology optimization of continuum structures including self-weight", eq. 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ldexp
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.responses.quantity import Quantity

if TYPE_CHECKING:
    from trabecula.responses.design_point import DesignPoint

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Compliance(Quantity):
    """Load times displacement, own weight included: the weighted sum over the load cases, in J."""

    name: ClassVar[str] = "compliance"
    unit: ClassVar[str] = "J"
    physics: ClassVar[str | None] = "elasticity"
    is_positive: ClassVar[bool] = True

    def value(self, at: DesignPoint) -> float:
        """Weighted compliance in J (W K for heat)."""
        weights = self._weights(at)
        return float(sum(w * at.compliance(case) for case, w in enumerate(weights)))

    def gradient(self, at: DesignPoint) -> Array:
        """Derivative with respect to the physical densities, float64 in the shape of `at.physical`."""
        gradient = np.zeros(at.physical.shape)
        weights = self._weights(at)
        for case, weight in enumerate(weights):
            if weight != 0.0:
                energy, unit = at.energy(case)
                factor = weight * unit
                gradient -= energy if factor == 1.0 else factor * energy
        gradient *= at.stiffness_derivative
        for own in _own_weight_parts(at, weights):
            gradient += own
        return gradient

    def compliance_weights(self, discrete: DiscreteProblem) -> Array | None:
        """Those of the problem."""
        return discrete.weights

    def _weights(self, at: DesignPoint) -> tuple[float, ...]:
        """In SI units, so that the sum is in J."""
        weights = self.compliance_weights(at.discrete)
        assert weights is not None
        return _in_joules(at, weights)


@dataclass(frozen=True)
class ThermalCompliance(Compliance):
    """Heat times temperature: the weighted sum over the load cases, in W K."""

    name: ClassVar[str] = "thermal_compliance"
    unit: ClassVar[str] = "W K"
    physics: ClassVar[str | None] = "conduction"


@dataclass(frozen=True)
class CaseCompliance(Compliance):
    """The compliance of one load case, whatever its weight."""

    case: int = 0

    def compliance_weights(self, discrete: DiscreteProblem) -> Array | None:
        """One for its case, nothing for the others."""
        weights = np.zeros(len(discrete.weights))
        weights[self.case] = ldexp(1.0, discrete.units.energy(self.case) - discrete.units.compliance)
        return weights


def own_weight_gradient(quantity: Quantity, at: DesignPoint) -> Array | None:
    """What own weight adds to the gradient of a quantity that promises to be a sum of compliances.

    The rest of that gradient is the stiffness's, which is never above zero: more material is stiffer, and it
    is more to carry.

    Returns
    -------
    Array or None
        Derivative with respect to the physical densities, float64 in the shape of `at.physical`, a new array;
        None where the quantity promises no compliance, or none of its cases has own weight.
    """
    weights = quantity.compliance_weights(at.discrete)
    parts = [] if weights is None else list(_own_weight_parts(at, _in_joules(at, weights)))
    return sum(parts[1:], start=parts[0]) if parts else None


def _own_weight_parts(at: DesignPoint, weights: Sequence[float]) -> Iterator[Array]:
    """That of every load case with own weight; new arrays."""
    for case, weight in enumerate(weights):
        if weight != 0.0 and at.has_own_weight(case):
            yield (2.0 * weight) * at.own_weight_derivative(at.displacement(case), case)


def _in_joules(at: DesignPoint, weights: Array) -> tuple[float, ...]:
    """Weights of the cases for compliances in J, from those for compliances in the solver's units."""
    units = at.discrete.units
    shifts = (units.compliance - units.energy(case) for case in range(len(weights)))
    return tuple(ldexp(float(w), shift) for w, shift in zip(weights, shifts, strict=True))
