"""The method of moving asymptotes, for any number of constraints.

Sources: Svanberg 1987, "The method of moving asymptotes"; Svanberg 2007, "MMA and GCMMA - two methods for
nonlinear optimization" (whose symbols are used here: asymptotes `low`, `upp`, bounds `alpha`, `beta`, `p`,
`q`, elastic variables `y` with costs `c y + d y^2 / 2`). The separable subproblem is solved in its dual
(`mma_dual.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trabecula.optimizers.mma_dual import Subproblem, solve
from trabecula.physics.machine import Machine, default_machine

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MMAState:
    """What MMA carries from one step to the next; save it with `arrays`, bring it back with `restore`.

    Attributes
    ----------
    iteration
        Steps taken.
    x1, x2
        The last density and the one before, `[z, y, x]`; None before they exist.
    low, upp
        Asymptotes of the last step, `[z, y, x]`; None before the first.
    multipliers
        Of the constraints, `[constraint]`; None before the first step.
    """

    iteration: int = 0
    x1: Array | None = None
    x2: Array | None = None
    low: Array | None = None
    upp: Array | None = None
    multipliers: Array | None = None

    def arrays(self) -> dict[str, Array]:
        """The state as named arrays (absent parts left out)."""
        parts = {name: getattr(self, name) for name in ("x1", "x2", "low", "upp", "multipliers")}
        present = {name: part for name, part in parts.items() if part is not None}
        return {"iteration": np.array(float(self.iteration)), **present}

    @classmethod
    def restore(cls, arrays: Mapping[str, Array]) -> MMAState:
        """The state whose `arrays` these are."""
        names = ("x1", "x2", "low", "upp", "multipliers")
        return cls(int(arrays["iteration"]), *(arrays.get(name) for name in names))


@dataclass(frozen=True)
class MMA:
    """Method of moving asymptotes; the defaults are those of Svanberg 2007.

    Scale the problem so that constraints and objective are of order 1 (constraints as `g / limit - 1`).

    Attributes
    ----------
    move
        Largest change in a step, as a share of the range of each variable.
    start_distance, grow, shrink
        Asymptotes' first distance (share of the range), and its factors where `x` keeps on or turns.
    albefa
        Share of the distance to the asymptotes that a step keeps away from them.
    raa0
        Curvature added everywhere, so that the subproblem is strictly convex.
    violation_cost
        `c`: what a unit of constraint violation costs where a step cannot be feasible.
    machine
        What runs the loop over all variables; the default machine on one thread unless given.
    """

    move: float = 0.5
    start_distance: float = 0.5
    grow: float = 1.2
    shrink: float = 0.7
    albefa: float = 0.1
    raa0: float = 1e-5
    violation_cost: float = 1000.0
    machine: Machine = field(default_factory=lambda: default_machine(1), repr=False, compare=False)

    def start(self) -> MMAState:
        """The state before the first step."""
        return MMAState()

    def step(
        self,
        state: MMAState,
        x: Array,
        objective_gradient: Array,
        values: Sequence[float],
        constraint_gradients: Sequence[Array],
        lower: Array,
        upper: Array,
    ) -> tuple[Array, MMAState]:
        """One step of `min f(x)` under `g_i(x) <= 0`.

        Parameters
        ----------
        state
            From `start` or the last step.
        x, objective_gradient, lower, upper
            float64 `[z, y, x]` (any shape): variables, gradient of `f`, bounds. Where lower equals upper
            nothing moves.
        values, constraint_gradients
            One a constraint: `g_i(x)`, and its gradient in the shape of `x`.

        Returns
        -------
        x_new, state
        """
        free = upper > lower
        at, bottom, top = x[free], lower[free], upper[free]
        low, upp = self._asymptotes(state, free, at, top - bottom)
        gradients = np.stack([objective_gradient[free], *(g[free] for g in constraint_gradients)])
        given = np.asarray(values, dtype=np.float64)
        subproblem = self._approximate(at, bottom, top, low, upp, gradients, given)
        found, multipliers = solve(subproblem, self.machine, _warm(state.multipliers, len(values)))
        new = np.clip(x, lower, upper)
        new[free] = found
        new_low, new_upp = lower.copy(), upper.copy()
        new_low[free], new_upp[free] = low, upp
        return new, MMAState(state.iteration + 1, x, state.x1, new_low, new_upp, multipliers)

    def _asymptotes(
        self, state: MMAState, free: NDArray[np.bool_], x: Array, extent: Array
    ) -> tuple[Array, Array]:
        """Svanberg 2007, eqs. 3.11 to 3.14."""
        if state.x1 is None or state.x2 is None or state.low is None or state.upp is None:
            return x - self.start_distance * extent, x + self.start_distance * extent
        x1 = state.x1[free]
        turn = (x - x1) * (x1 - state.x2[free])
        factor = np.where(turn > 0.0, self.grow, np.where(turn < 0.0, self.shrink, 1.0))
        low = x - factor * (x1 - state.low[free])
        upp = x + factor * (state.upp[free] - x1)
        low = np.clip(low, x - 10.0 * extent, x - 0.01 * extent)
        upp = np.clip(upp, x + 0.01 * extent, x + 10.0 * extent)
        return low, upp

    def _approximate(
        self, x: Array, bottom: Array, top: Array, low: Array, upp: Array, gradients: Array, values: Array
    ) -> Subproblem:
        """Svanberg 2007, eqs. 3.2 to 3.8."""
        extent = top - bottom
        alpha = np.maximum.reduce([bottom, low + self.albefa * (x - low), x - self.move * extent])
        beta = np.minimum.reduce([top, upp - self.albefa * (upp - x), x + self.move * extent])
        up, down = np.maximum(gradients, 0.0), np.maximum(-gradients, 0.0)
        p = (1.001 * up + 0.001 * down + self.raa0 / extent) * np.square(upp - x)
        q = (0.001 * up + 1.001 * down + self.raa0 / extent) * np.square(x - low)
        limit = (p[1:] / (upp - x) + q[1:] / (x - low)).sum(axis=1) - values
        return Subproblem(low, upp, alpha, beta, p, q, limit, np.full(len(values), self.violation_cost))


def _warm(multipliers: Array | None, count: int) -> Array | None:
    return multipliers if multipliers is not None and multipliers.size == count else None
