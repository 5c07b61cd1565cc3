"""What a part does: one tight solve, and the figures that an engineer asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ldexp

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.held_loads import held_loads
from trabecula.part.finish import Shape, choices, joined_parts, lightest, support_masks, target_volume
from trabecula.part.load_paths import Paths, acts_everywhere, touches
from trabecula.part.record import Part, PartCase, PartLimit, Peak
from trabecula.part.shape_figures import ShapeFigures, measure_shape
from trabecula.part.threshold import Ranking
from trabecula.physics import Guess, State
from trabecula.physics.operators import StrainOperator, von_mises
from trabecula.problem import Problem
from trabecula.problem.holes import expand_holes
from trabecula.problem.model import AXES
from trabecula.responses import DesignPoint, Limited, formulate

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SLAB = 65_536
"""Elements whose stresses are held at once."""

NOTHING = 3e-9
"""Share of the largest reaction below which one is nothing but rounding and the residual of the solve."""

MET = 1e-5
"""Relative excess up to which a limit is called met."""


@dataclass(frozen=True)
class Bimodal:
    """Stiffness of solid and void, whatever interpolates between them; `Stiffness` of a `DesignPoint`."""

    minimum: float

    def value(self, density: Array) -> Array:
        """Relative stiffness: 1 of solid, the minimum of void."""
        return np.asarray(self.minimum + (1.0 - self.minimum) * density)

    def derivative(self, density: Array) -> Array:
        """Derivative of the straight line between them."""
        return np.full(density.shape, 1.0 - self.minimum)


@dataclass(frozen=True, eq=False)
class PartSolver:
    """Solves parts of one problem, with the first of several state equations that is exact enough.

    Attributes
    ----------
    problem, discrete
        What was asked, and the same on its grid, in any units.
    states
        State equations, the quickest first.
    tolerance
        Relative residual that is asked for.
    enough
        Relative residual at which the next state equation is not tried.
    """

    problem: Problem
    discrete: DiscreteProblem
    states: Callable[[], Sequence[State]]
    tolerance: float
    enough: float

    def solve(self, mask: Mask, start: Sequence[Guess] | None) -> tuple[DesignPoint, State]:
        """A part with its displacements, and the state equation they come from."""
        stiffness = Bimodal(self.discrete.options.minimum_stiffness)
        best: tuple[DesignPoint, State] | None = None
        for state in self.states():
            at = DesignPoint(
                self.discrete, state, mask.astype(np.float64), stiffness, start, tolerance=self.tolerance
            )
            at.solve_cases()
            if best is None or at.residual < best[0].residual:
                best = (at, state)
            if at.residual <= self.enough:
                break
        assert best is not None
        return best


def make_part(
    solver: PartSolver, density: NDArray[np.floating], start: Sequence[Guess] | None = None
) -> Part:
    """The finished part of a design.

    It has the design's volume; where the material is what is minimised, the least that keeps the limits; and
    where own weight acts, as much of what is allowed as makes it stiffest.

    Parameters
    ----------
    density
        float `[z, y, x]`: the physical density as it is saved.
    start
        Displacements of the design, to begin the solve from, in the units of the solver's problem.
    """
    discrete = solver.discrete
    formulation = formulate(discrete)
    ranking = Ranking.of(discrete, density)
    volume = target_volume(discrete, density)
    of_more = [each for each in formulation.limits if each.quantity.material_share(discrete) is None]
    if not (formulation.minimises_material(discrete) and of_more):
        return _make_stiffest(solver, ranking, density, volume, start)
    last: list[tuple[Shape, DesignPoint, State]] = []

    def excess(shape: Shape) -> float:
        guess = last[-1][1].displacements if last else start
        last[:] = [(shape, *solver.solve(shape.mask, guess))]
        return max(each.excess(each.quantity.value(last[-1][1])) for each in of_more)

    shape = lightest(ranking, volume, excess)
    if shape is not last[-1][0]:
        last[:] = [(shape, *solver.solve(shape.mask, last[-1][1].displacements))]
    return describe(solver, *last[-1])


def _make_stiffest(
    solver: PartSolver,
    ranking: Ranking,
    density: NDArray[np.floating],
    volume: float,
    start: Sequence[Guess] | None,
) -> Part:
    """The stiffest part of a volume: of those that are joined in two ways; with own weight of `choices`."""
    has_weight = bool(solver.discrete.gravity.any())
    shapes = choices(ranking, density, volume) if has_weight else joined_parts(ranking, volume)
    last: tuple[Shape, DesignPoint, State] | None = None
    best, guess, least = None, start, np.inf
    for shape in shapes:
        last = (shape, *solver.solve(shape.mask, start))
        if best is None or last[1].weighted_compliance < least:
            best, guess, least = shape, last[1].displacements, last[1].weighted_compliance
    assert last is not None and best is not None
    if last[0] is not best:  # the state equation has the stiffness of what was solved last
        last = (best, *solver.solve(best.mask, guess))
    return describe(solver, *last)


def describe(solver: PartSolver, shape: Shape, at: DesignPoint, state: State) -> Part:
    """All figures of a part that is solved, in SI units."""
    discrete, mask = solver.discrete, shape.mask
    units = discrete.units
    grid, material = at.grid, at.material
    paths, nodes = Paths.of(discrete, mask), touches(discrete, mask)
    supports = held_by(solver.problem, discrete)
    is_box = isinstance(discrete.grid, Grid)
    shape_figures = measure_shape(discrete, mask, solver.problem.domain.spacing) if is_box else ShapeFigures()
    used = discrete.total(at.physical)
    straight = held_loads(solver.problem, discrete, supports)
    cases = tuple(
        _case(solver, at, state, case, mask, nodes, supports, straight[case])
        for case in range(len(discrete.weights))
    )
    return Part(
        mask=mask,
        threshold=shape.threshold,
        volume=used / discrete.domain_volume,
        mass=used * grid.element_volume * material.density,
        compliance=ldexp(at.weighted_compliance, units.compliance),
        pieces=paths.count,
        removed=shape.removed,
        cavities=count_cavities(discrete, mask),
        loaded=min((case.loaded for case in cases if case.loaded is not None), default=None),
        held=bool(paths.held[1:].any()),
        cases=cases,
        limits=tuple(_limit(each, at) for each in formulate(discrete).limits),
        free_supports=tuple(
            number for number, own in enumerate(supports, 1) if not (own.any(axis=0) & nodes).any()
        ),
        **vars(shape_figures),
    )


def held_by(problem: Problem, discrete: DiscreteProblem) -> list[Mask]:
    """The held degrees of freedom of every support of a problem, and then of every hole whose bolt holds it;
    see `support_masks`."""
    grid = discrete.units.grid(discrete.grid)
    every = range(len(discrete.fixed))
    return support_masks(
        discrete,
        [
            (
                np.asarray(grid.select_nodes(support.where)),
                [AXES.index(axis) for axis in support.fix] if support.fix else every,
            )
            for support in expand_holes(problem).supports
        ],
    )


def share_on(load: Array, nodes: Mask) -> float:
    """Share of a case's nodal forces, by their size, that act on some nodes; 1 where own weight is all."""
    size = np.sqrt(np.einsum("c...,c...->...", load, load))
    whole = float(size.sum())
    return float(size[nodes].sum()) / whole if whole else 1.0


