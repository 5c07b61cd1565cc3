"""The second opinion on a design: solves, differentiates and bounds without the optimiser's code.

Another element matrix, another assembly, another solver. Where the grid is too large to factorise, the
displacements come from the compiled solver, but only as a witness: that they are in equilibrium, what energy
they hold and what they bound is evaluated element by element in NumPy, so that a fault of the kernels still
shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import Bound, reason_unbounded
from trabecula.certificate.certify import designs_of_bound
from trabecula.certificate.relax import State, prove
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.inner_product import inner
from trabecula.numerics.stationarity import kkt_residual
from trabecula.physics.assembled import AssembledState, total_load

Array = NDArray[np.float64]


class Analyst:
    """Analyses designs of one problem at its final penalty; one state equation, `method` says which.

    Parameters
    ----------
    discrete
        The problem, made again from its file.
    threads
        Threads of the compiled solver, where it is used.
    direct_limit
        See `AssembledState`.
    """

    def __init__(
        self, discrete: DiscreteProblem, threads: int | None = None, direct_limit: int | None = None
    ) -> None:
        from trabecula.design import DesignChain

        self.discrete, self.penalty = discrete, discrete.options.penalty
        self.chain = DesignChain(discrete, threads)
        self.assembled = AssembledState(discrete, direct_limit)
        self.state: State = self.assembled
        self.method = "assembled matrix, direct factorisation"
        self.tolerance = 1e-10
        if not self.assembled.is_direct:
            from trabecula.physics import default_machine

            machine = default_machine(threads)
            self.state = machine.state(discrete)
            kind = machine.name.partition(" ")[0]
            self.method = f"displacements of the {kind} solver, verified element by element in NumPy"

    def stiffness(self, physical: Array) -> Array:
        """Relative stiffness, by formulas of its own."""
        soft, x = self.discrete.options.minimum_stiffness, np.maximum(physical, 0.0)
        return np.asarray(soft + (1 - soft) * (x**self.penalty if self._simp else x / self._denominator(x)))

    def slope(self, physical: Array) -> Array:
        """Derivative of the relative stiffness."""
        soft, x = self.discrete.options.minimum_stiffness, np.maximum(physical, 0.0)
        if self._simp:
            return np.asarray((1 - soft) * self.penalty * x ** (self.penalty - 1))
        return np.asarray((1 - soft) * (1 + self._q) / self._denominator(x) ** 2)

    def solve(self, relative: Array, physical: Array | None) -> tuple[Array, ...]:
        """Displacements of all cases; with `physical` None own weight is left out."""
        self.state.set_stiffness(relative)
        return tuple(
            self.state.solve(
                self.discrete.loads[case] if physical is None else total_load(self.discrete, physical, case),
                None,
                self.tolerance,
            )[0]
            for case in range(len(self.discrete.loads))
        )

    def compliance(self, physical: Array, displacements: Sequence[Array]) -> float:
        """Weighted compliance, J."""
        return float(
            sum(
                weight * inner(total_load(self.discrete, physical, case), u)
                for case, (weight, u) in enumerate(zip(self.discrete.weights, displacements, strict=True))
            )
        )

    def kkt(self, design: Array, beta: float, physical: Array, displacements: Sequence[Array]) -> float:
        """KKT residual at the design, with the gradients that an optimiser of the problem is given.

        With the sensitivity filter those are averages, of the goal and of compliances that are limited.
        """
        cases, limits = len(displacements), self.discrete.goal.compliance
        ones = np.full(self.discrete.grid.shape, 1.0)
        volume = self.chain.pullback(design, beta, ones)
        if self.discrete.goal.minimize == "volume" and limits and len(limits) > 1:
            mixtures = list(np.eye(cases))
        else:
            mixtures = [self.discrete.weights]
        gradients = []
        for weights in mixtures:
            gradient = np.zeros(self.discrete.grid.shape)
            for case, (weight, u) in enumerate(zip(weights, displacements, strict=True)):
                if weight:
                    gradient += weight * self._compliance_gradient(physical, case, u)
            pulled = self.chain.pullback(design, beta, gradient)
            gradients.append(self.chain.sensitivity(design, pulled))
        lower, upper = self.discrete.lower, self.discrete.upper
        if self.discrete.goal.minimize == "volume":
            return kkt_residual(design, volume, gradients, lower, upper)
        return kkt_residual(design, gradients[0], volume, lower, upper)

    def bound(self, relaxed: NDArray[np.floating] | None) -> Bound:
        """The bound that the relaxed density proves, or why there is none."""
        reason = reason_unbounded(self.discrete)
        if reason:
            return Bound(None, reason)
        if relaxed is None:
            return Bound(None, "the relaxed density that proves it was not saved")
        designs = designs_of_bound(self.chain, self.penalty)
        density = np.asarray(relaxed, dtype=np.float64)
        soft = self.discrete.options.minimum_stiffness
        displacements = self.solve(soft + (1 - soft) * density, None)
        return prove(self.discrete, density, displacements, designs)

    def _compliance_gradient(self, physical: Array, case: int, u: Array) -> Array:
        from trabecula.physics.body_force import body_force_adjoint

        gradient = -self.slope(physical) * self.assembled.energy(u)
        if np.any(self.discrete.gravity[case]) and "gravity" in self.discrete.physics.loads:
            gradient += 2 * body_force_adjoint(self.discrete, u, case)
        return gradient

    @property
    def _simp(self) -> bool:
        heavy = bool(np.any(self.discrete.gravity))
        return (self.discrete.options.interpolation or ("ramp" if heavy else "simp")) == "simp"

    @property
    def _q(self) -> float:
        return float(2**self.penalty - 2)

    def _denominator(self, x: Array) -> Array:
        return np.asarray(1 + self._q * (1 - x))
