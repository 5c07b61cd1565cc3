"""Optimality criteria as an optimiser of the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimizers.oc import OC, Adaptive, OCState
from trabecula.optimizers.own_weight import OwnWeightCriteria
from trabecula.optimizers.protocol import OptimizerState
from trabecula.physics.machine import Machine, machine_of
from trabecula.problem.errors import ProblemError
from trabecula.responses import Evaluation, formulate

Array = NDArray[np.float64]

MOST_EXPONENT, MOST_EXPONENT_CRISP = 0.7, 0.4
"""Where the exponents of a problem with own weight begin at most, without and with projection: members that
are gone early are missed in a crisp design (docs/decisions/own-weight.md)."""


@dataclass(frozen=True)
class OptimalityCriteria:
    """OC for one constraint: least compliance under a volume, or least volume under a compliance."""

    oc: OC
    least_volume: bool = False

    def start(self) -> OCState:
        """The memory before the first step."""
        return self.oc.start()

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, OCState]:
        """The next design and memory."""
        assert isinstance(state, OCState)
        oc = self.oc.with_shorter_steps(share)
        (limit,) = found.constraints
        if self.least_volume:
            return oc.step_least_volume(
                state, x, limit.gradient, limit.value, found.gradient, lower, upper, adapt
            )
        return oc.step(state, x, found.gradient, limit.value, limit.gradient, lower, upper, adapt)

    def restore(self, arrays: Mapping[str, Array]) -> OCState:
        """The memory whose `arrays` these are."""
        return OCState.restore(arrays)


@dataclass(frozen=True)
class OcKind:
    """Adaptive OC as a problem file names it."""

    name: ClassVar[str] = "oc"

    def make(
        self, discrete: DiscreteProblem, machine: Machine | int | None, exponent: float = 1.0
    ) -> OptimalityCriteria | OwnWeightCriteria:
        """The optimiser for a problem on a grid; `exponent` is where adaptive exponents start.

        Own weight has a criterion of its own.

        Raises
        ------
        ProblemError
            If the problem is none that a criterion decides.
        """
        formulation = formulate(discrete)
        if not formulation.is_monotone(discrete):
            raise ProblemError(
                "options.optimizer",
                "got 'oc'",
                "needs a compliance under one limit on the volume, or the volume under one on a compliance",
                "leave it out, or write `optimizer: mma`",
            )
        least_volume = formulation.minimises_material(discrete)
        if discrete.gravity.any():
            most = MOST_EXPONENT_CRISP if discrete.options.projection else MOST_EXPONENT
            return OwnWeightCriteria(
                move=discrete.options.move,
                exponent=min(exponent, most),
                least_volume=least_volume,
                machine=machine_of(machine),
            )
        oc = OC(
            move=discrete.options.move, exponent=exponent, adaptive=Adaptive(), machine=machine_of(machine)
        )
        return OptimalityCriteria(oc, least_volume=least_volume)
