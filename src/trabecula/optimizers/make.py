"""From the optimiser a problem names to the optimiser."""

from __future__ import annotations

from typing import Any

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimizers.moving_asymptotes import MmaKind
from trabecula.optimizers.optimality_criteria import OcKind
from trabecula.optimizers.protocol import Optimizer
from trabecula.physics.machine import Machine, machine_of
from trabecula.problem.design_tables import OPTIMIZERS
from trabecula.problem.tables import BrokenEntryError
from trabecula.responses import formulate


def make_optimizer(
    discrete: DiscreteProblem, machine: Machine | int | None = 1, exponent: float = 1.0
) -> Optimizer:
    """The optimiser a problem asks for; where it names none, OC if its criterion decides, else MMA.

    The criterion of a problem with own weight is its own (`own_weight`), whether "oc" is named or not.

    Parameters
    ----------
    discrete
        The problem on its grid.
    machine
        What runs its loops: one, or the default one on so many threads.
    exponent
        Where the adaptive exponents of OC start.

    Raises
    ------
    ProblemError
        If it asks for OC, and is none that a criterion decides.
    BrokenEntryError
        If what it names, or was given, is no optimiser.
    """
    asked: Any = discrete.options.optimizer
    if asked is None:
        asked = "oc" if formulate(discrete).is_monotone(discrete) else "mma"
    elif asked == "oc" and len(discrete.goal.compliance or ()) > 1:
        asked = "mma"  # files that ask so of a limit per case were always read, and solved by MMA
    kind = OPTIMIZERS[asked]() if isinstance(asked, str) else asked
    if isinstance(kind, OcKind):
        return kind.make(discrete, machine, exponent)
    if isinstance(kind, MmaKind):
        return kind.make(discrete, machine)
    made: object = kind.make(discrete, machine_of(machine)) if hasattr(kind, "make") else kind
    if not isinstance(made, Optimizer):
        raise BrokenEntryError(
            f"the optimizer {getattr(kind, 'name', asked)!r} is a {type(made).__name__}; it needs the "
            "methods of trabecula.Optimizer: start, step, restore"
        )
    return made
