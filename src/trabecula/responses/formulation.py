"""What a problem's goal and limits stand for: an objective, constraints, and what follows from their kind.

A quantity promises what it is (`Quantity.material_share`, `Quantity.compliance_weights`). From that, and from
nothing else, the formulation says whether optimality criteria apply, which steps meet a limit exactly, and
for which problem a lower bound is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ldexp
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem.errors import ProblemError
from trabecula.problem.model import Limit
from trabecula.problem.physics import is_measured_in
from trabecula.problem.quantities import QUANTITIES
from trabecula.responses.compliance import CaseCompliance
from trabecula.responses.design_point import DesignPoint
from trabecula.responses.quantity import Quantity
from trabecula.responses.volume import Volume

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Limited:
    """A quantity that is held at most, or at least, at a limit; `name` is what it is called in messages.

    Its constraint is met where `excess` is not above 0; `limit` is in the quantity's unit and not 0.
    """

    quantity: Quantity
    limit: float
    sense: Literal["at_most", "at_least"] = "at_most"
    name: str = ""

    def excess(self, value: float) -> float:
        """By how much a value misses the limit, relative to it; negative where there is room."""
        if self.sense == "at_most" and self.limit > 0.0:
            return value / self.limit - 1.0
        return self._sign * (value - self.limit) / abs(self.limit)

    def value_of(self, excess: float) -> float:
        """The value that misses the limit by so much."""
        return self.limit + self._sign * excess * abs(self.limit)

    def scale(self, gradient: Array) -> Array:
        """The gradient of `excess` from that of the value; the array is used up."""
        gradient /= self.factor
        return gradient

    @property
    def factor(self) -> float:
        """What the gradient of the value is divided by."""
        return self._sign * abs(self.limit)

    @property
    def _sign(self) -> float:
        return 1.0 if self.sense == "at_most" else -1.0


@dataclass(frozen=True)
class BoundForm:
    """A problem whose goal has a known lower bound.

    Attributes
    ----------
    weights
        float64 `[case]`: of the compliances that are minimised under `volume`; None where the volume is
        minimised.
    volume
        Volume fraction that is allowed; None where it is minimised.
    limits
        Where the volume is minimised: weighted sums of compliances, each with its limit in the solver's
        units.
    """

    weights: Array | None = None
    volume: float | None = None
    limits: tuple[tuple[Array, float], ...] = ()


@dataclass(frozen=True)
class Formulation:
    """One objective and its constraints.

    Attributes
    ----------
    objective
        What is minimised or maximised.
    limits
        At least one.
    maximize
        Whether the objective is maximised.
    unit
        Binary exponent of what one unit of the objective is that the optimiser sees, in the quantity's unit.
    """

    objective: Quantity
    limits: tuple[Limited, ...]
    maximize: bool = False
    unit: int = 0

    def minimised_value(self, value: float) -> float:
        """What the optimiser minimises, from the quantity's value."""
        scaled = ldexp(value, -self.unit)
        return -scaled if self.maximize else scaled

    def quantity_value(self, objective: float) -> float:
        """The quantity's value, from what the optimiser minimises."""
        value = ldexp(objective, self.unit)
        return -value if self.maximize else value

    def minimised_gradient(self, gradient: Array) -> Array:
        """What the optimiser descends, from the quantity's gradient, which is used up unless it is
        read-only."""
        factor = ldexp(-1.0 if self.maximize else 1.0, -self.unit)
        if factor == 1.0:
            return gradient
        return np.multiply(gradient, factor, out=gradient if gradient.flags.writeable else None)

    def can_be(self, objective: float) -> bool:
        """Whether a solved design can have this objective."""
        return objective > 0.0 or self.maximize or not self.objective.is_positive

    def is_monotone(self, discrete: DiscreteProblem) -> bool:
        """Whether one of objective and only constraint is the material, the other a compliance.

        Then every voxel's density can be decided on its own by an optimality criterion.
        """
        if len(self.limits) != 1 or self.maximize or self.limits[0].sense != "at_most":
            return False
        pair = (self.objective, self.limits[0].quantity)
        shares = [one.material_share(discrete) is not None for one in pair]
        compliances = [one.compliance_weights(discrete) is not None for one in pair]
        return (shares[0] and compliances[1]) or (compliances[0] and shares[1])

    def minimises_material(self, discrete: DiscreteProblem) -> bool:
        """Whether the objective is the used material."""
        return not self.maximize and self.objective.material_share(discrete) is not None

    def volume_limit(self, discrete: DiscreteProblem) -> float | None:
        """The least volume fraction that the limits allow; None where none of them limits the material."""
        found = [
            limited.limit / share
            for limited in self.limits
            if limited.sense == "at_most" and (share := limited.quantity.material_share(discrete)) is not None
        ]
        return min(found, default=None)

    def limits_more_than_material(self, discrete: DiscreteProblem) -> bool:
        """Whether anything is limited that no step can meet exactly."""
        return any(limited.quantity.material_share(discrete) is None for limited in self.limits)

    def keeps_promises(self, at: DesignPoint, room: float = 1e-6) -> bool:
        """Whether the objective and all limits are, at a design, what they promise to be.

        Parameters
        ----------
        room
            Largest relative difference that counts as rounding.
        """
        discrete = at.discrete
        for quantity in (self.objective, *(limited.quantity for limited in self.limits)):
            share, weights = quantity.material_share(discrete), quantity.compliance_weights(discrete)
            value = quantity.value(at)
            if share is not None:
                due = share * discrete.volume_fraction(at.physical)
                if not abs(value - due) <= room * abs(due):
                    return False
            if weights is not None:
                due = ldexp(at.sum_compliances(weights), discrete.units.compliance)
                if not abs(value - due) <= room * abs(due):
                    return False
        return True

    def bound_form(self, discrete: DiscreteProblem) -> BoundForm | None:
        """The problem that a lower bound is known for; None where none is.

        Limits that it says nothing of are left out: without them the optimum can only be better, so that the
        bound holds.
        """
        if self.maximize:
            return None
        weights = self.objective.compliance_weights(discrete)
        if weights is not None:
            volume = self.volume_limit(discrete)
            return None if volume is None else BoundForm(weights=weights, volume=volume)
        if self.objective.material_share(discrete) is None:
            return None
        limits = []
        for limited in self.limits:
            of_limit = limited.quantity.compliance_weights(discrete)
            if of_limit is not None and limited.sense == "at_most":
                limits.append((of_limit, ldexp(limited.limit, -discrete.units.compliance)))
        return BoundForm(limits=tuple(limits)) if limits else None


