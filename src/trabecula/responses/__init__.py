"""WHAT IS MEASURED: quantities of a design, each with its value and its sensitivity side by side, and what a
goal and its limits make of them.

A `Quantity` asks a `DesignPoint` for densities, displacements and adjoint solves; a `Formulation` is one
objective and its constraints. A new quantity is one file with a subclass and one line in the table
`trabecula.problem.quantities.QUANTITIES`.
"""

from trabecula.responses.compliance import own_weight_gradient
from trabecula.responses.design_point import DesignPoint, Stiffness
from trabecula.responses.evaluation import Constraint, Evaluation
from trabecula.responses.formulation import BoundForm, Formulation, Limited, formulate
from trabecula.responses.optimality import optimality_residual
from trabecula.responses.quantity import Quantity

__all__ = [
    "BoundForm",
    "Constraint",
    "DesignPoint",
    "Evaluation",
    "Formulation",
    "Limited",
    "Quantity",
    "Stiffness",
    "formulate",
    "optimality_residual",
    "own_weight_gradient",
]
