"""The second opinion on a design: solves, differentiates and bounds without the optimiser's code.

Another element matrix, another assembly, another solver. Where the grid is too large to factorise, the
displacements come from the compiled solver, but only as a witness: that they are in equilibrium, what energy
they hold and what they bound is evaluated element by element in NumPy, so that a fault of the kernels still
shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ldexp

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import Bound, reason_unbounded
from trabecula.certificate.certify import designs_of_bound
from trabecula.certificate.history import last_penalty
from trabecula.certificate.relax import prove
from trabecula.certificate.words import EQUILIBRIUM
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.inner_product import inner
from trabecula.physics import State
from trabecula.physics.assembled import AssembledState, make_witness, total_load
from trabecula.physics.refinement import RefinedState
from trabecula.responses import (
    Constraint,
    DesignPoint,
    Quantity,
    Stiffness,
    formulate,
    optimality_residual,
)

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

        self.discrete, self.penalty = discrete, last_penalty(discrete)
        self.chain = DesignChain(discrete, threads)
        self.formulation = formulate(discrete)
        self.interpolation = _interpolation(discrete)
        self.assembled = make_witness(discrete, direct_limit)
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
        return self.interpolation.value(physical)

    def solve(self, relative: Array, physical: Array | None) -> tuple[Array, ...]:
        """Displacements of all cases; with `physical` None own weight is left out."""
        self.state.set_stiffness(relative)
        return tuple(self.state.solve(load, None, self.tolerance)[0] for load in self._loads(physical))

    def refine(
        self, relative: Array, physical: Array, displacements: Sequence[Array]
    ) -> tuple[tuple[Array, ...], float | None]:
        """Displacements that were found, corrected in doubled precision, and their equilibrium residual.

        They are left as they are (and the residual is None) where they balance the loads well enough, or
        where the discretisation is somebody else's.
        """
        loads = self._loads(physical)
        enough = EQUILIBRIUM["certified"]
        if not isinstance(self.assembled, AssembledState):
            return tuple(displacements), None
        self.assembled.set_stiffness(relative)
        worst = max(self.assembled.residual(f, u) for f, u in zip(loads, displacements, strict=True))
        if worst <= enough or not np.isfinite(worst):
            return tuple(displacements), None
        refined = RefinedState(self.state, self.assembled)
        refined.set_stiffness(relative)
        return tuple(refined.solve(load, None, self.tolerance)[0] for load in loads), refined.residual

    def _loads(self, physical: Array | None) -> list[Array]:
        """Nodal forces of all cases, own weight included if there are densities."""
        cases = range(len(self.discrete.loads))
        if physical is None:
            return [self.discrete.loads[case] for case in cases]
        return [total_load(self.discrete, physical, case) for case in cases]

    def compliance(self, physical: Array, displacements: Sequence[Array]) -> float:
        """Weighted compliance, J."""
        return float(
            sum(
                weight * inner(total_load(self.discrete, physical, case), u)
                for case, (weight, u) in enumerate(zip(self.discrete.weights, displacements, strict=True))
            )
        )

    def measure(self, physical: Array, displacements: Sequence[Array]) -> DesignPoint:
        """A design for quantities to be measured at, its displacements those that were found."""
        at = DesignPoint(self.discrete, self.state, physical, self.interpolation, tolerance=self.tolerance)
        at.take_displacements(displacements, self.assembled.bilinear)
        return at

    def kkt(self, design: Array, beta: float, at: DesignPoint) -> float:
        """KKT residual at the design, with the gradients that an optimiser of the problem is given.

        With the sensitivity filter those are averages, of all quantities but the material.
        """
        formulation = self.formulation
        gradient = formulation.minimised_gradient(self._gradient(design, beta, at, formulation.objective))
        constraints = [
            Constraint(
                limited.excess(limited.quantity.value(at)),
                limited.scale(self._gradient(design, beta, at, limited.quantity)),
                self._own_weight(design, beta, at, limited.quantity, limited.scale),
            )
            for limited in formulation.limits
        ]
        own_weight = self._own_weight(design, beta, at, formulation.objective, formulation.minimised_gradient)
        return optimality_residual(formulation, self.discrete, design, gradient, constraints, own_weight)

    def _gradient(self, design: Array, beta: float, at: DesignPoint, quantity: Quantity) -> Array:
        weights = quantity.compliance_weights(self.discrete)
        if weights is None:
            own = quantity.gradient(at)
        else:
            own = ldexp(1.0, self.discrete.units.compliance) * self._compliance_gradient(at, weights)
        pulled = self.chain.pullback(design, beta, own)
        is_material = quantity.material_share(self.discrete) is not None
        return pulled if is_material else self.chain.sensitivity(design, pulled)

    def _own_weight(
        self,
        design: Array,
        beta: float,
        at: DesignPoint,
        quantity: Quantity,
        scale: Callable[[Array], Array],
    ) -> Array | None:
        """What own weight adds to the gradient of a compliance; None where there is none."""
        weights = quantity.compliance_weights(self.discrete)
        if weights is None or not np.any(self._heavy(weights)):
            return None
        own = ldexp(1.0, self.discrete.units.compliance) * self._own_weight_gradient(at, weights)
        return scale(self.chain.sensitivity(design, self.chain.pullback(design, beta, own)))

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

    def _compliance_gradient(self, at: DesignPoint, weights: Array) -> Array:
        """Derivative of a weighted sum of compliances, by formulas of its own, in the solver's units."""
        slope = self.interpolation.derivative(at.physical)
        gradient = np.zeros(at.physical.shape)
        for weight, u in zip(weights, at.displacements, strict=True):
            if weight:
                gradient -= weight * slope * self.assembled.bilinear(u, u)
        if np.any(self._heavy(weights)):
            gradient += self._own_weight_gradient(at, weights)
        return gradient

    def _own_weight_gradient(self, at: DesignPoint, weights: Array) -> Array:
        """The part of it that is own weight's."""
        from trabecula.physics.body_force import body_force_adjoint

        gradient = np.zeros(at.physical.shape)
        for case in map(int, np.flatnonzero(self._heavy(weights))):
            gradient += 2 * weights[case] * body_force_adjoint(self.discrete, at.displacements[case], case)
        return gradient

    def _heavy(self, weights: Array) -> NDArray[np.bool_]:
        """Which load cases of a weighted sum own weight acts in."""
        if "gravity" not in self.discrete.physics.loads:
            return np.zeros(len(weights), dtype=np.bool_)
        return np.asarray((weights != 0) & self.discrete.gravity.any(axis=1))


