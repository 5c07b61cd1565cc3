"""A network of one's own: the one that ships, its last layers fine-tuned on what was solved on this machine.

`fine_tune` is the whole of it. What it makes is installed only where the solver says that it is better
(`gate`), into the user's folder (`trabecula.surrogate.user_networks`); nothing leaves the machine.
"""

from trabecula.learning.fine_tuning.gate import GateFigures, GateVerdict, gate
from trabecula.learning.fine_tuning.last_layers import STEPS
from trabecula.learning.fine_tuning.run import FineTuningRequest, FineTuningResult, fine_tune

__all__ = [
    "STEPS",
    "FineTuningRequest",
    "FineTuningResult",
    "GateFigures",
    "GateVerdict",
    "fine_tune",
    "gate",
]
