"""Steps and a residual for projections whose volume may shrink as a density grows.

A subpixel-smoothed voxel looks at the slope around it, so that more of a design variable can mean less
material somewhere. The criterion and the residual of the package count on the opposite; those here do not,
and are the same as those where all signs are as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import exp, log, tanh

import numpy as np
from numpy.typing import NDArray

from trabecula.design import SHARPEST, DesignChain, Projection
from trabecula.numerics.inner_product import inner
from trabecula.numerics.root_finding import root
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.stopping import STEEP
from trabecula.optimizers import OC, Adaptive, OCState, Optimizer, OptimizerState
from trabecula.physics.machine import Machine, default_machine
from trabecula.responses import Evaluation

Array = NDArray[np.float64]

TINY = 1e-300
FARTHEST = 60.0
"""Powers of e around the first guess within which a multiplier is looked for."""

EXACT = 1e-10


@dataclass(frozen=True)
class FullSteps:
    """An optimiser whose steps are not shortened, however steep the projection is."""

    inner: Optimizer

    def start(self) -> OptimizerState:
        """The memory before the first step."""
        return self.inner.start()

    def restore(self, arrays: Mapping[str, Array]) -> OptimizerState:
        """The memory whose `arrays` these are."""
        return self.inner.restore(arrays)

    def step(
        self,
        state: OptimizerState,
        x: Array,
        found: Evaluation,
        lower: Array,
        upper: Array,
        adapt: bool,
        share: float,
    ) -> tuple[Array, OptimizerState]:
        """The next design and memory."""
        return self.inner.step(state, x, found, lower, upper, adapt, 1.0)


@dataclass(frozen=True)
class ProjectedMetric:
    """Optimality criteria whose move limit is one of the physical density and not of the design variable.

    A density may go as far as its filtered neighbourhood may until what is projected of it has changed by
    `move`: far where it is solid or void, hardly at an edge.
    """

    oc: OC
    chain: DesignChain
    move: float

    def start(self) -> OCState:
        """The memory before the first step."""
        return self.oc.start()

    def restore(self, arrays: Mapping[str, Array]) -> OCState:
        """The memory whose `arrays` these are."""
        return OCState.restore(arrays)

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
        """The next design and memory; `share` says the steepness, and how long it has been the last one."""
        assert isinstance(state, OCState)
        (limit,) = found.constraints
        low, high = lower, upper
        if share < 1.0:
            beta = min(SHARPEST, STEEP / share)
            move = self.move * share * beta / STEEP
            filtered = self.chain.filter.forward(self.chain.symmetrise(x))
            projection = Projection(beta)
            physical = projection.value(filtered)
            low = np.maximum(lower, x - np.minimum(self.move, filtered - _unproject(beta, physical - move)))
            high = np.minimum(upper, x + np.minimum(self.move, _unproject(beta, physical + move) - filtered))
        oc = replace(self.oc.with_shorter_steps(share), move=self.move)
        return oc.step(state, x, found.gradient, limit.value, limit.gradient, low, high, adapt)


def _unproject(beta: float, physical: Array) -> Array:
    """The filtered density of a projected one; beyond 0 and 1 infinite."""
    top = tanh(0.5 * beta)
    inside = (2.0 * np.clip(physical, 0.0, 1.0) - 1.0) * top
    found = 0.5 + np.arctanh(np.clip(inside, -1.0 + 1e-15, 1.0 - 1e-15)) / beta
    return np.where(physical <= 0.0, -np.inf, np.where(physical >= 1.0, np.inf, found))


@dataclass(frozen=True)
class SignedCriteria:
    """Optimality criteria for gradients of any sign: what a density gains over what it costs.

    `x_new = clip(max(x, floor) ((gain + lam refund) / (loss + lam cost))^exponent)`. There `gain` and
    `loss` are the parts of the compliance's gradient below and above zero, `refund` and `cost` those of the
    volume's. With exponents that adapt as those of `trabecula.optimizers.OC`, which it is where no sign is
    unusual.
    """

    move: float = 0.2
    exponent: float = 1.0
    adaptive: Adaptive = field(default_factory=Adaptive)
    floor: float = 1e-3
    machine: Machine = field(default_factory=lambda: default_machine(1), repr=False, compare=False)

    def start(self) -> OCState:
        """The memory before the first step."""
        return OCState()

    def restore(self, arrays: Mapping[str, Array]) -> OCState:
        """The memory whose `arrays` these are."""
        return OCState.restore(arrays)

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
        gain, loss = np.maximum(-found.gradient, 0.0), np.maximum(found.gradient, 0.0)
        cost, refund = np.maximum(limit.gradient, 0.0), np.maximum(-limit.gradient, 0.0)
        low, high = np.maximum(lower, x - share * self.move), np.minimum(upper, x + share * self.move)
        exponents = np.full(x.shape, self.exponent) if state.exponents is None else state.exponents
        base, still = np.maximum(x, self.floor), (found.gradient == 0.0) & (limit.gradient == 0.0)

        def design(log_price: float) -> Array:
            price = exp(log_price)
            ratio = np.log(np.maximum(gain + price * refund, TINY))
            ratio -= np.log(np.maximum(loss + price * cost, TINY))
            ratio *= exponents
            new: Array = np.clip(base * np.exp(np.clip(ratio, -50.0, 50.0)), low, high)
            np.copyto(new, x, where=still)
            return new

        def excess(log_price: float) -> float:
            return limit.value + inner(limit.gradient, design(log_price) - x)

        guess = log(float(gain.sum()) / max(float(cost.sum()), TINY))
        log_price = _root(excess, guess)
        new = design(log_price)
        signs = np.sign(new - x).astype(np.int8)
        if adapt and state.last is not None:
            rule = self.adaptive
            given, step, last = (
                np.ascontiguousarray(a, np.float64).ravel() for a in (exponents, signs, state.last)
            )
            after = self.machine.oc_adapt(
                given, step, last, rule.grow, rule.shrink, share * rule.least, rule.most
            )
            exponents = after.reshape(x.shape).astype(np.float32)
        return new, OCState(exponents.astype(np.float32), signs, log_price)


def stationarity(analysis: Analysis, x: Array, found: Evaluation) -> float:
    """The KKT residual of least compliance under a volume, `numerics.stationarity` for gradients of any sign.

    With `w = |dv|` the step is `s = clip(x - sign(dv) - dc / (lam w)) - x`, its length is measured by
    `sum(w s^2)`, and the price is the one for which `sum(dv s)` vanishes.
    """
    discrete = analysis.discrete
    (limit,), (limited,) = found.constraints, analysis.formulation.limits
    free = discrete.upper > discrete.lower
    dc, dv, low, high = (a[free] for a in (found.gradient, limit.gradient, discrete.lower, discrete.upper))
    x = x[free]
    weight = np.abs(dv)
    share = limited.quantity.material_share(discrete)
    assert share is not None
    used = abs(share / limited.factor) * inner(discrete.volume_gradient()[free], x)
    worth = np.divide(dc, weight, out=np.zeros_like(dc), where=weight > 0.0)
    sign = np.sign(dv)

    def step(log_price: float) -> Array:
        return np.asarray(np.clip(x - sign - exp(log_price) * worth, low, high) - x)

    guess = log(max(float(weight.sum()), TINY) / max(float(np.abs(dc).sum()), TINY))
    s = step(_root(lambda t: -inner(dv, step(t)), guess))
    return float(np.sqrt(inner(weight * s, s) / max(inner(weight, x), used, TINY)))


def _root(falling: Callable[[float], float], guess: float) -> float:
    """Where a function that falls from above to below zero does so, near a guess; else the nearer end."""
    low, high = guess - 1.0, guess + 1.0
    while falling(low) < 0.0 and low > guess - FARTHEST:
        low -= 2.0
    while falling(high) > 0.0 and high < guess + FARTHEST:
        high += 2.0
    if falling(low) < 0.0:
        return low
    return high if falling(high) > 0.0 else root(falling, low, high, EXACT)
