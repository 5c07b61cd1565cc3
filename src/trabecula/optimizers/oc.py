"""Optimality criteria: the update for one constraint, each density on its own, by one compiled loop.

`x_new = clip(max(x, floor) (B / lam)^exponent)` with `B = -dC/dV`, `lam` found so that the constraint holds.
Sources: Bendsoe & Sigmund 2003, section 1.2; Andreassen et al. 2011, eq. 3 (exponent 1/2). The exponents that
adapt follow resilient back-propagation (Riedmiller & Braun 1993) and the asymptotes of MMA (Svanberg 1987).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.physics.machine import Machine, default_machine

Array = NDArray[np.float64]
Singles = NDArray[np.float32]
Signs = NDArray[np.int8]


@dataclass(frozen=True)
class Adaptive:
    """Every density's own exponent: times `grow` while its change keeps its sign, `shrink` when it turns."""

    grow: float = 1.5
    shrink: float = 0.5
    least: float = 0.3
    most: float = 12.0


@dataclass(frozen=True)
class OCState:
    """What OC carries from one step to the next; save it with `arrays`, bring it back with `restore`.

    Attributes
    ----------
    exponents
        float32 `[z, y, x]`, or None while all are equal.
    last
        Signs of the last step `x_new - x`, int8 `[z, y, x]`; None before the first step, or where nothing
        adapts.
    log_multiplier
        Logarithm of the last multiplier, where the next search begins; None before the first step.
    """

    exponents: Singles | None = None
    last: Signs | None = None
    log_multiplier: float | None = None

    def arrays(self) -> dict[str, Array]:
        """The state as named arrays (absent parts left out)."""
        parts: dict[str, Array] = {}
        if self.exponents is not None:
            parts["exponents"] = self.exponents.astype(np.float64)
        if self.last is not None:
            parts["last"] = self.last.astype(np.float64)
        if self.log_multiplier is not None:
            parts["log_multiplier"] = np.array(self.log_multiplier)
        return parts

    @classmethod
    def restore(cls, arrays: Mapping[str, Array]) -> OCState:
        """The state whose `arrays` these are."""
        exponents, last, multiplier = map(arrays.get, ("exponents", "last", "log_multiplier"))
        return cls(
            None if exponents is None else exponents.astype(np.float32),
            None if last is None else np.sign(last).astype(np.int8),
            None if multiplier is None else float(multiplier),
        )


