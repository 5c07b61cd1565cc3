"""The relaxed problem, penalty 1, whose solution makes the lower bound sharp.

Without penalty the problem is convex, its optimum is the best any bound of `bound` can reach, and the
equilibrium displacements of good designs come close to it.  The classical fixed point (optimality criteria
with exponent 0.7, no move limit) is accelerated by Anderson mixing, which roughly halves the solves to a
duality gap of 0.5 % (docs/certificate.md).  Solves may be loose: any displacements give a valid bound.

Source: Bendsoe & Sigmund 2004, section 5.2 (variable thickness), 1.2 (optimality criteria).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.bound import (
    OVERFULL,
    UNREACHABLE,
    Bound,
    Field,
    bound_of,
    fit_multipliers,
    measure,
    mix,
    reason_unbounded,
)
from trabecula.certificate.designs import AnyDensity, Designs
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.anderson import Anderson
from trabecula.numerics.inner_product import inner
from trabecula.physics import Guess, State
from trabecula.responses import formulate

Array = NDArray[np.float64]
T = TypeVar("T")

EXPONENT = 0.7
FLOOR = 1e-4
"""Least density of a designed voxel, relative to its upper bound, so that it can come back."""


@dataclass(frozen=True)
class Relaxed:
    """The best of a relaxation.

    Attributes
    ----------
    bound
        Rigorous bound, by the equilibrium of `density`.
    design, density
        float64 `[z, y, x]`: design variables, and the physical density (rounded to single precision) whose
        equilibrium gave the bound.
    displacements
        One float32 `[component, z, y, x]` per load case, m, to start other solves from.
    objective
        Least objective met on the way, as exact as the loose solves: how far the bound could still rise.
    optimum
        float64 `[z, y, x]`: the design variables that met it; at penalty 1 the solution itself.
    iterations
        Designs that were solved.
    """

    bound: Bound
    design: Array
    density: Array
    displacements: tuple[Guess, ...]
    objective: float
    optimum: Array
    iterations: int


@dataclass(frozen=True)
class Relaxation:
    """An iteration of a relaxation: its number from 1, the least objective and the best bound so far."""

    iteration: int
    objective: float
    bound: float


def relax(
    discrete: DiscreteProblem,
    state: State,
    progress: Callable[[Relaxation], None] | None = None,
    **choices: Any,
) -> Relaxed:
    """The end of `iterate_relaxation`, whose parameters `choices` are.

    Parameters
    ----------
    progress
        Called after every iteration.
    """
    return run_relaxation(iterate_relaxation(discrete, state, **choices), progress)


def run_relaxation(
    steps: Generator[Relaxation, None, T], progress: Callable[[Relaxation], None] | None = None
) -> T:
    """Take a relaxation to its end."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
        if progress is not None:
            progress(step)


