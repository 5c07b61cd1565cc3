"""A quantity of one's own: the largest von Mises stress, as a smooth p-norm over the elements.

The stress of a grey element is relaxed: that of the solid times the density to a small power, so that a thin
member can vanish although its stress grows on the way (qp-relaxation; Bruggi 2008). The p-norm is above the
largest stress by at most the number of elements to the power 1/p.

Source: Le, Norato, Bruns, Ha & Tortorelli 2010, "Stress-based topology optimization for continua".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from trabecula.physics.operators import StrainOperator, von_mises, von_mises_derivative

Array = NDArray[np.float64]

FLOOR = 1e-3
"""Density below which an element counts as one of this density: the power has no slope at zero."""


@dataclass(frozen=True)
class StressNorm(tb.Quantity):
    """The p-norm of the relaxed von Mises stresses at the centres of all elements, over all load cases."""

    p: float = tb.key(8.0, "exponent of the norm", least=1.0, most=64.0)
    relaxation: float = tb.key(0.5, "power of the density that a stress is multiplied with", above=0.0)
    name: ClassVar[str] = "stress"
    unit: ClassVar[str] = "Pa"
    physics: ClassVar[str | None] = "elasticity"

    def value(self, at: tb.DesignPoint) -> float:
        """The norm, in Pa."""
        return self._norm([self._relax(at) * von_mises(stress) for stress in self._stresses(at)])

    def gradient(self, at: tb.DesignPoint) -> Array:
        """Its derivative: by the density that relaxes a stress, and by the displacement that makes it."""
        strains = self._strains(at)
        stresses = self._stresses(at)
        relaxed = self._relax(at)
        norm = self._norm([relaxed * von_mises(stress) for stress in stresses])
        total = np.zeros(at.physical.shape)
        for case, stress in enumerate(stresses):
            size = von_mises(stress)
            # d(norm)/d(relaxed stress), of order 1 for the elements that matter
            share = (relaxed * size / norm) ** (self.p - 1.0) if norm else np.zeros(size.shape)
            total += share * size * self._relax_derivative(at)
            by_strain = strains.stress(share * relaxed * von_mises_derivative(stress))  # D is symmetric
            adjoint = at.solve(strains.strain_transpose(by_strain))
            total += at.through_stiffness(at.displacement(case), adjoint)
            if at.has_own_weight(case):
                total += at.own_weight_derivative(adjoint, case)
        return total

    def _strains(self, at: tb.DesignPoint) -> StrainOperator:
        """From displacements to strains at the centres, in SI units."""
        return StrainOperator.on(at.grid, at.material)

    def _stresses(self, at: tb.DesignPoint) -> list[Array]:
        """Stresses of the solid under the strains of every case, `[component, z, y, x]` in Pa."""
        strains = self._strains(at)
        return [strains.stress(strains.strain(at.displacement(case))) for case in range(at.cases)]

    def _relax(self, at: tb.DesignPoint) -> Array:
        return np.asarray(np.maximum(at.physical, FLOOR) ** self.relaxation)

    def _relax_derivative(self, at: tb.DesignPoint) -> Array:
        slope = self.relaxation * np.maximum(at.physical, FLOOR) ** (self.relaxation - 1.0)
        return np.where(at.physical > FLOOR, slope, 0.0)

    def _norm(self, parts: list[Array]) -> float:
        """The p-norm, of numbers divided by the largest, so that no power leaves the range of numbers."""
        largest = max(float(part.max()) for part in parts)
        if largest == 0.0:
            return 0.0
        return largest * float(sum(((part / largest) ** self.p).sum() for part in parts)) ** (1.0 / self.p)


tb.QUANTITIES.register(StressNorm.name, StressNorm)
