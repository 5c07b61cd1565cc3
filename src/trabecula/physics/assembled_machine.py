"""The machine without a compiler: the same loops in NumPy, the state by SciPy's sparse solvers.

Every function follows its kernel (`stencil.hpp`, `oc.hpp`, `mma.hpp` in `kernels/`) and differs by rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.assembled import make_witness
from trabecula.physics.state import State
from trabecula.problem.physics import Physics

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AssembledMachine:
    """NumPy and SciPy; slow, and of any physics. A `Machine`.

    Parameters
    ----------
    threads
        Of the Fourier and cosine transforms; NumPy works on one.
    """

    threads: int = 1

    @property
    def name(self) -> str:
        """ "assembled"."""
        return "assembled"

    def with_threads(self, threads: int) -> AssembledMachine:
        """The same machine on another number of threads."""
        return replace(self, threads=threads)

    def knows(self, physics: Physics) -> bool:
        """Any physics: True."""
        return True

    def state(self, discrete: DiscreteProblem) -> State:
        """A state equation with an assembled matrix."""
        return make_witness(discrete)

    def convolve(
        self, voxels: Array, octant: Array, before: Array | None = None, after: Array | None = None
    ) -> Array:
        """See `Machine.convolve`."""
        given = voxels if before is None else before * voxels
        out = np.zeros(voxels.shape)
        for place in zip(*np.nonzero(octant), strict=True):
            for offset in product(*({-int(n), int(n)} for n in place)):
                to = _shifted(given.shape, offset)
                out[to] += octant[place] * given[_shifted(given.shape, tuple(-o for o in offset))]
        if after is not None:
            out *= after
        return out

    def oc_update(
        self,
        x: Array,
        compliance_gradient: Array,
        volume_gradient: Array,
        lower: Array,
        upper: Array,
        exponent: Array,
        floor: float,
        move: float,
        value: float,
        reciprocal: bool,
        guess: float,
    ) -> tuple[Array, float]:
        """See `Machine.oc_update`."""
        criteria = _Criteria(
            x, compliance_gradient, volume_gradient, lower, upper, exponent, floor, move, value, reciprocal
        )
        log_multiplier = criteria.search(guess)
        return criteria.candidate(log_multiplier)[0], log_multiplier

    def oc_adapt(
        self,
        exponent: Array,
        step: Array,
        last: Array,
        grow: float,
        shrink: float,
        least: float,
        most: float,
    ) -> Array:
        """See `Machine.oc_adapt`."""
        turn = step * last
        factor = np.where(turn > 0.0, grow, np.where(turn < 0.0, shrink, 1.0))
        return np.asarray(np.clip(exponent * factor, least, most))

    def mma_dual(
        self,
        low: Array,
        upp: Array,
        alpha: Array,
        beta: Array,
        p: Array,
        q: Array,
        multipliers: Array,
    ) -> tuple[Array, Array]:
        """See `Machine.mma_dual`."""
        pull, push = p[0] + multipliers @ p[1:], q[0] + multipliers @ q[1:]
        root_p, root_q = np.sqrt(pull), np.sqrt(push)
        free = (root_p * low + root_q * upp) / (root_p + root_q)
        x = np.clip(free, alpha, beta)
        up, down = 1.0 / (upp - x), 1.0 / (x - low)
        curvature = 2.0 * (pull * up**3 + push * down**3)
        weight = np.where(x == free, 1.0 / curvature, 0.0)
        slopes = p[1:] * up**2 - q[1:] * down**2
        value = float(pull @ up + push @ down)
        gradient = p[1:] @ up + q[1:] @ down
        return x, np.concatenate([[value], gradient, ((slopes * weight) @ slopes.T).ravel()])


def _shifted(shape: tuple[int, ...], offset: tuple[int, ...]) -> tuple[slice, ...]:
    """The part of an array that its own shift by `offset` covers."""
    return tuple(slice(max(0, o), n + min(0, o)) for o, n in zip(offset, shape, strict=True))


_END = 1e5
"""Logarithm beyond which a multiplier is no longer looked for."""


class _Criteria:
    """One update of optimality criteria: densities as functions of the multiplier, and its search.

    With `B = -dC/dV` the update is `clip(max(x, floor) (B / lam)^exponent)`. No benefit: as little as
    allowed. Benefit at no cost: as much as allowed. Neither: a density stays.
    """

    def __init__(
        self,
        x: Array,
        compliance_gradient: Array,
        volume_gradient: Array,
        lower: Array,
        upper: Array,
        exponent: Array,
        floor: float,
        move: float,
        value: float,
        reciprocal: bool,
    ) -> None:
        self.x, self.slope, self.cost = x, compliance_gradient, volume_gradient
        self.exponent, self.value, self.reciprocal = exponent, value, reciprocal
        self.low, self.high = np.maximum(lower, x - move), np.minimum(upper, x + move)
        self.still = np.clip(x, lower, upper)
        gain, paid = -compliance_gradient, volume_gradient > 0.0
        self.stays = ~paid & (gain == 0.0)
        ratio = np.clip(gain / np.where(paid, volume_gradient, 1.0), 1e-300, 1e300)
        usual = np.log(np.maximum(np.maximum(x, floor), 1e-300)) + exponent * np.log(ratio)
        self.level = np.where(paid & (gain > 0.0), usual, np.where(~paid & (gain > 0.0), inf, -inf))

    def candidate(self, log_multiplier: float) -> tuple[Array, Array]:
        """The densities at a multiplier, and their derivatives with respect to its logarithm."""
        free = np.exp(np.clip(self.level - self.exponent * log_multiplier, -700.0, 700.0))
        bounded = np.minimum(np.maximum(free, self.low), self.high)
        slope = np.where((bounded == free) & ~self.stays, -self.exponent * free, 0.0)
        return np.where(self.stays, self.still, bounded), slope

    def residual(self, log_multiplier: float) -> tuple[float, float, float]:
        """A function that falls to zero at the multiplier sought, its derivative, and its scale.

        The limit on the volume, linear in the densities; or that on the compliance, by CONLIN (terms that
        fall with the density in 1/x, others in x), turned round.
        """
        new, slope = self.candidate(log_multiplier)
        if not self.reciprocal:
            change = float((self.cost * (new - self.x)).sum())
            scale = float((np.abs(self.cost) * new).sum())
            return self.value + change, float((self.cost * slope).sum()), scale
        share = self.x / np.maximum(new, 1e-12)
        falls = self.slope < 0.0
        terms = self.slope * np.where(falls, self.x * (1.0 - share), new - self.x)
        slopes = self.slope * np.where(falls, share * share, 1.0) * slope
        scale = float((np.abs(self.slope) * self.x).sum())
        return -self.value - float(terms.sum()), -float(slopes.sum()), scale

    def search(self, guess: float) -> float:
        """Newton's method in a bracket, on the logarithm of actual over allowed, which is nearly straight.

        The answer is on the feasible side within 1e-11 of the constraint's scale, or as near as can be.
        """
        side = 1.0 if self.reciprocal else -1.0
        low, high, at, step, before = -_END, _END, guess, 1.0, 0.0
        for _ in range(200):
            value, slope, scale = self.residual(at)
            tolerance = 1e-11 * max(scale, 1e-300)
            off = value - side * 0.5 * tolerance
            if abs(off) <= 0.5 * tolerance:
                return at
            low, high = (at, high) if off > 0.0 else (low, at)
            is_bracketed = low > -_END and high < _END
            if high - low <= 1e-14 * max(1.0, abs(at)) or low >= _END or high <= -_END:
                break
            is_slow = is_bracketed and abs(off) > 0.5 * abs(before)
            before = off
            allowed = scale - self.value if self.reciprocal else scale - off
            actual = allowed + (-off if self.reciprocal else off)
            is_known = allowed > 0.0 and actual > 1e-13 * allowed
            gap = actual * log(actual / allowed) if is_known else actual - allowed
            following = at + (step if off > 0.0 else -step)
            if slope < 0.0:
                following = at - (-gap if self.reciprocal else gap) / slope
            if not is_bracketed:
                step *= 4.0
                following = min(max(following, at - step), at + step)
            elif is_slow or not low < following < high:
                following = 0.5 * (low + high)
            at = min(max(following, -_END), _END)
        return max(low, -_END) if self.reciprocal else min(high, _END)