def iterate_relaxation(
    discrete: DiscreteProblem,
    state: State,
    *,
    designs: Designs | None = None,
    start: Array | None = None,
    displacements: Sequence[Guess] | None = None,
    tolerance: float = 1e-3,
    solve_tolerance: float = 1e-3,
    final_tolerance: float = 1e-6,
    max_iterations: int = 30,
    patience: int = 6,
    mixing: int = 2,
) -> Generator[Relaxation, None, Relaxed]:
    """Optimise at penalty 1 until the bound is within `tolerance` of the optimum or stops growing.

    Yields after every iteration, and returns what it found.

    Parameters
    ----------
    discrete
        The problem on its voxels; without own weight.
    state
        Solves the state equation of this grid.
    designs
        Which designs to optimise over and to bound; default every density on the mesh.
    start
        Design variables to begin with, float64 `[z, y, x]`, as from a coarser grid; default uniform.
    displacements
        One per load case to start the first solves from.
    tolerance
        Stops where objective / bound - 1 is below it, or where the bound grows less over `patience`
        iterations.
    solve_tolerance
        Relative residual of the solves on the way.
    final_tolerance
        Relative residual of the last solve, of the best density in single precision, so that the bound can be
        had again from that density alone.
    max_iterations
        Solved designs at most.
    patience
        Iterations over which the bound must still grow.
    mixing
        Depth of the Anderson mixing; 0 is the plain fixed point.
    Raises
    ------
    ValueError
        If no bound holds for this problem (`bound.reason_unbounded`).
    """
    reason = reason_unbounded(discrete)
    if reason:
        raise ValueError(reason)
    sheet = _Sheet(discrete, designs or AnyDensity())
    x = optimum = sheet.begin(start)
    nothing: list[Guess | None] = [None] * len(discrete.loads)
    u: Sequence[Guess | None] = nothing if displacements is None else list(displacements)
    anderson, best, grown = Anderson(mixing), None, [0.0]
    objective = previous = float("inf")
    image = x
    field: Field | None = None
    iteration = 0
    for iteration in range(1, max_iterations + 1):
        density = sheet.designs.physical(x)
        del field  # memory for the solve
        field, solved = _solve(discrete, state, density, u, solve_tolerance)
        u = [each.astype(np.float32) for each in solved]
        del solved
        bound = bound_of(discrete, field, sheet.designs, fit_multipliers(discrete, density, field))
        if best is None or (bound.value or 0.0) > grown[-1]:
            best = (x, u)
        grown.append(max(grown[-1], bound.value or 0.0))
        reached = sheet.objective(density, field.works)
        if reached < objective:
            objective, optimum = reached, x
        yield Relaxation(iteration, objective, grown[-1])
        if objective <= (1 + tolerance) * grown[-1] or bound.reason in (UNREACHABLE, OVERFULL):
            break
        is_stalled = iteration > patience and grown[-1] <= (1 + tolerance) * grown[-1 - patience]
        if is_stalled and np.isfinite(objective):
            break
        if reached > previous:
            anderson.forget()
        previous = reached
        image = sheet.step(x, density, field)
        x = sheet.scale_to_volume(anderson.mix(x, image))
    assert best is not None, "at least one iteration"
    designs = sheet.designs
    x, u = best
    del anderson, image, field, density, sheet, best  # memory for the last, tight solve
    density = designs.physical(x).astype(np.float32).astype(np.float64)
    solved = _displacements(discrete, state, density, u, final_tolerance)
    del u
    bound = prove(discrete, density, solved, designs)
    light = tuple(each.astype(np.float32) for each in solved)
    return Relaxed(bound, x, density, light, objective, optimum, iteration)


def prove(
    discrete: DiscreteProblem, density: Array, displacements: Sequence[Array], designs: Designs | None = None
) -> Bound:
    """Return the rigorous bound by the equilibrium displacements of a relaxed density.

    Parameters
    ----------
    density
        float64 `[z, y, x]`; says only how limited cases are mixed.
    displacements
        One float64 `[component, z, y, x]` per load case, m.
    designs
        Which designs it is to hold for; default every density on the mesh.
    """
    reason = reason_unbounded(discrete)
    if reason:
        return Bound(None, reason)
    field = measure(discrete, displacements)
    return bound_of(discrete, field, designs, fit_multipliers(discrete, density, field))


def _solve(
    discrete: DiscreteProblem, state: State, density: Array, start: Sequence[Guess | None], tolerance: float
) -> tuple[Field, tuple[Array, ...]]:
    solved = _displacements(discrete, state, density, start, tolerance)
    works = np.array([inner(load, u) for load, u in zip(discrete.loads, solved, strict=True)])
    return Field(works, [state.bilinear(u, u) for u in solved]), solved


def _displacements(
    discrete: DiscreteProblem, state: State, density: Array, start: Sequence[Guess | None], tolerance: float
) -> tuple[Array, ...]:
    soft = discrete.options.minimum_stiffness
    state.set_stiffness(soft + (1 - soft) * density)
    return tuple(
        state.solve(load, guess, tolerance)[0] for load, guess in zip(discrete.loads, start, strict=True)
    )