@dataclass(frozen=True)
class OC:
    """Optimality criteria with one constraint.

    Attributes
    ----------
    move
        Largest change of a density in a step.
    exponent
        Damping of the update, and where adaptive exponents start.
    adaptive
        How exponents adapt; None keeps them.
    floor
        Densities below it grow as if they had this value, so that zero is no trap; 0 is the textbook.
    machine
        What runs the loops over all densities; the default machine on one thread unless given.
    """

    move: float = 0.2
    exponent: float = 0.5
    adaptive: Adaptive | None = None
    floor: float = 1e-3
    machine: Machine = field(default_factory=lambda: default_machine(1), repr=False, compare=False)

    @classmethod
    def adapting(cls, move: float = 0.2) -> OC:
        """Exponents that start at 1 and adapt: half the tail of the classical exponent 1/2."""
        return cls(move=move, exponent=1.0, adaptive=Adaptive())

    def with_shorter_steps(self, share: float) -> OC:
        """The same for steps of at most `share` of the move limit.

        The least exponent shrinks with them: a density that swings between its move limits, whatever its
        exponent, would never come to rest (with a steep projection most of those at the edges of members).
        """
        if share == 1.0:
            return self
        rule = self.adaptive
        if rule is not None:
            rule = replace(rule, least=share * rule.least)
        return replace(self, move=share * self.move, adaptive=rule)

    def start(self) -> OCState:
        """The state before the first step, or after the problem jumped."""
        return OCState()

    def step(
        self,
        state: OCState,
        x: Array,
        objective_gradient: Array,
        value: float,
        constraint_gradient: Array,
        lower: Array,
        upper: Array,
        adapt: bool = True,
    ) -> tuple[Array, OCState]:
        """One step of least compliance under a volume limit.

        Parameters
        ----------
        state
            From `start` or the last step.
        x, objective_gradient, constraint_gradient, lower, upper
            float64 `[z, y, x]`: densities, gradient of the compliance, gradient of the constraint (>= 0),
            bounds.
        value
            The constraint at `x`, met where <= 0, of which `constraint_gradient` is the gradient.
        adapt
            False holds the exponents (while penalty or projection change).

        Returns
        -------
        x_new, state
            `value + sum(constraint_gradient * (x_new - x))` is between -1e-11 of the constraint's scale and
            0; where no step within the move limit gets there, it is as near as the limit allows.
        """
        return self._step(
            state, x, objective_gradient, value, constraint_gradient, lower, upper, adapt, "volume"
        )

    def step_least_volume(
        self,
        state: OCState,
        x: Array,
        compliance_gradient: Array,
        value: float,
        volume_gradient: Array,
        lower: Array,
        upper: Array,
        adapt: bool = True,
    ) -> tuple[Array, OCState]:
        """One step of least volume under a compliance limit; arguments as in `step`.

        `value` is compliance minus its limit. The multiplier is such that CONLIN's approximation
        `value + sum(dC x (1 - x / x_new))` (linear where dC > 0; Fleury 1989) meets the limit.
        """
        return self._step(
            state, x, compliance_gradient, value, volume_gradient, lower, upper, adapt, "compliance"
        )

    def _step(
        self,
        state: OCState,
        x: Array,
        compliance_gradient: Array,
        value: float,
        volume_gradient: Array,
        lower: Array,
        upper: Array,
        adapt: bool,
        limited: Literal["volume", "compliance"],
    ) -> tuple[Array, OCState]:
        exponents = np.array([self.exponent]) if state.exponents is None else state.exponents
        guess = state.log_multiplier
        if guess is None:
            guess = _first_guess(compliance_gradient, volume_gradient)
        flat, log_multiplier = self.machine.oc_update(
            _flat(x),
            _flat(compliance_gradient),
            _flat(volume_gradient),
            _flat(lower),
            _flat(upper),
            _flat(exponents),
            self.floor,
            self.move,
            value,
            limited == "compliance",
            guess,
        )
        new = flat.reshape(x.shape)
        # A search that ended at "all up" or "all down" says nothing about where the next one should begin.
        kept = log_multiplier if abs(log_multiplier) < 1e3 else None
        if self.adaptive is None:
            return new, OCState(None, None, kept)
        step = new - x
        adapted = self._adapted(state, step, adapt)
        return new, OCState(adapted, np.sign(step, out=step).astype(np.int8), kept)

    def _adapted(self, state: OCState, step: Array, adapt: bool) -> Singles | None:
        rule = self.adaptive
        if rule is None or not adapt or state.last is None:
            return state.exponents
        before = np.full(step.shape, self.exponent) if state.exponents is None else state.exponents
        after = self.machine.oc_adapt(
            _flat(before),
            _flat(step),
            _flat(state.last),
            rule.grow,
            rule.shrink,
            rule.least,
            rule.most,
        )
        return after.reshape(step.shape).astype(np.float32)


def _flat(a: NDArray[np.floating | np.int8]) -> Array:
    return np.ascontiguousarray(a, dtype=np.float64).reshape(-1)


def _first_guess(compliance_gradient: Array, volume_gradient: Array) -> float:
    """Logarithm of the mean benefit over the mean cost; 0 where either vanishes."""
    benefit = -float(np.minimum(compliance_gradient, 0.0).sum())
    cost = float(np.maximum(volume_gradient, 0.0).sum())
    return float(np.log(benefit) - np.log(cost)) if benefit > 0.0 and cost > 0.0 else 0.0
