"""HOW IT STEPS: optimality criteria and the method of moving asymptotes.

An `Optimizer` takes one step from an evaluated design; its memory is a value that is passed through.
"""

from trabecula.optimizers.make import make_optimizer
from trabecula.optimizers.mma import MMA, MMAState
from trabecula.optimizers.moving_asymptotes import MovingAsymptotes
from trabecula.optimizers.oc import OC, Adaptive, OCState
from trabecula.optimizers.optimality_criteria import OptimalityCriteria
from trabecula.optimizers.own_weight import OwnWeightCriteria
from trabecula.optimizers.protocol import Optimizer, OptimizerState

__all__ = [
    "MMA",
    "OC",
    "Adaptive",
    "MMAState",
    "MovingAsymptotes",
    "OCState",
    "OptimalityCriteria",
    "Optimizer",
    "OptimizerState",
    "OwnWeightCriteria",
    "make_optimizer",
]
