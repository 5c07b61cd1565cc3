"""HOW IT STEPS: optimality criteria and the method of moving asymptotes."""

from trabecula.optimizers.mma import MMA, MMAState
from trabecula.optimizers.oc import OC, Adaptive, OCState

__all__ = ["MMA", "OC", "Adaptive", "MMAState", "OCState"]
