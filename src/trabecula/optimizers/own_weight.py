"""Optimality criteria for designs that carry themselves.

Where material has weight, the gradient of a compliance is the difference of what it costs to carry, `p >= 0`,
and of the stiffness it adds, `q >= 0`. It changes its sign, and a criterion that knows `max(0, q - p)` alone
takes all material where it is negative, and finds it missing in the next step: a two-cycle without end. A
unit of material is worth its stiffness, and costs its price and its own weight, so that

    x_new = clip(max(x, floor) (q / (p + lam dv))^exponent),      lam >= 0,

with the least `lam` for which the volume is kept: zero where the design does not want all it may have. It is
what CONLIN's convex approximation of both parts, `-q` in 1/x and `p` in x, gives with exponent 1/2 (Fleury
1989; for own weight Bruyneel & Duysinx 2005). Without own weight it is the criterion of `oc`.

A member that hangs or arches carries itself with a stress that hardly depends on how thick it is, so that the
ratio says little about how far to go: no density changes by more than a factor of two in a step, for one that
vanished in a single step would let fall what hung on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner
from trabecula.numerics.own_weight_stationarity import gain_and_burden
from trabecula.numerics.root_finding import root
from trabecula.optimizers.oc import Adaptive, OCState, Signs, Singles
from trabecula.optimizers.protocol import OptimizerState
from trabecula.physics.machine import Machine, default_machine
from trabecula.responses import Evaluation

Array = NDArray[np.float64]

FACTOR = 2.0
"""Largest factor by which a density changes in a step."""

FARTHEST = 200.0
"""Powers of e around the last multiplier within which the next one is looked for."""

EXACT = 1e-12
"""Width, in powers of e, to which the multiplier is found."""

TINY = 1e-300


@dataclass(frozen=True)
class OwnWeightCriteria:
    """Least compliance under a volume, or least volume under a compliance, with own weight.

    Attributes
    ----------
    move, exponent, floor
        As for `OC`.
    adaptive
        How exponents adapt, as for `OC`; None keeps them. They may become smaller, for what a member carries
        changes with all others.
    least_volume
        Whether the volume is minimised.
    machine
        What runs the loop that adapts the exponents.
    """

    move: float = 0.2
    exponent: float = 0.7
    adaptive: Adaptive | None = field(default_factory=lambda: Adaptive(least=0.05))
    floor: float = 1e-3
    least_volume: bool = False
    machine: Machine = field(default_factory=lambda: default_machine(1), repr=False, compare=False)

    def start(self) -> OCState:
        """The memory before the first step."""
        return OCState()

    def restore(self, arrays: Mapping[str, Array]) -> OCState:
        """The memory whose `arrays` these are."""
        return OCState.restore(arrays)

    def textbook(self) -> OwnWeightCriteria:
        """The same with the exponent 1/2 for all densities."""
        return replace(self, exponent=0.5, adaptive=None)

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
        (limit,) = found.constraints
        compliance = limit if self.least_volume else found
        volume = found.gradient if self.least_volume else limit.gradient
        own = np.zeros_like(x) if compliance.own_weight is None else compliance.own_weight
        gain, burden = gain_and_burden(compliance.gradient, own)
        volume = np.maximum(volume, 0.0)
        exponents = np.array(self.exponent) if state.exponents is None else state.exponents
        low, high = np.maximum(lower, x - share * self.move), np.minimum(upper, x + share * self.move)
        still = np.clip(x, lower, upper)
        base, log_gain = np.maximum(x, self.floor), np.log(np.maximum(gain, TINY))

        def design(log_price: float) -> Array:
            cost = burden + exp(log_price) * volume
            change = exponents * (log_gain - np.log(np.maximum(cost, TINY)))
            np.clip(change, -log(FACTOR), log(FACTOR), out=change)
            new: Array = np.clip(base * np.exp(change, out=change), low, high)
            np.copyto(new, still, where=(gain <= 0.0) & (cost <= 0.0))
            return new

        def volume_excess(log_price: float) -> float:
            return limit.value + inner(volume, design(log_price) - x)

        def compliance_excess(log_price: float) -> float:
            new = design(log_price)
            stiffer = gain * (x - np.square(x) / np.maximum(new, TINY))
            return limit.value + inner(burden, new - x) - float(stiffer.sum())

        guess = _first_guess(gain, volume) if state.log_multiplier is None else state.log_multiplier
        log_price = _highest(compliance_excess, guess) if self.least_volume else _lowest(volume_excess, guess)
        new = design(log_price)
        kept = log_price if abs(log_price - guess) < FARTHEST else None
        if self.adaptive is None:
            return new, OCState(None, None, kept)
        signs = np.sign(new - x).astype(np.int8)
        return new, OCState(self._adapt(state, signs, adapt, share), signs, kept)

    def _adapt(self, state: OCState, signs: Signs, adapt: bool, share: float) -> Singles | None:
        """Every density's exponent, larger where its change keeps its sign, smaller where it turns."""
        rule = self.adaptive
        if rule is None or not adapt or state.last is None:
            return state.exponents
        before = np.full(signs.shape, self.exponent) if state.exponents is None else state.exponents
        given, step, last = (np.ascontiguousarray(a, np.float64).ravel() for a in (before, signs, state.last))
        after = self.machine.oc_adapt(
            given, step, last, rule.grow, rule.shrink, share * rule.least, rule.most
        )
        return after.reshape(signs.shape).astype(np.float32)


def _lowest(excess: Callable[[float], float], guess: float) -> float:
    """The lowest logarithm of a price at which a falling excess is not above zero, within `FARTHEST`."""
    if excess(guess - FARTHEST) <= 0.0:
        return guess - FARTHEST
    low, high = _bracket(lambda t: excess(t) > 0.0, guess)
    if high >= guess + FARTHEST:
        return guess + FARTHEST
    found = root(excess, low, high, EXACT)
    while excess(found) > 0.0 and found < high:
        found = min(found + 2.0 * EXACT, high)
    return found


def _highest(excess: Callable[[float], float], guess: float) -> float:
    """The highest logarithm of a price at which a rising excess is not above zero, within `FARTHEST`.

    Where there is none, the limit is missed whatever the price, and the design is made as stiff as a step
    can make it.
    """
    if excess(guess - FARTHEST) > 0.0:
        return guess - FARTHEST
    low, high = _bracket(lambda t: excess(t) <= 0.0, guess)
    return guess + FARTHEST if high >= guess + FARTHEST else root(excess, low, high, EXACT)


def _bracket(is_below: Callable[[float], bool], guess: float) -> tuple[float, float]:
    """Two numbers around which a condition that holds below ceases to hold, the first one where it does."""
    width = 0.5
    if is_below(guess):
        low = guess
        while is_below(high := min(guess + width, guess + FARTHEST)) and width < FARTHEST:
            low, width = high, 4.0 * width
        return low, high if not is_below(high) else guess + FARTHEST
    high = guess
    while not is_below(low := max(guess - width, guess - FARTHEST)) and width < FARTHEST:
        high, width = low, 4.0 * width
    return low, high


def _first_guess(gain: Array, volume: Array) -> float:
    """Logarithm of the mean gain over the mean cost; 0 where either vanishes."""
    total, cost = float(gain.sum()), float(volume.sum())
    return log(total) - log(cost) if total > 0.0 and cost > 0.0 else 0.0