def _interpolation(discrete: DiscreteProblem) -> Stiffness:
    """SIMP, RAMP and the polynomial by formulas of their own; any other interpolation as it is."""
    from trabecula.design import make_interpolation

    is_ours = discrete.options.interpolation in (None, "simp", "ramp", "polynomial")
    return _Formulas(discrete) if is_ours else make_interpolation(discrete)


@dataclass(frozen=True)
class _Formulas:
    """SIMP, RAMP and the polynomial with a hundredth of the linear law, written here once more."""

    discrete: DiscreteProblem

    def value(self, density: Array) -> Array:
        """Relative stiffness."""
        soft, x = self.discrete.options.minimum_stiffness, np.maximum(density, 0.0)
        stiff = x / self._denominator(x)
        if self._kind != "ramp":
            stiff = self._linear * x + (1 - self._linear) * x**self._penalty
        return np.asarray(soft + (1 - soft) * stiff)

    def derivative(self, density: Array) -> Array:
        """Derivative of the relative stiffness."""
        soft, x = self.discrete.options.minimum_stiffness, np.maximum(density, 0.0)
        if self._kind != "ramp":
            power = self._penalty * x ** (self._penalty - 1)
            return np.asarray((1 - soft) * (self._linear + (1 - self._linear) * power))
        return np.asarray((1 - soft) * (1 + self._q) / self._denominator(x) ** 2)

    @property
    def _penalty(self) -> float:
        return last_penalty(self.discrete)

    @property
    def _kind(self) -> str:
        options = self.discrete.options
        own_weight = "polynomial" if options.projection else "ramp"
        heavy = bool(np.any(self.discrete.gravity))
        return str(options.interpolation or (own_weight if heavy else "simp"))

    @property
    def _linear(self) -> float:
        return 0.01 if self._kind == "polynomial" else 0.0

    @property
    def _q(self) -> float:
        return float(2**self._penalty - 2)

    def _denominator(self, x: Array) -> Array:
        return np.asarray(1 + self._q * (1 - x))
