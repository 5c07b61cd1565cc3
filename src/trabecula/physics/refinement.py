"""States in doubled precision: where a slender part moves far, one double per displacement is too coarse.

A beam of flat voxels bends by many times what its voxels are strained, and the rounding of the displacements
alone leaves forces that are out of balance by 1e-8 of the load and more. A state is then the sum of two
doubles, `u + tail`; its residual is evaluated with products and sums whose rounding errors are kept (Dekker
1971, Knuth), and what is left over is solved for again (iterative refinement; Higham 2002, chapter 12).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.physics.assembled import AssembledState
from trabecula.physics.state import Guess, Solve, State

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

ROUNDS = 6
"""Corrections that are tried."""

GAIN = 0.5
"""A correction that leaves more than this share of the residual is the last one."""

TARGET = 1e-9
"""Relative residual that is aimed at."""

CORRECTION = 1e-4
"""Relative residual that corrections are solved to."""

_SPLITTER = 2.0**27 + 1.0


@dataclass(frozen=True, eq=False)
class Refined:
    """A state `u + tail`, float64 `[component, z, y, x]` each, and its relative residual."""

    u: Array
    tail: Array
    residual: float


def refine(state: State, witness: AssembledState, load: Array, u: Array, target: float) -> Refined | None:
    """Correct a state until it balances its load.

    Parameters
    ----------
    state
        Solves for the corrections; its stiffness is set.
    witness
        Judges; the same stiffness is set. Its matrix counts.
    load, u
        float64 `[component, z, y, x]`: nodal forces and the state that was found.
    target
        Relative residual to be reached.

    Returns
    -------
    The best that was reached, no worse than `u`; None where there is no load.
    """
    free = ~witness.fixed
    norm = float(np.linalg.norm(load[free]))
    if norm == 0.0:
        return None
    u, tail = np.where(free, u, 0.0), np.zeros_like(u)
    rest = np.where(free, imbalance(witness, load, u, tail), 0.0)
    best = Refined(u, tail, float(np.linalg.norm(rest)) / norm)
    for _ in range(ROUNDS):
        if not target < best.residual < np.inf:
            break
        correction, _ = state.solve(rest, None, CORRECTION)
        u, tail = two_sum(best.u, best.tail + correction)
        rest = np.where(free, imbalance(witness, load, u, tail), 0.0)
        size = float(np.linalg.norm(rest)) / norm
        if not size < best.residual:
            break
        is_last = size > GAIN * best.residual
        best = Refined(u, tail, size)
        if is_last:
            break
    return best


def imbalance(witness: AssembledState, load: Array, u: Array, tail: Array) -> Array:
    """`load - K (u + tail)` over all nodes, as if it were evaluated in twice the precision.

    All float64 `[component, z, y, x]`; `u` and `tail` vanish where they are held.
    """
    high, low = load.copy(), np.zeros_like(load)
    nodes = len(witness.corners)
    for rows in witness.slabs():
        stiffness = witness.relative[rows].ravel()
        parts = [_relative_to_first(witness, values, rows) for values in (u, tail)]
        large, small = two_difference(*parts[0])
        small += parts[1][0] - parts[1][1]
        for i, entries in enumerate(witness.element):
            force, rounding = np.zeros_like(stiffness), np.zeros_like(stiffness)
            for entry, a, b in zip(entries, large, small, strict=True):
                product, error = two_product(entry, a)
                force, lost = two_sum(force, product)
                rounding += lost + error + entry * b
            product, error = two_product(force, stiffness)
            error += rounding * stiffness
            component, corner = divmod(i, nodes)
            at = witness.window(witness.corners[corner], rows)
            before = high[component][at]
            high[component][at], lost = two_sum(before, -product.reshape(before.shape))
            low[component][at] += lost - error.reshape(before.shape)
    return np.asarray(high + low)


def _relative_to_first(witness: AssembledState, values: Array, rows: slice) -> Pair:
    """Values of every element's nodes and those they count from, `[dof, element]` both."""
    at, first = [], []
    for component, is_free in zip(values, witness.is_free, strict=True):
        base = component[witness.window(witness.corners[0], rows)].ravel()
        for corner in witness.corners:
            at.append(component[witness.window(corner, rows)].ravel())
            first.append(base if is_free else np.zeros_like(base))
    return np.stack(at), np.stack(first)


def two_sum(a: Array, b: Array) -> Pair:
    """A sum and its rounding error (Knuth).

    Examples
    --------
    >>> two_sum(np.array([1.0]), np.array([1e-20]))
    (array([1.]), array([1.e-20]))
    """
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_difference(a: Array, b: Array) -> Pair:
    """A difference and its rounding error."""
    return two_sum(a, -b)


def two_product(a: Array | float, b: Array) -> Pair:
    """A product and its rounding error (Dekker 1971), of numbers well within the range."""
    product = np.asarray(a * b)
    a_high, a_low = _split(np.asarray(a))
    b_high, b_low = _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, np.asarray(error)


def _split(a: Array) -> Pair:
    """The upper and the lower half of the digits."""
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


class RefinedState:
    """A state equation whose solutions are corrected until a witness finds them in equilibrium; a `State`.

    Parameters
    ----------
    state
        Solves.
    witness
        Judges.

    Attributes
    ----------
    residual
        The largest relative residual of `u + tail` since the stiffness was set.
    """

    def __init__(self, state: State, witness: AssembledState) -> None:
        self._state, self._witness = state, witness
        self.residual = 0.0

    def set_stiffness(self, relative: Array) -> None:
        """See `State`."""
        self._state.set_stiffness(relative)
        if self._witness is not self._state:
            self._witness.set_stiffness(relative)
        self.residual = 0.0

    def solve(self, load: Array, start: Guess | None = None, tolerance: float = 1e-9) -> tuple[Array, Solve]:
        """See `State`; at least `TARGET` is aimed at."""
        u, how = self._state.solve(load, start, tolerance)
        found = refine(self._state, self._witness, load, u, min(tolerance, TARGET))
        if found is None:
            return u, how
        self.residual = max(self.residual, found.residual)
        return found.u, how._replace(residual=found.residual)

    def bilinear(self, u: Array, v: Array) -> Array:
        """See `State`."""
        return self._state.bilinear(u, v)

    def apply(self, u: Array) -> Array:
        """See `State`."""
        return self._state.apply(u)