def formulate(discrete: DiscreteProblem) -> Formulation:
    """The objective and constraints that a problem's goal stands for.

    Volume is minimised under one limit on the weighted compliance, or under one per load case where
    several are given; anything else under the limits that the problem names.

    Raises
    ------
    ProblemError
        If nothing is limited, a limit is 0, or a quantity belongs to another physics than the problem.
    """
    goal, units = discrete.goal, discrete.units
    objective = _quantity(goal.minimize, goal.keys)
    limits = []
    if goal.volume is not None:
        limits.append(Limited(Volume(), goal.volume, name="volume"))
    if goal.compliance is not None and len(goal.compliance) == 1:
        limits.append(
            Limited(_quantity("compliance"), ldexp(goal.compliance[0], units.compliance), name="compliance")
        )
    elif goal.compliance is not None:
        for case, limit in enumerate(goal.compliance):
            allowed = ldexp(limit, units.energy(case))
            limits.append(Limited(CaseCompliance(case), allowed, name=f"compliance of case {case + 1}"))
    limits += [_limited(limit) for limit in goal.limits]
    _refuse_other_physics(discrete, "goal", objective)
    for limited in limits[len(limits) - len(goal.limits) :]:
        _refuse_other_physics(discrete, "limits", limited.quantity)
    if not limits:
        raise ProblemError("goal", "limits nothing", "needs a limit", "write `volume: 0.4`")
    is_energy = objective.compliance_weights(discrete) is not None
    return Formulation(objective, tuple(limits), goal.maximize, units.compliance if is_energy else 0)


def _refuse_other_physics(discrete: DiscreteProblem, where: str, quantity: Quantity) -> None:
    """A displacement is no temperature, though both are a state."""
    if not is_measured_in(discrete.physics, quantity.physics):
        raise ProblemError(
            where,
            f"{quantity.name} belongs to {quantity.physics}, the problem is one of {discrete.physics.name}",
            f"needs a quantity of {discrete.physics.name}",
        )


def _limited(limit: Limit) -> Limited:
    if limit.value == 0.0:
        raise ProblemError("limits", f"{limit.quantity} is limited by 0", "needs a limit that is not 0")
    return Limited(_quantity(limit.quantity, limit.keys), limit.value, limit.sense, limit.quantity)


def _quantity(name: str, given: object = None) -> Quantity:
    """The quantity that was given, or the one of a name with its defaults."""
    quantity = QUANTITIES[name]() if given is None else given
    if not isinstance(quantity, Quantity):
        raise TypeError(f"the quantity {name!r} is a {type(quantity).__name__}, no trabecula.Quantity")
    return quantity
