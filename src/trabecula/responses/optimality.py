"""How far an evaluated design is from stationary, for any formulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.multipliers import stationarity_residual
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
) -> float:
    """The KKT residual of a design: about 1 at a uniform start, 0 at a stationary design.

    Where the material is either the objective or all that is limited, and the other side is made of
    compliances, the price of a unit of material says it (`kkt_residual`); elsewhere the multipliers are those
    that fit best (`stationarity_residual`).

    Parameters
    ----------
    x
        float64 over elements: design variables.
    gradient, constraints
        Of the objective and the limits at `x`, as an optimiser is given them.
    """
    limits = [constraint.gradient for constraint in constraints]
    lower, upper = discrete.lower, discrete.upper
    is_material = [limited.quantity.material_share(discrete) is not None for limited in formulation.limits]
    senses = {limited.sense for limited in formulation.limits}
    if senses == {"at_most"} and not formulation.maximize:
        if all(is_material) and len(limits) == 1:
            if formulation.objective.compliance_weights(discrete) is not None:
                return kkt_residual(x, gradient, limits, lower, upper, material="limit")
        elif formulation.minimises_material(discrete) and all(
            limited.quantity.compliance_weights(discrete) is not None for limited in formulation.limits
        ):
            return kkt_residual(x, gradient, limits, lower, upper, material="objective")
    values = [constraint.value for constraint in constraints]
    return stationarity_residual(x, gradient, values, limits, lower, upper, discrete.grid.volumes)
