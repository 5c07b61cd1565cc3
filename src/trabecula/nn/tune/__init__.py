"""Search over architectures and training settings, with latency as it is measured; Optuna is the engine.

What is searched is a *candidate*: a function that takes a trial, asks it for settings, and yields first what
is to be timed (`Network`, or `Milliseconds` measured elsewhere) and then the metric after every epoch;
`Recipe` makes one of a space and three functions. `search` runs it for a goal (`Reward` of MnasNet, `Pareto`,
or the `Metric` alone), drops bad trials early, keeps every trial in a file, goes on from it, and shares it
with other processes.
"""

from trabecula.nn.tune.again import remeasure, retrain
from trabecula.nn.tune.candidate import (
    Candidate,
    Milliseconds,
    Network,
    Recipe,
)
from trabecula.nn.tune.goals import (
    Metric,
    Pareto,
    Reward,
    TuningGoal,
)
from trabecula.nn.tune.outcome import TrialResult, TuningResult, pareto_front
from trabecula.nn.tune.search import read, search
from trabecula.nn.tune.space import Float, Int, OneOf
from trabecula.nn.tune.storage import TuneError
from trabecula.nn.tune.timing import Timing

__all__ = [
    "Candidate",
    "Float",
    "Int",
    "Metric",
    "Milliseconds",
    "Network",
    "OneOf",
    "Pareto",
    "Recipe",
    "Reward",
    "Timing",
    "TrialResult",
    "TuneError",
    "TuningGoal",
    "TuningResult",
    "pareto_front",
    "read",
    "remeasure",
    "retrain",
    "search",
]