def count_cavities(discrete: DiscreteProblem, mask: Mask) -> int | None:
    """Closed pockets of void in a solid of voxels; None in the plane, where a hole goes through, and on grids
    of other elements. Void is open through faces only, and outside of the box."""
    grid = discrete.grid
    if not isinstance(grid, Grid) or grid.dimension == 2:
        return None
    return grid.label_elements(~np.pad(mask, 1))[1] - 1


def slabs(mask: Mask) -> Iterator[slice]:
    """Layers of elements, so many at once as may be held; those without material are left out."""
    layers = mask.shape[0]
    step = max(1, SLAB * layers // mask.size)
    for first in range(0, layers, step):
        if mask[first : first + step].any():
            yield slice(first, min(first + step, layers))


def stresses(grid: Grid, operator: StrainOperator, u: Array, rows: slice) -> Array:
    """Stresses of solid material at the centres of the elements of a slab, `[component, z, y, x]`, Pa."""
    layers = rows.stop - rows.start
    slab = replace(operator, grid=replace(grid, elements=(*grid.elements[:-1], layers)))
    return slab.stress(slab.strain(u[:, rows.start : rows.stop + 1]))


def _case(
    solver: PartSolver,
    at: DesignPoint,
    state: State,
    case: int,
    mask: Mask,
    nodes: Mask,
    supports: list[Mask],
    straight: Array,
) -> PartCase:
    u, physics = at.displacement(case), at.discrete.physics
    displacement = temperature = stress = None
    if physics.is_vector:
        displacement = _largest(at.grid, np.sqrt(np.einsum("c...,c...->...", u, u)), nodes)
    elif physics.name == "conduction":
        temperature = _largest(at.grid, u[0], nodes)
    if physics.name == "elasticity" and physics.element_matrix is None and isinstance(at.grid, Grid):
        stress = _largest_stress(at, u, mask)
    nothing = NOTHING if at.residual <= solver.enough else 10.0 * at.residual
    strength = at.material.yield_strength
    safety = strength / stress.largest if strength and stress and stress.largest > 0.0 else None
    return PartCase(
        solver.problem.cases[case].name,
        displacement,
        temperature,
        stress,
        safety,
        reactions(at.discrete, state, at.displacements[case], case, at.physical, supports, straight, nothing),
        None if acts_everywhere(at.discrete, case) else share_on(at.discrete.loads[case], nodes),
    )


def reactions(
    discrete: DiscreteProblem,
    state: State,
    u: Array,
    case: int,
    physical: Array,
    supports: Sequence[Mask],
    straight: Array,
    nothing: float,
) -> tuple[tuple[float, ...], ...]:
    """What every support does in a case, one value per component, N (W for heat).

    It is in balance with all that was asked for: loads that act where the part is held, and the weight of
    material that is held itself, go straight into the support and count.

    Parameters
    ----------
    state
        With the stiffness of the part.
    u
        Displacement, in the solver's units.
    straight
        float64 `[support, component]`: see `held_loads`.
    nothing
        Share of the largest one below which a reaction is rounding.
    """
    forces = state.apply(u)
    unit = discrete.units.force(case)
    weight = _weight_at_nodes(discrete, case, physical)
    found = []
    for own in supports:
        sums = [float(part[held].sum()) for part, held in zip(forces, own, strict=True)]
        if weight is not None:
            gravity = discrete.gravity[case]
            sums = [
                total - float(gravity[component]) * float(weight[own[component]].sum())
                for component, total in enumerate(sums)
            ]
        found.append([ldexp(total, unit) for total in sums])
    totals = np.reshape(found, straight.shape) - straight
    size = float(np.abs(totals).max(initial=0.0))
    return tuple(
        tuple(float(total) if abs(total) > nothing * size else 0.0 for total in sums) for sums in totals
    )


def _weight_at_nodes(discrete: DiscreteProblem, case: int, physical: Array) -> Array | None:
    """Mass at every node, in the solver's units; None where no own weight acts."""
    if "gravity" not in discrete.physics.loads or not np.any(discrete.gravity[case]):
        return None
    share = discrete.material.density * discrete.grid.node_share
    return np.asarray(share * discrete.grid.to_nodes(physical))


def _largest_stress(at: DesignPoint, u: Array, mask: Mask) -> Peak | None:
    grid = at.grid
    assert isinstance(grid, Grid)
    operator = StrainOperator.on(grid, at.material, at.discrete.physics)
    best, place = -1.0, 0
    for rows in slabs(mask):
        value = np.where(mask[rows], von_mises(stresses(grid, operator, u, rows)), -1.0)
        where = int(value.argmax())
        if value.ravel()[where] > best:
            best, place = float(value.ravel()[where]), where + rows.start * value[0].size
    if best < 0.0:
        return None
    index = np.unravel_index(place, mask.shape)[::-1]
    return Peak(best, _place(grid, index, 0.5))


def _largest(grid: object, values: Array, nodes: Mask) -> Peak | None:
    """The largest of some nodal values, and where."""
    if not nodes.any():
        return None
    place = int(np.where(nodes, values, -np.inf).argmax())
    largest = float(values.ravel()[place])
    if not isinstance(grid, Grid):
        return Peak(largest)
    index = np.unravel_index(place, values.shape)[::-1]
    return Peak(largest, _place(grid, index, 0.0))


def _place(grid: Grid, index: Sequence[np.intp], offset: float) -> tuple[float, ...]:
    """Co-ordinates of a node, or with an offset of a half those of an element's centre, in metres."""
    low = grid.origin or (0.0,) * grid.dimension
    places = (a + (float(i) + offset) * h for a, i, h in zip(low, index, grid.spacing, strict=True))
    return tuple(float(f"{place:.12g}") for place in places)  # 0.05, where the sum is 0.049999999999999996


def _limit(limited: Limited, at: DesignPoint) -> PartLimit:
    value = limited.quantity.value(at)
    return PartLimit(limited.name, limited.limit, value, bool(limited.excess(value) <= MET))
