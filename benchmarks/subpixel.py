"""Subpixel-smoothed projection: a voxel is as full as the part of it on one side of a straight edge.

Where the filtered density `f` crosses the threshold within a voxel, the distance to the edge is estimated by
the slope of `f`, and the voxel gets the share of a ball around its centre that lies behind the edge. However
steep the projection is, the physical density stays differentiable. With `t = (eta - f) / (R d)` and
`d = |grad f|`,

    F(t) = 1/2 - 15/16 t + 5/8 t^3 - 3/16 t^5          for |t| < 1,
    f_minus = f - R d F,    f_plus = f + R d (1 - F),
    physical = (1 - F) H(f_minus) + F H(f_plus)        for |t| < 1, else H(f),

where H is the tanh projection; where it is a step, `physical = F`. The second order has
`d^2 = |grad f|^2 + R^2 |Hessian f|^2`, which does not vanish where two edges meet.

Sources: Hammond, Oskooi, Hammond, Chen, Ralph & Johnson 2025 (arXiv 2503.20189); Romano, Arrieta & Johnson
2026 (arXiv 2601.10737). R is 0.55 voxels in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from trabecula.design import DesignChain, Projection
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.machine import Machine

Array = NDArray[np.float64]

RADIUS = 0.55
"""Of the ball, in voxels."""

STEP = 100.0
"""Steepness from which on the projection is a step."""


@dataclass(frozen=True)
class SubpixelProjection:
    """The map from filtered to physical densities and its transpose.

    Attributes
    ----------
    beta
        Steepness of the tanh projection inside; infinite for a step.
    order
        1 with the gradient, 2 with the Hessian too.
    eta
        Threshold.
    """

    beta: float
    order: int = 1
    eta: float = 0.5

    def value(self, filtered: Array) -> Array:
        """Physical densities, float64 `[z, y, x]` as `filtered`."""
        far = self._step(filtered)
        d, near = self._near(filtered)
        f, d = filtered[near], d[near]
        share = _share((self.eta - f) / (RADIUS * d))
        low, high = f - RADIUS * d * share, f + RADIUS * d * (1.0 - share)
        far[near] = (1.0 - share) * self._step(low) + share * self._step(high)
        return far

    def pullback(self, filtered: Array, gradient: Array) -> Array:
        """Gradient with respect to the filtered densities from that with respect to the physical ones."""
        d, near = self._near(filtered)
        back = gradient * self._slope(filtered)
        f, g, d_near = filtered[near], gradient[near], d[near]
        t = (self.eta - f) / (RADIUS * d_near)
        share, slope = _share(t), -15.0 / 16.0 * np.square(1.0 - t * t)
        low, high = f - RADIUS * d_near * share, f + RADIUS * d_near * (1.0 - share)
        weight_low, weight_high = (1.0 - share) * self._slope(low), share * self._slope(high)
        jump = self._step(high) - self._step(low)
        of_f = (weight_low + weight_high) * (1.0 + slope) - slope / (RADIUS * d_near) * jump
        of_d = weight_low * RADIUS * (t * slope - share)
        of_d += weight_high * RADIUS * (1.0 - share + t * slope) - slope * t / d_near * jump
        back[near] = g * of_f
        through = np.zeros_like(filtered)
        through[near] = g * of_d / d_near  # d(d) = sum(derivative * d(derivative)) / d
        return back + _norm_pullback(filtered, self.order, through)

    def _near(self, filtered: Array) -> tuple[Array, NDArray[np.bool_]]:
        """The estimate of the slope, and where an edge passes within the ball."""
        d = np.sqrt(_squared_norm(filtered, self.order))
        return d, np.abs(self.eta - filtered) < RADIUS * d

    def _step(self, filtered: Array) -> Array:
        if isinf(self.beta):
            return 0.5 * (1.0 + np.sign(filtered - self.eta))
        return Projection(self.beta, self.eta).value(filtered)

    def _slope(self, filtered: Array) -> Array:
        if isinf(self.beta):
            return np.zeros_like(filtered)
        return Projection(self.beta, self.eta).derivative(filtered)


class SubpixelChain(DesignChain):
    """A design chain with the subpixel-smoothed projection, a step from steepness `STEP` on."""

    def __init__(self, discrete: DiscreteProblem, machine: Machine | int | None, order: int) -> None:
        super().__init__(discrete, machine)
        self.order = order

    def project(self, filtered: Array, beta: float) -> Array:
        """Physical densities of filtered ones."""
        return self._projection(beta).value(filtered)

    def project_back(self, filtered: Array, beta: float, gradient: Array) -> Array:
        """Gradient with respect to the filtered densities."""
        return self._projection(beta).pullback(filtered, gradient)

    def _projection(self, beta: float) -> SubpixelProjection:
        return SubpixelProjection(inf if beta >= STEP else beta, self.order)


def _share(t: Array) -> Array:
    """Share of the ball behind an edge at the distance `t`, in radii, for |t| <= 1."""
    return 0.5 - t * (15.0 / 16.0 - t * t * (5.0 / 8.0 - 3.0 / 16.0 * t * t))


def _difference(n: int) -> csr_array:
    """Central differences of n values, one-sided at the ends."""
    if n == 1:
        return csr_array((1, 1))
    matrix = diags_array([-0.5, 0.5], offsets=[-1, 1], shape=(n, n)).tolil()
    matrix[0, 0] = matrix[-1, -2] = -1.0
    matrix[0, 1] = matrix[-1, -1] = 1.0
    return csr_array(matrix)


def _second_difference(n: int) -> csr_array:
    """Second differences of n values, as if the first and the last went on."""
    if n == 1:
        return csr_array((1, 1))
    matrix = diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)).tolil()
    matrix[0, 0] = matrix[-1, -1] = -1.0
    return csr_array(matrix)


def _along(matrix: csr_array, values: Array, axis: int) -> Array:
    """A matrix applied along an axis."""
    front = np.moveaxis(values, axis, 0)
    made = matrix @ front.reshape(len(front), -1)
    return np.asarray(np.moveaxis(made.reshape(front.shape), 0, axis))


Derivative = tuple[tuple[tuple[csr_array, int], ...], float]
"""Matrices with their axes, applied one after the other, and the weight of the square of what comes out."""


def _derivatives(filtered: Array, order: int) -> list[Derivative]:
    """Matrices to be applied one after the other for each derivative, and the weight of its square."""
    axes = range(filtered.ndim)
    first = [_difference(n) for n in filtered.shape]
    terms: list[Derivative] = [(((first[a], a),), 1.0) for a in axes]
    if order == 2:
        terms += [(((_second_difference(filtered.shape[a]), a),), RADIUS**2) for a in axes]
        pairs = [(a, b) for a in axes for b in axes if a < b]
        terms += [(((first[a], a), (first[b], b)), 2.0 * RADIUS**2) for a, b in pairs]
    return terms


def _squared_norm(filtered: Array, order: int) -> Array:
    """`|grad f|^2`, and of second order `+ R^2 |Hessian f|^2`, per voxel, lengths in voxels."""
    total = np.zeros_like(filtered)
    for steps, weight in _derivatives(filtered, order):
        values = filtered
        for matrix, axis in steps:
            values = _along(matrix, values, axis)
        total += weight * np.square(values)
    return total


def _norm_pullback(filtered: Array, order: int, through: Array) -> Array:
    """Gradient of `sum(through * squared_norm / 2)` with `through` held: the transposed differences."""
    total = np.zeros_like(filtered)
    for steps, weight in _derivatives(filtered, order):
        values = filtered
        for matrix, axis in steps:
            values = _along(matrix, values, axis)
        values = weight * through * values
        for matrix, axis in reversed(steps):
            values = _along(csr_array(matrix.T), values, axis)
        total += values
    return total
