"""A design with its states: all that a quantity may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import frexp, ldexp
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.protocol import Discretisation
from trabecula.numerics.inner_product import inner
from trabecula.physics import Guess, State
from trabecula.physics.body_force import body_force, body_force_adjoint
from trabecula.problem.model import Material
from trabecula.problem.where import Where

Array = NDArray[np.float64]


class Stiffness(Protocol):
    """Relative stiffness of physical densities, with its derivative."""

    def value(self, density: Array) -> Array:
        """Relative stiffness, in the shape of `density`; a new array."""
        ...

    def derivative(self, density: Array) -> Array:
        """Derivative of `value`, in the shape of `density`; a new array."""
        ...


class DesignPoint:
    """A design at which quantities are measured: its physical densities and the states of its load cases.

    All of it is in SI units, whatever units the solver works in. Displacements are temperatures in a heat
    problem, loads heat. States are solved when they are first asked for and kept.

    Parameters
    ----------
    discrete
        The problem on its grid.
    state
        The state equation; its stiffness is set here.
    physical
        float64 over elements: physical densities.
    interpolation
        What makes them stiff.
    start
        Displacements to begin the solves from, one per case, in the solver's units.
    tolerance
        Relative residual of the solves.

    Attributes
    ----------
    iterations, residual, solves
        Of the linear solves so far: conjugate-gradient iterations, worst relative residual, how many.
    """

    def __init__(
        self,
        discrete: DiscreteProblem,
        state: State,
        physical: Array,
        interpolation: Stiffness,
        start: Sequence[Guess] | None = None,
        tolerance: float = 1e-10,
    ) -> None:
        self.discrete = discrete
        self.physical = physical
        self.tolerance = tolerance
        self.iterations, self.residual, self.solves = 0, 0.0, 0
        self._state, self._interpolation, self._start = state, interpolation, start
        self._displacements: dict[int, Array] = {}
        self._energies: dict[int, Array] = {}
        self._compliances: dict[int, float] = {}
        self._heavy = tuple(bool(np.any(g)) for g in discrete.gravity)
        self._stiffness: Array | None = interpolation.value(physical)
        state.set_stiffness(self._stiffness)

    @property
    def cases(self) -> int:
        """Number of load cases."""
        return len(self.discrete.weights)

    @property
    def grid(self) -> Discretisation:
        """The grid, in metres."""
        return self.discrete.units.grid(self.discrete.grid)

    @property
    def material(self) -> Material:
        """The material, in SI units."""
        return self.discrete.units.material(self.discrete.material, self.discrete.physics)

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """bool `[component, ...nodes]`: held degrees of freedom."""
        return self.discrete.fixed

    @property
    def stiffness(self) -> Array:
        """Relative stiffness over elements; a new array."""
        return self._interpolation.value(self.physical)

    @property
    def stiffness_derivative(self) -> Array:
        """Derivative of the relative stiffness with respect to the physical density; a new array."""
        return self._interpolation.derivative(self.physical)

    def select_nodes(self, where: Where) -> NDArray[np.bool_]:
        """bool over nodes: what a selector selects."""
        return self.grid.select_nodes(where)

    def select_elements(self, where: Where) -> NDArray[np.bool_]:
        """bool over elements: those whose centres a selector selects."""
        return self.grid.select_elements(where)

    def solve_cases(self) -> None:
        """Solve the states of all load cases now."""
        for case in range(self.cases):
            self.solver_displacement(case)
        self._stiffness = None  # memory for what comes

    def take_displacements(
        self, displacements: Sequence[Array], bilinear: Callable[[Array, Array], Array] | None = None
    ) -> None:
        """Take the displacements of all cases as they are, in the solver's units, instead of solving.

        Parameters
        ----------
        bilinear
            What gives `u_e K0_e v_e` over elements; default: the state.
        """
        stiffness = self.stiffness
        for case, u in enumerate(displacements):
            found = (bilinear or self._state.bilinear)(u, u)
            self._compliances[case] = 2 * inner(self.solver_load(case), u) - inner(stiffness, found)
            self._displacements[case], self._energies[case] = u, found
        self._stiffness = None

    @property
    def weighted_compliance(self) -> float:
        """The weighted sum of the cases' compliances, in the solver's units."""
        return self.sum_compliances(self.discrete.weights)

    def sum_compliances(self, weights: Array) -> float:
        """The sum of the cases' compliances with any weights, float64 `[case]`, in the solver's units."""
        self.solve_cases()
        return float(np.dot(weights, [self._compliances[case] for case in range(self.cases)]))

    @property
    def displacements(self) -> tuple[Array, ...]:
        """Displacements of all cases, in the solver's units."""
        self.solve_cases()
        return tuple(self._displacements[case] for case in range(self.cases))

    def load(self, case: int) -> Array:
        """Nodal forces of a case, own weight included, `[component, ...nodes]` in N (W for heat)."""
        return np.asarray(np.ldexp(self.solver_load(case), self.discrete.units.force(case)))

    def displacement(self, case: int) -> Array:
        """Displacement of a case, `[component, ...nodes]` in m (K for heat)."""
        return np.asarray(np.ldexp(self.solver_displacement(case), self.discrete.units.displacement(case)))

    def compliance(self, case: int) -> float:
        """Load times displacement of a case, in J (W K for heat).

        It is `2 f.u - u K u`, which is wrong by the square of the solve's error only, so that loose solves
        rank designs well.
        """
        self.solver_displacement(case)
        return ldexp(self._compliances[case], self.discrete.units.energy(case))

    def energy(self, case: int) -> tuple[Array, float]:
        """`u_e K0_e u_e` of every element at full stiffness, and what one unit of it is in J; not to be
        changed."""
        self.solver_displacement(case)
        return self._energies[case], ldexp(1.0, self.discrete.units.energy(case))

    def has_own_weight(self, case: int) -> bool:
        """Whether the material's own weight loads a case."""
        return self._heavy[case]

    def own_weight_derivative(self, u: Array, case: int) -> Array:
        """`u . d(load)/d(physical)` over elements in J, for `u` `[component, ...nodes]` in m."""
        units = self.discrete.units
        shift = units.displacement(case)
        scaled = body_force_adjoint(self.discrete, np.asarray(np.ldexp(u, -shift)), case)
        return np.asarray(np.ldexp(scaled, units.energy(case)))

    def solve(self, load: Array) -> Array:
        """The displacement under any load: K is symmetric, so that this is the adjoint solve too.

        Parameters
        ----------
        load
            `[component, ...nodes]` in N; what acts on held degrees of freedom is carried by the supports.

        Returns
        -------
        Array
            `[component, ...nodes]` in m.
        """
        units = self.discrete.units
        size = frexp(float(np.abs(load).max(initial=0.0)))[1]
        right = np.where(self.discrete.fixed, 0.0, np.ldexp(load, -size))
        u, how = self._state.solve(right, None, self.tolerance)
        self._count(how.iterations, how.residual)
        return np.asarray(np.ldexp(u, size - units.stiffness))

    def bilinear(self, u: Array, v: Array) -> Array:
        """`u_e K0_e v_e` of every element at full stiffness, in J, for two displacements in m."""
        return np.asarray(np.ldexp(self._state.bilinear(u, v), self.discrete.units.stiffness))

    def through_stiffness(self, u: Array, adjoint: Array) -> Array:
        """Derivative of `-adjoint . K(x) u` with respect to the physical densities: how a functional of the
        displacement changes with the stiffness, if `adjoint` solves `K adjoint = d(functional)/du`."""
        return np.asarray(-self.stiffness_derivative * self.bilinear(u, adjoint))

    def solver_load(self, case: int) -> Array:
        """Nodal forces of a case in the solver's units; not to be changed."""
        load: Array = self.discrete.loads[case]
        return load + body_force(self.discrete, self.physical, case) if self._heavy[case] else load

    def solver_displacement(self, case: int) -> Array:
        """Displacement of a case in the solver's units; not to be changed."""
        if case not in self._displacements:
            load = self.solver_load(case)
            guess = None if self._start is None else self._start[case]
            u, how = self._state.solve(load, guess, self.tolerance)
            self._count(how.iterations, how.residual)
            energy = self._state.bilinear(u, u)
            stiffness = self.stiffness if self._stiffness is None else self._stiffness
            self._compliances[case] = 2 * inner(load, u) - inner(stiffness, energy)
            self._displacements[case], self._energies[case] = u, energy
        return self._displacements[case]

    def _count(self, iterations: int, residual: float) -> None:
        self.iterations += iterations
        self.residual = max(self.residual, residual)
        self.solves += 1
