"""Where the loop stands: values that can be saved and resumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan

import numpy as np
from numpy.typing import NDArray

from trabecula.optimizers import OptimizerState
from trabecula.responses import Evaluation
from trabecula.status import Status

Array = NDArray[np.float64]

UNSOLVED = 0.1
"""Relative residual of a state above which nothing that is said of a design means anything: load hangs in
void, or the design lies in loose pieces that break the preconditioner."""


@dataclass(frozen=True)
class Row:
    """What one iteration measured."""

    iteration: int
    penalty: float
    beta: float
    objective: float
    compliance: float
    volume: float
    violation: float
    change: float
    kkt: float
    cg_iterations: int
    residual: float
    seconds: float

    @property
    def is_solved(self) -> bool:
        """Whether the states were solved well enough for the objective to be meaningful."""
        return self.residual <= UNSOLVED


@dataclass(frozen=True)
class Best:
    """A design, float64 `[z, y, x]`, and its objective."""

    x: Array
    merit: float


@dataclass(frozen=True)
class Step:
    """Where the loop stands: enough to go on to the same answer.

    Attributes
    ----------
    x
        float64 `[z, y, x]`: the design to be evaluated next.
    memory
        The optimiser's.
    displacements
        Of the last evaluated design, one per case; None before the first.
    rows
        One per iteration so far.
    finished
        None while there is more to do, else `CONVERGED`, `LIMIT` or `DIVERGED`.
    best
        The best design evaluated since the schedule settled; None where there was none yet.
    good
        float64 `[z, y, x]`: while there is no best design, the last whose state was solved and whose
        evaluation was made of numbers. What a run that diverges goes back to; None at first and at the end.
    known
        Evaluation of `x`, where somebody needed it before its turn (`look_ahead`); never saved: it can be had
        again, to the same bits.
    """

    x: Array
    memory: OptimizerState
    displacements: tuple[NDArray[np.float32], ...] | None = None
    rows: tuple[Row, ...] = ()
    finished: Status | None = None
    best: Best | None = None
    good: Array | None = field(default=None, repr=False)
    known: Evaluation | None = None

    @property
    def merit(self) -> float:
        """Objective of the last evaluated design, worse where it violates a constraint.

        Infinite at first, and where no solve was possible.
        """
        if not self.rows or not self.rows[-1].is_solved or isnan(self.rows[-1].objective):
            return float("inf")
        return self.rows[-1].objective
