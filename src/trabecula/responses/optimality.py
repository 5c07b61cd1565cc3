"""How far an evaluated design is from stationary, for any formulation."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, ldexp

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.inner_product import inner
from trabecula.numerics.multipliers import BINDS, stationarity_residual
from trabecula.numerics.own_weight_stationarity import own_weight_residual
from trabecula.numerics.stationarity import kkt_residual
from trabecula.responses.evaluation import Constraint
from trabecula.responses.formulation import Formulation

Array = NDArray[np.float64]


def optimality_residual(
    formulation: Formulation,
    discrete: DiscreteProblem,
    x: Array,
    gradient: Array,
    constraints: Sequence[Constraint],
    own_weight: Array | None = None,
) -> float:
    """The KKT residual of a design: about 1 at a uniform start, 0 at a stationary design.

    Where the material is either the objective or all that is limited, and the other side is made of
    compliances, the price of a unit of material says it (`kkt_residual`; with own weight, that and what the
    material has to carry of itself, `own_weight_residual`); elsewhere the multipliers are those that fit best
    (`stationarity_residual`).

    Parameters
    ----------
    x
        float64 over elements: design variables.
    gradient, constraints
        Of the objective and the limits at `x`, as an optimiser is given them.
    own_weight
        The part of `gradient` that is own weight's, where there is one.
    """
    is_heavy = own_weight is not None or any(limit.own_weight is not None for limit in constraints)
    if is_heavy and formulation.is_monotone(discrete):
        return _residual_with_weight(formulation, discrete, x, gradient, constraints[0], own_weight)
    limits = [constraint.gradient for constraint in constraints]
    lower, upper = discrete.lower, discrete.upper
    is_material = [limited.quantity.material_share(discrete) is not None for limited in formulation.limits]
    senses = {limited.sense for limited in formulation.limits}
    if senses == {"at_most"} and not formulation.maximize:
        if all(is_material) and len(limits) == 1:
            if formulation.objective.compliance_weights(discrete) is not None:
                used = _worth(formulation, discrete, x)
                return kkt_residual(x, gradient, limits, lower, upper, material="limit", used=used)
        elif (
            not is_heavy
            and formulation.minimises_material(discrete)
            and all(
                limited.quantity.compliance_weights(discrete) is not None for limited in formulation.limits
            )
        ):
            used = _worth(formulation, discrete, x)
            return kkt_residual(x, gradient, limits, lower, upper, material="objective", used=used)
    values = [constraint.value for constraint in constraints]
    return stationarity_residual(x, gradient, values, limits, lower, upper, discrete.grid.volumes)


def _residual_with_weight(
    formulation: Formulation,
    discrete: DiscreteProblem,
    x: Array,
    gradient: Array,
    limit: Constraint,
    own_weight: Array | None,
) -> float:
    """The residual of a compliance with own weight under a volume, or the other way round."""
    lower, upper = discrete.lower, discrete.upper
    binds, used = limit.value >= BINDS, _worth(formulation, discrete, x)
    if own_weight is not None:
        price = None if binds else 0.0
        return own_weight_residual(
            x, gradient, own_weight, limit.gradient, lower, upper, price=price, used=used
        )
    assert limit.own_weight is not None
    price = None if binds else inf
    return own_weight_residual(
        x, limit.gradient, limit.own_weight, gradient, lower, upper, price=price, used=used
    )


def _worth(formulation: Formulation, discrete: DiscreteProblem, x: Array) -> float:
    """What the designed material is worth at a price of one, in the metric of the volume's gradient, where a
    projection keeps most of it from changing; else 0, for the gradient itself says it."""
    if not discrete.options.projection:
        return 0.0
    cost = discrete.volume_gradient()
    if formulation.minimises_material(discrete):
        share, factor = formulation.objective.material_share(discrete), ldexp(1.0, formulation.unit)
    else:
        (limited,) = formulation.limits
        share, factor = limited.quantity.material_share(discrete), limited.factor
    free = discrete.upper > discrete.lower
    return abs((share or 0.0) / factor) * inner(cost[free], x[free])
