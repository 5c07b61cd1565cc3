"""HOW IT CHANGES: interpolation, filters, projection, goals, and the optimisers OC and MMA.

The design variables are densities `x`; `DesignChain` makes physical densities of them and brings gradients
back, an `Interpolation` makes those stiff, a `Goal` says what is wanted, and an optimiser takes a step.
"""

from trabecula.design.body_force import body_force, body_force_adjoint
from trabecula.design.chain import DesignChain
from trabecula.design.continuation import Schedule, doubling, ramp
from trabecula.design.filters import Filter, make_filter
from trabecula.design.goal import Compliance, Formulation, Goal, Limited, Response, Volume, formulate
from trabecula.design.interpolation import Interpolation, Ramp, Simp, make_interpolation
from trabecula.design.mma import MMA, MMAState
from trabecula.design.oc import OC, Adaptive, OCState
from trabecula.design.projection import Projection

__all__ = [
    "MMA",
    "OC",
    "Adaptive",
    "Compliance",
    "DesignChain",
    "Filter",
    "Formulation",
    "Goal",
    "Interpolation",
    "Limited",
    "MMAState",
    "OCState",
    "Projection",
    "Ramp",
    "Response",
    "Schedule",
    "Simp",
    "Volume",
    "body_force",
    "body_force_adjoint",
    "doubling",
    "formulate",
    "make_filter",
    "make_interpolation",
    "ramp",
]
