"""The same problem in units of its own, so that no choice of units can leave the range of the arithmetic.

Every length is divided by one number, every modulus by another, and so on; all of them are powers of two, so
that no digit of any value changes. Inside, stiffnesses, nodal forces and compliances are of the order of one,
whatever the file is written in: single precision (the preconditioner, displacements kept to begin the next
solve from) neither overflows nor loses digits to subnormal numbers.

With lengths in `L`, the thickness in `T` (for solids `T = L`), moduli in `E` and the forces of case `c` in
`F_c`, displacements are in `F_c / (E T)` and compliances in `F_c^2 / (E T)`; weights take up what is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.units import Units
from trabecula.problem.errors import ProblemError
from trabecula.problem.model import Material

Array = NDArray[np.float64]

LARGEST = 900
"""Binary exponent up to which a compliance is held; double precision ends at 1023."""


@dataclass(frozen=True)
class Scaled:
    """A problem in units of its own.

    Attributes
    ----------
    problem
        The problem.
    compliance
        What one unit of its weighted compliance is, in J (W K for heat); a power of two.
    """

    problem: DiscreteProblem
    compliance: float


def nondimensional(discrete: DiscreteProblem) -> Scaled:
    """Divide a problem's quantities by powers of two near their own size.

    Parameters
    ----------
    discrete
        In SI units.

    Raises
    ------
    ProblemError
        If the compliance would leave the range of double precision in any units of length and force.
    """
    grid, material, goal = discrete.grid, discrete.material, discrete.goal
    is_plane, scaled = grid.dimension == 2, discrete.physics.modulus
    # Of a physics that is not known to scale with lengths and one modulus, only the loads are scaled.
    length = _exponent(grid.edges[1]) if scaled else 0
    thickness = _exponent(grid.thickness) if is_plane and scaled else length
    modulus = _exponent(getattr(material, scaled)) if scaled else 0
    density = _exponent(material.density)
    volume = length * grid.dimension + (thickness if is_plane else 0)
    element_mass = _exponent(material.density) + _exponent(grid.element_volume)
    forces = [
        max(_exponent(float(np.abs(load).max())), element_mass + _exponent(float(np.abs(gravity).max())))
        for load, gravity in zip(discrete.loads, discrete.gravity, strict=True)
    ]
    energies = [2 * force - modulus - thickness for force in forces]
    compliance = max(
        _exponent(float(weight)) + energy for weight, energy in zip(discrete.weights, energies, strict=True)
    )
    if abs(compliance) > LARGEST:
        raise ProblemError(
            "loads",
            f"a compliance of about 1e{round(compliance * math.log10(2)):+d}"
            f" {discrete.physics.compliance_unit} leaves the range of numbers",
            f"needs one within 1e{round(LARGEST * math.log10(2)):+d} and its reciprocal",
            "look at the size of forces, moduli and weights",
        )
    limits = goal.compliance
    if limits is not None:
        units = [compliance] if len(limits) == 1 else energies
        limits = tuple(math.ldexp(limit, -unit) for limit, unit in zip(limits, units, strict=True))
    options, radius = discrete.options, discrete.options.filter.radius
    if radius is not None:
        options = replace(options, filter=replace(options.filter, radius=math.ldexp(radius, -length)))
    problem = replace(
        discrete,
        grid=grid.in_units(-length, -thickness),
        material=_scaled_material(material, scaled, modulus, density),
        loads=_shifted(discrete.loads, [-force for force in forces]),
        gravity=_shifted(discrete.gravity, [density + volume - force for force in forces]),
        weights=_shifted(discrete.weights, [energy - compliance for energy in energies]),
        goal=replace(goal, compliance=limits),
        options=options,
        units=Units(length, thickness, modulus, density, tuple(forces), compliance),
    )
    return Scaled(problem, math.ldexp(1.0, compliance))


def _scaled_material(material: Material, scaled: str | None, modulus: int, density: int) -> Material:
    """The material with one property and its density divided by powers of two."""
    material = replace(material, density=math.ldexp(material.density, -density))
    if scaled is None:
        return material
    divided: dict[str, Any] = {scaled: math.ldexp(getattr(material, scaled), -modulus)}
    return replace(material, **divided)


def _exponent(value: float) -> int:
    """Binary exponent of a size; of nothing, one below all others."""
    return math.frexp(value)[1] if value else -(10**6)


def _shifted(cases: Array, by: list[int]) -> Array:
    """Every case times its own power of two; where nothing is to be done, the array itself."""
    if not any(by):
        return cases
    shifts = np.array(by).reshape(-1, *[1] * (cases.ndim - 1))
    return np.asarray(np.ldexp(cases, np.clip(shifts, -4000, 4000)))
