"""From the optimiser's densities to the physical ones, and gradients back.

`density -> mirror average -> filter -> clip to 0..1 -> projection -> passive parts -> physical`

Only a filter that overshoots is clipped (the Helmholtz filter: consistent finite elements have no maximum
principle). Where it is, the density does not depend on the design variables, so its derivative is zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.design.filters import make_filter
from trabecula.design.projection import Projection
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.root_finding import root
from trabecula.physics.machine import Machine, machine_of
from trabecula.problem.model import AXES

Array = NDArray[np.float64]


class DesignChain:
    """The differentiable map from densities to physical densities of one discrete problem.

    All arrays are float64 `[z, y, x]` (or `[y, x]`) over elements. `beta` is the steepness of the projection;
    0 leaves it out, and it is ignored where the problem has none. Densities should lie within
    `discrete.lower` and `discrete.upper`.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    machine
        What runs the loops of the filter: one, or the default one on so many threads (None follows
        `OMP_NUM_THREADS`). Results do not depend on it.
    """

    def __init__(self, discrete: DiscreteProblem, machine: Machine | int | None = None) -> None:
        self.discrete = discrete
        self.machine = machine_of(machine)
        self.filter = make_filter(discrete, self.machine)
        self.projects = discrete.options.projection
        self.clips = self.filter.overshoots
        """Whether filtered densities may leave 0 to 1 and are brought back."""
        self._mirrors = tuple(AXES.index(name) for name in discrete.options.symmetry)
        passive = discrete.lower == discrete.upper
        self._passive = passive if passive.any() else None

    @property
    def is_linear(self) -> bool:
        """Whether physical densities are an affine function of `x`, so that its derivative is the same for
        all."""
        return self.filter.is_linear and not self.projects and not self.clips

    def physical(self, x: Array, beta: float = 0.0) -> Array:
        """Physical densities: filtered, clipped to 0..1 where the filter overshoots, projected, passive
        voxels exactly at their value; a new array."""
        filtered = self._filtered(x)
        if self.clips:
            np.clip(filtered, 0.0, 1.0, out=filtered)
        physical = self.project(filtered, beta) if self.projects and beta else filtered
        if physical is x:
            physical = x.copy()
        if self._passive is not None:
            np.copyto(physical, self.discrete.lower, where=self._passive)
        return physical

    def pullback(self, x: Array, beta: float, gradient: Array) -> Array:
        """Gradient with respect to `x` from the gradient with respect to the physical density.

        Zero on passive voxels, symmetric where the problem asks for it. A new array.
        """
        back = gradient.copy()
        if self._passive is not None:
            back[self._passive] = 0.0
        if self.clips or (self.projects and beta):
            filtered = self._filtered(x)
            is_clipped = (filtered < 0.0) | (filtered > 1.0) if self.clips else None
            if is_clipped is not None:
                np.clip(filtered, 0.0, 1.0, out=filtered)
            if self.projects and beta:
                back = self.project_back(filtered, beta, back)
            if is_clipped is not None:
                back[is_clipped] = 0.0
        density = x if self.filter.is_linear else self.symmetrise(x)
        return self._freed(self.filter.adjoint(density, back))

    def project(self, filtered: Array, beta: float) -> Array:
        """Projected densities of filtered ones between 0 and 1, a new array; `beta` is above 0.

        A chain with another projection overrides this and `project_back`.
        """
        return Projection(beta).value(filtered)

    def project_back(self, filtered: Array, beta: float, gradient: Array) -> Array:
        """Gradient with respect to the filtered densities from that with respect to the projected ones, which
        may be overwritten."""
        gradient *= Projection(beta).derivative(filtered)
        return gradient

    def sensitivity(self, x: Array, gradient: Array) -> Array:
        """What the optimiser is given for the objective's gradient with respect to `x` (result of
        `pullback`).

        Differs from `gradient` for the sensitivity filter only.
        """
        averaged = self.filter.sensitivity(x, gradient)
        return gradient if averaged is gradient else self._freed(averaged)

    def volume(self, physical: Array) -> float:
        """Used fraction of the domain that is not passive void; passive solid counts as used."""
        return self.discrete.volume_fraction(physical)

    def volume_gradient(self, x: Array, beta: float = 0.0) -> Array:
        """Gradient of `volume(physical(x, beta))` with respect to `x`; a read-only array."""
        gradient = self.pullback(x, beta, self.discrete.volume_gradient())
        gradient.setflags(write=False)
        return gradient

    def symmetrise(self, values: Array) -> Array:
        """Mean of an element array and its mirror images in the problem's symmetry planes."""
        for axis in self._mirrors:
            mean = self.discrete.grid.mirror(values, axis) + values
            mean *= 0.5
            values = mean
        return values

    def uniform(self, fraction: float, beta: float = 0.0) -> Array:
        """Equal densities wherever free, such that `volume` is `fraction`; as near as bounds allow."""
        lower, upper = self.discrete.lower, self.discrete.upper

        def excess(level: float) -> float:
            return self.volume(self.physical(np.clip(level, lower, upper), beta)) - fraction

        for level, sign in ((fraction, 0.0), (0.0, 1.0), (1.0, -1.0)):
            value = excess(level)
            if abs(value) <= 1e-12 or value * sign > 0.0:
                break
        else:
            level = root(excess, 0.0, 1.0, 1e-13)
        return np.asarray(np.clip(level, lower, upper))

    def within(self, x: Array, fraction: float, beta: float = 0.0) -> Array:
        """`x` itself, or lowered evenly until `volume` is at most `fraction`, as near as bounds allow."""
        lower, upper = self.discrete.lower, self.discrete.upper

        def lowered(by: float) -> Array:
            return np.asarray(np.clip(x - by, lower, upper))

        def excess(by: float) -> float:
            return self.volume(self.physical(lowered(by), beta)) - fraction

        if excess(0.0) <= 0.0:
            return x
        if excess(1.0) >= 0.0:
            return lowered(1.0)
        by = root(excess, 0.0, 1.0, 1e-12)
        return lowered(by + 2e-12)

    def _filtered(self, x: Array) -> Array:
        return self.filter.forward(self.symmetrise(x))

    def _freed(self, gradient: Array) -> Array:
        gradient = self.symmetrise(gradient)
        if self._passive is not None:
            gradient[self._passive] = 0.0
        return gradient
