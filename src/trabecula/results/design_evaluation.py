"""What is known of a density field once its states are solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.record import Certificate
from trabecula.certificate.words import Word
from trabecula.discretisation.grid import Grid
from trabecula.numerics.errstate import own_errstate
from trabecula.physics.operators import StrainOperator, von_mises
from trabecula.problem import Problem
from trabecula.results.records import LimitRecord
from trabecula.results.spoken_units import speak
from trabecula.status import Status

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class DesignEvaluation:
    """A density field and all that one tight solve says of it, in SI units.

    Load cases are named as in the problem; a single one is called "load". Sensitivities are derivatives with
    respect to `density`, float64 in its shape.

    Attributes
    ----------
    problem
        What was asked of the design.
    density
        float64 `[z, y, x]` or `[y, x]`: the physical density, 0 void to 1 solid.
    compliance
        Weighted sum over the load cases of load times displacement, in J (W K for heat).
    compliances
        The same of each load case by its name, without the weight.
    volume
        Used fraction of the domain that is not passive void.
    objective, objective_sensitivity
        Value and sensitivity of the quantity that the problem minimises or maximises.
    limits, limit_sensitivities
        Of the quantities that the problem limits, in the order of `limits`.
    values, sensitivities
        Of the quantities that were asked for, by label.
    displacements
        float64 `[component, z, y, x]` over nodes by load case: in m; temperatures in K in a heat problem.
    stiffness
        float64 over elements: stiffness (conductivity) relative to the solid's, by the problem's
        interpolation.
    fits_passive
        Whether the density is 1 in passive solid and 0 in passive void.
    certificate
        Equilibrium residual, connectedness, greyness; a lower bound and the gap to it where they were asked
        for and are known. The gap is that of a design that keeps its limits and fits the passive parts. There
        is no KKT residual, for the design variables behind a density are not known.
    unbounded
        Why no lower bound is known, where one was asked for; else empty.
    word
        "verified", or "predicted" where the states could not be solved.
    status
        What is wrong: a limit is missed (`INFEASIBLE`), the states are not solved (`NOT_SOLVABLE`), or
        figures are no numbers (`DIVERGED`). None where nothing is.
    """

    problem: Problem
    density: Array
    compliance: float
    compliances: Mapping[str, float]
    volume: float
    objective: float
    objective_sensitivity: Array
    limits: tuple[LimitRecord, ...]
    limit_sensitivities: tuple[Array, ...]
    values: Mapping[str, float]
    sensitivities: Mapping[str, Array]
    displacements: Mapping[str, Array]
    stiffness: Array
    fits_passive: bool
    certificate: Certificate
    unbounded: str
    word: Word
    status: Status | None

    @cached_property
    @own_errstate
    def stresses(self) -> dict[str, Array]:
        """Stresses at the centres of the elements by load case, float64 `[component, z, y, x]`, Pa.

        Components are xx, yy, xy, and in 3-D xx, yy, zz, yz, xz, xy. They are those of the material as the
        solve has it, of the density's stiffness: nearly nothing in void.

        Raises
        ------
        ValueError
            If the problem is not one of elasticity.
        """
        if self.problem.physics.name != "elasticity":
            raise ValueError(f"there are no stresses in a problem of {self.problem.physics.name}")
        strain = self._strain
        return {
            name: self.stiffness * strain.stress(strain.strain(u)) for name, u in self.displacements.items()
        }

    @cached_property
    @own_errstate
    def von_mises(self) -> dict[str, Array]:
        """Von Mises stress at the centres of the elements by load case, float64 `[z, y, x]`, Pa; of
        `stresses`, and with its error."""
        return {name: von_mises(stress) for name, stress in self.stresses.items()}

    @cached_property
    @own_errstate
    def fluxes(self) -> dict[str, Array]:
        """Flux of heat at the centres of the elements by load case, float64 `[axis, z, y, x]`, W/m2.

        Raises
        ------
        ValueError
            If the problem is not one of heat.
        """
        if self.problem.physics.name != "conduction":
            raise ValueError(f"there is no flux of heat in a problem of {self.problem.physics.name}")
        return {name: self.stiffness * self._strain.flux(u) for name, u in self.displacements.items()}

    @property
    def _strain(self) -> StrainOperator:
        domain = self.problem.domain
        grid = Grid.of(domain)
        return StrainOperator.on(grid, self.problem.material, self.problem.physics)

    def to_json(self) -> dict[str, object]:
        """Everything but the arrays as a JSON object; infinite and undefined numbers become None.

        Its figures are in the problem's units, which it names; the attributes are in SI.
        """

        def plain(value: float) -> float | None:
            return value if isfinite(value) else None

        record = {
            "name": self.problem.name,
            "word": self.word,
            "status": None if self.status is None else self.status.value,
            "compliance": plain(self.compliance),
            "compliances": {name: plain(value) for name, value in self.compliances.items()},
            "volume": plain(self.volume),
            "objective": plain(self.objective),
            "limits": [limit.to_json() for limit in self.limits],
            "values": {name: plain(value) for name, value in self.values.items()},
            "fits_passive": self.fits_passive,
            "certificate": self.certificate.to_json(),
            "unbounded": self.unbounded,
        }
        return speak(record, self.problem)

    def __repr__(self) -> str:
        grid = "x".join(map(str, self.problem.domain.elements))
        wrong = "" if self.status is None else f", {self.status.value}"
        passive = "" if self.fits_passive else ", passive parts do not fit"
        return (
            f"<DesignEvaluation {self.problem.name!r} on {grid}: {self.word}{wrong}{passive},"
            f" compliance {self.compliance:.5g}, volume {self.volume:.4g}>"
        )
