"""One design, analysed: solve its state, and give the objective and constraints with their sensitivities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain, make_interpolation
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics import Guess, Machine, State, machine_of
from trabecula.physics.body_force import body_force
from trabecula.responses import Constraint, DesignPoint, Evaluation, Quantity, formulate, own_weight_gradient

Array = NDArray[np.float64]


class Analysis:
    """Everything one grid needs to analyse designs; built once, used for every iteration.

    Parameters
    ----------
    discrete
        The problem on its grid.
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
        self._slopes: dict[float, Array] = {}

    @property
    def threads(self) -> int:
        """Threads of the machine."""
        return self.machine.threads

    @property
    def limits_more_than_material(self) -> bool:
        """Whether anything but material is limited, which a step can only meet approximately."""
        return self.formulation.limits_more_than_material(self.discrete)

    @property
    def cases(self) -> int:
        """Number of load cases."""
        return len(self.discrete.weights)

    def load(self, physical: Array, case: int) -> Array:
        """All nodal forces of a case at a design, own weight included, in the solver's units."""
        load: Array = self.discrete.loads[case]
        is_heavy = bool(np.any(self.discrete.gravity[case]))
        return load + body_force(self.discrete, physical, case) if is_heavy else load

    def measure(
        self,
        x: Array,
        penalty: float,
        beta: float = 0.0,
        start: Sequence[Guess] | None = None,
        tolerance: float = 1e-3,
    ) -> DesignPoint:
        """A design with its state, for quantities to be measured at; arguments as for `evaluate`."""
        physical = self.chain.physical(x, beta)
        return DesignPoint(
            self.discrete, self.state, physical, self.interpolation.with_penalty(penalty), start, tolerance
        )

    def evaluate(
        self,
        x: Array,
        penalty: float,
        beta: float = 0.0,
        start: Sequence[Guess] | None = None,
        tolerance: float = 1e-3,
        verify: bool = False,
    ) -> Evaluation:
        """Solve the state of a design and differentiate.

        Parameters
        ----------
        x
            float64 over elements: densities.
        penalty, beta
            Of the interpolation and the projection; beta 0 leaves the projection out.
        start
            Displacements to begin from, one per case.
        tolerance
            Relative residual of the solves.
        verify
            Whether to see that the quantities are what they promise to be, too.
        """
        at = self.measure(x, penalty, beta, start, tolerance)
        at.solve_cases()
        formulation = self.formulation
        objective = formulation.minimised_value(formulation.objective.value(at))
        values = [limited.excess(limited.quantity.value(at)) for limited in formulation.limits]
        compliance, volume = at.weighted_compliance, self.discrete.volume_fraction(at.physical)
        keeps_promises = not verify or formulation.keeps_promises(at)
        own = [self._sensitivity(at, limited.quantity) for limited in formulation.limits]
        of_goal = self._sensitivity(at, formulation.objective)
        weights = [own_weight_gradient(limited.quantity, at) for limited in formulation.limits]
        weight_of_goal = own_weight_gradient(formulation.objective, at)
        self.solves += at.solves
        displacements, iterations, residual = at.displacements, at.iterations, at.residual
        del at  # memory for what comes
        if of_goal is None:
            slope = self._material_slope(x, beta, formulation.objective, 1.0)
            gradient = formulation.minimised_gradient(slope)
        else:
            gradient = self._gradient(x, beta, formulation.minimised_gradient(of_goal))
        del of_goal
        slopes, heavy = [], []
        for limited in formulation.limits:
            weight = weights.pop(0)
            heavy.append(None if weight is None else self._gradient(x, beta, limited.scale(weight)))
            sensitivity = own.pop(0)
            if sensitivity is None:
                slopes.append(self._material_slope(x, beta, limited.quantity, limited.factor))
            else:
                slopes.append(self._gradient(x, beta, limited.scale(sensitivity)))
        return Evaluation(
            objective=objective,
            compliance=compliance,
            volume=volume,
            gradient=gradient,
            constraints=tuple(map(Constraint, values, slopes, heavy)),
            displacements=displacements,
            iterations=iterations,
            residual=residual,
            keeps_promises=keeps_promises,
            own_weight=None
            if weight_of_goal is None
            else self._gradient(x, beta, formulation.minimised_gradient(weight_of_goal)),
        )

    def _sensitivity(self, at: DesignPoint, quantity: Quantity) -> Array | None:
        """Derivative with respect to the physical densities; None where it is the material's."""
        return None if quantity.material_share(self.discrete) is not None else quantity.gradient(at)

    def _gradient(self, x: Array, beta: float, sensitivity: Array) -> Array:
        """What the optimiser is given for a sensitivity to the physical densities."""
        return self.chain.sensitivity(x, self.chain.pullback(x, beta, sensitivity))

    def _material_slope(self, x: Array, beta: float, quantity: Quantity, limit: float) -> Array:
        """Gradient of a quantity that is proportional to the used volume, relative to a limit; of a linear
        chain the same for all designs.

        It is exact: what the sensitivity filter does is for compliances (Sigmund 1997).
        """
        share = quantity.material_share(self.discrete)
        assert share is not None
        relative = limit / share
        if relative in self._slopes:
            return self._slopes[relative]
        slope = self.chain.volume_gradient(x, beta) / relative
        slope.setflags(write=False)
        if self.chain.is_linear:
            self._slopes[relative] = slope
        return slope
