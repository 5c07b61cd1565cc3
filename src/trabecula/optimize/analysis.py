"""One design, analysed: solve its state, and give the objective and constraints with their sensitivities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain, make_interpolation
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.inner_product import inner
from trabecula.physics import Guess, Machine, State, machine_of
from trabecula.physics.body_force import body_force
from trabecula.responses import Response, Volume, formulate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Constraint:
    """A constraint at a design: `value` (met where <= 0) and its `gradient` with respect to the densities."""

    value: float
    gradient: Array


@dataclass(frozen=True)
class Evaluation:
    """What an analysis says of a design.

    Attributes
    ----------
    objective
        The goal's value; `compliance` and `volume` are the weighted compliance and the used fraction,
        whatever the goal is.
    gradient
        float64 `[z, y, x]`: of the objective with respect to the densities.
    constraints
        At least one.
    displacements
        One a load case, `[component, z, y, x]`.
    iterations, residual
        Conjugate-gradient iterations over all cases, and the worst relative residual.
    """

    objective: float
    compliance: float
    volume: float
    gradient: Array
    constraints: tuple[Constraint, ...]
    displacements: tuple[Array, ...]
    iterations: int
    residual: float

    @property
    def violation(self) -> float:
        """The worst relative violation of a constraint, 0 if all are met."""
        return max(0.0, *(c.value for c in self.constraints))

    @property
    def is_finite(self) -> bool:
        """Whether objective, constraints and all sensitivities are numbers."""
        values = (self.objective, self.compliance, self.volume, *(c.value for c in self.constraints))
        gradients = (self.gradient, *(c.gradient for c in self.constraints))
        return all(map(isfinite, values)) and all(isfinite(inner(g, g)) for g in gradients)

    @property
    def merit(self) -> float:
        """The objective, comparable where a constraint is violated: times one plus the worst violation."""
        return self.objective * (1.0 + self.violation)


class Analysis:
    """Everything one grid needs to analyse designs; built once, used for every iteration.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    machine
        What does the arithmetic: one, or the default one on so many threads (None follows
        `OMP_NUM_THREADS`).
    state
        The state equation; made by the machine unless given.
    """

    def __init__(
        self,
        discrete: DiscreteProblem,
        machine: Machine | int | None = None,
        state: State | None = None,
    ) -> None:
        self.discrete = discrete
        self.machine = machine_of(machine)
        self.chain = DesignChain(discrete, self.machine)
        self.interpolation = make_interpolation(discrete)
        self.formulation = formulate(discrete)
        self.state: State = self.machine.state(discrete) if state is None else state
        self.solves = 0
        self._volume = Volume(discrete)
        self._slopes: dict[float, Array] = {}
        self._heavy = tuple(bool(np.any(g)) for g in discrete.gravity)

    @property
    def threads(self) -> int:
        """Threads of the machine."""
        return self.machine.threads

    @property
    def limits_compliance(self) -> bool:
        """Whether a compliance is limited, which no step can meet exactly."""
        return not all(isinstance(limit.goal, Volume) for limit in self.formulation.constraints)

    @property
    def cases(self) -> int:
        """Number of load cases."""
        return len(self.discrete.weights)

    def load(self, physical: Array, case: int) -> Array:
        """All nodal forces of a case at a design, own weight included, `[component, z, y, x]` in N (W)."""
        load: Array = self.discrete.loads[case]
        return load + body_force(self.discrete, physical, case) if self._heavy[case] else load

    def evaluate(
        self,
        x: Array,
        penalty: float,
        beta: float = 1.0,
        start: Sequence[Guess] | None = None,
        tolerance: float = 1e-3,
    ) -> Evaluation:
        """Solve the state of a design and differentiate.

        The compliance is `2 f.u - u K u`, which is wrong by the square of the solve's error only, so that
        loose solves rank designs well.

        Parameters
        ----------
        x
            float64 `[z, y, x]`: densities.
        penalty, beta
            Of the interpolation and the projection.
        start
            Displacements to begin from, one a case.
        tolerance
            Relative residual of the solves.
        """
        physical = self.chain.physical(x, beta)
        interpolation = self.interpolation.with_penalty(penalty)
        relative = interpolation.value(physical)
        self.state.set_stiffness(relative)
        displacements, energies, compliances = [], [], []
        iterations, residual = 0, 0.0
        for case in range(self.cases):
            load = self.load(physical, case)
            u, solve = self.state.solve(load, None if start is None else start[case], tolerance)
            energy = self.state.energy(u)
            compliances.append(2 * inner(load, u) - inner(relative, energy))
            displacements.append(u)
            energies.append(energy)
            iterations += solve.iterations
            residual = max(residual, solve.residual)
            self.solves += 1
        del relative
        response = Response(
            physical, interpolation.derivative(physical), energies, compliances, tuple(displacements)
        )
        goal, limits = self.formulation.objective, self.formulation.constraints
        objective, volume = goal.value(response), self._volume.value(response)
        values = [limit.value(response) for limit in limits]
        of_limits = [
            None if isinstance(limit.goal, Volume) else limit.sensitivity(response) for limit in limits
        ]
        of_goal = None if isinstance(goal, Volume) else goal.sensitivity(response)
        del response, energies, physical  # memory for what comes
        gradient = self._volume_slope(x, beta, 1.0) if of_goal is None else self._gradient(x, beta, of_goal)
        del of_goal
        slopes = [
            self._volume_slope(x, beta, limit.limit) if own is None else self._gradient(x, beta, own)
            for limit, own in zip(limits, of_limits, strict=True)
        ]
        return Evaluation(
            objective=objective,
            compliance=float(np.dot(self.discrete.weights, compliances)),
            volume=volume,
            gradient=gradient,
            constraints=tuple(map(Constraint, values, slopes)),
            displacements=tuple(displacements),
            iterations=iterations,
            residual=residual,
        )

    def _gradient(self, x: Array, beta: float, sensitivity: Array) -> Array:
        """What the optimiser is given for a sensitivity to the physical densities."""
        return self.chain.sensitivity(x, self.chain.pullback(x, beta, sensitivity))

    def _volume_slope(self, x: Array, beta: float, limit: float) -> Array:
        """Gradient of the used volume relative to a limit; of a linear chain the same for all designs.

        It is exact: what the sensitivity filter does is for compliances (Sigmund 1997).
        """
        if limit in self._slopes:
            return self._slopes[limit]
        slope = self.chain.volume_gradient(x, beta) / limit
        slope.setflags(write=False)
        if self.chain.is_linear:
            self._slopes[limit] = slope
        return slope