class _Sheet:
    """A variable-thickness sheet: its material, and the classical step for it."""

    def __init__(self, discrete: DiscreteProblem, designs: Designs) -> None:
        self.discrete, self.designs = discrete, designs
        self.lower = np.maximum(discrete.lower, FLOOR * discrete.upper)
        volumes = discrete.grid.volumes
        if volumes is None:
            volumes = np.broadcast_to(1.0, discrete.grid.shape)  # no memory where all cost one
        self.cost = designs.adjoint(volumes)
        self.domain = discrete.domain_volume
        self.paid = discrete.total(designs.physical(discrete.lower)) - inner(self.cost, discrete.lower)
        form = formulate(discrete).bound_form(discrete)
        assert form is not None, "asked for where a bound is known"
        self.fraction = 0.5 if form.volume is None else form.volume
        self.weights, self.limits = form.weights, np.array([limit for _, limit in form.limits])
        self.sums = np.array([weights for weights, _ in form.limits])
        self.multipliers = None if len(form.limits) < 2 else 1 / self.limits

    def begin(self, start: Array | None) -> Array:
        given = np.full(self.discrete.grid.shape, self.fraction) if start is None else start
        if start is not None and self.weights is None:
            self.fraction = self.discrete.volume_fraction(self.designs.physical(start))
        return self.scale_to_volume(np.clip(given, self.lower, self.discrete.upper))

    def objective(self, density: Array, works: Array) -> float:
        """Weighted compliance; or the volume a design needs when scaled to meet the compliances allowed."""
        if self.weights is not None:
            return float(self.weights @ works)
        need = self._excess(works)
        return self.discrete.volume_fraction(density) * max(1.0, need) if need <= 1.01 else np.inf

    def step(self, x: Array, density: Array, field: Field) -> Array:
        """Optimality criteria: more material where a unit of it gains more than its price."""
        weights = self.weights
        if weights is None:
            weights = self.sums[0]
            need = self._excess(field.works)
            self.fraction = min(1.0, self.discrete.volume_fraction(density) * need)
            if self.multipliers is not None:
                self.multipliers = self.multipliers * ((self.sums @ field.works) / self.limits)
                self.multipliers /= float(self.multipliers @ self.limits)
                weights = self.multipliers @ self.sums
        energy = mix(weights, field.energies)
        ratio = self.designs.adjoint(energy)
        del energy  # memory for what comes
        ratio = ratio / np.where(self.cost > 0, self.cost, 1.0)
        top = float(ratio.max())
        if top > 0:
            ratio /= top
        np.maximum(ratio, 1e-30, out=ratio)
        ratio **= EXPONENT
        ratio *= x
        return self.scale_to_volume(ratio)

    def scale_to_volume(self, x: Array) -> Array:
        """Scale positive variables to the volume within their bounds."""
        target = self.fraction * self.domain - self.paid
        return scale_to(x, self.lower, self.discrete.upper, self.cost, target)

    def _excess(self, works: Array) -> float:
        """Largest compliance relative to what is allowed."""
        return float(((self.sums @ works) / self.limits).max())


def scale_to(x: Array, lower: Array, upper: Array, cost: Array, target: float) -> Array:
    """Return `clip(c x, lower, upper)` with the factor c for which `cost .` it is the target, as near as
    can be.

    The sum rises with c and is piecewise linear: Newton's method, inside a bracket.
    """
    factor, below, above = 1.0, 0.0, np.inf
    y = np.clip(x, lower, upper)
    for _ in range(60):
        np.clip(factor * x, lower, upper, out=y)
        excess = inner(cost, y) - target
        if abs(excess) <= 1e-12 * abs(target):
            break
        below, above = (factor, above) if excess < 0 else (below, factor)
        inside = (y > lower) & (y < upper)
        slope = inner(cost * x, inside)
        factor = factor - excess / slope if slope > 0 else np.inf
        if not below < factor < above:
            factor = (
                4 * below if above == np.inf else float(np.sqrt(below * above)) if below > 0 else above / 4
            )
        if not 1e-100 < factor < 1e100:
            break
    return y
