"""What one unit of a discrete problem's numbers is in SI: powers of two, so that no digit ever changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ldexp
from typing import Any, TypeVar

from trabecula.discretisation.protocol import Discretisation
from trabecula.problem.model import Material
from trabecula.problem.physics import Physics

D = TypeVar("D", bound=Discretisation)


@dataclass(frozen=True)
class Units:
    """Binary exponents of the units that a problem is solved in (`nondimensional`).

    Attributes
    ----------
    length, thickness, modulus, density
        Of lengths, of the thickness of a plane problem (of a solid: as lengths), of moduli or conductivities,
        of mass densities.
    forces
        Of the forces of every case; empty where all are in SI.
    compliance
        Of the weighted compliance.
    """

    length: int = 0
    thickness: int = 0
    modulus: int = 0
    density: int = 0
    forces: tuple[int, ...] = ()
    compliance: int = 0

    @property
    def stiffness(self) -> int:
        """Of entries of the stiffness matrix, N/m."""
        return self.modulus + self.thickness

    def force(self, case: int) -> int:
        """Of the nodal forces of a case, N."""
        return self.forces[case] if self.forces else 0

    def displacement(self, case: int) -> int:
        """Of the displacements of a case, m."""
        return self.force(case) - self.stiffness

    def energy(self, case: int) -> int:
        """Of the compliance and the energies of a case, J."""
        return 2 * self.force(case) - self.stiffness

    def grid(self, grid: D) -> D:
        """A grid of these units in metres."""
        return grid.in_units(self.length, self.thickness)

    def material(self, material: Material, physics: Physics) -> Material:
        """A material of these units in SI."""
        modulus = physics.modulus
        scaled: dict[str, Any] = (
            {} if modulus is None else {modulus: ldexp(getattr(material, modulus), self.modulus)}
        )
        return replace(material, density=ldexp(material.density, self.density), **scaled)
