"""From what is asked to arrays on voxels: held degrees of freedom, nodal loads, bounds of the density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.load_shares import nodes_of, pressure
from trabecula.discretisation.mirror_planes import mirror_planes
from trabecula.discretisation.selection_shares import share_selection
from trabecula.problem.errors import ProblemError
from trabecula.problem.holes import Bore, expand
from trabecula.problem.model import AXES, Load, Problem
from trabecula.problem.read import load_path, span
from trabecula.problem.shape import check_fit, explain_nothing
from trabecula.problem.where import (
    Lattice,
    Mask,
    Stl,
    Where,
)
from trabecula.problem.write import validate

Floats = NDArray[np.float64]
_CANCELLED = 1e-12  # of the loads that went in: below it they cancel


def discretise(problem: Problem) -> DiscreteProblem:
    """Put a problem on its voxels.

    A domain of somebody else's (`OwnDomain`) does it itself.

    Total forces and heat are spread over what is selected (see `share_selection`); pressure acts on the faces
    of the non-void domain whose corners are all selected; passive void is not part of the domain, so nothing
    is held or loaded where only void is. Later regions overrule earlier ones; nothing is solid outside
    `domain.shape`.

    Raises
    ------
    ProblemError
        If a value is not allowed, if a selection is empty, or if a load acts only on held or void nodes.
    """
    own: Callable[[Problem], DiscreteProblem] | None = getattr(problem.domain, "discretise", None)
    if own is not None:
        return with_own_symmetry(own(problem))
    validate(problem)
    check_fit(problem)
    expansion = expand(problem)
    try:
        return _discretise(expansion.problem)
    except ProblemError as error:
        raise expansion.rename(error) from None


def _discretise(problem: Problem) -> DiscreteProblem:
    """The same for a problem whose holes are regions, supports and loads."""
    grid = Grid.of(problem.domain)
    lower, upper = _bounds(problem, grid)
    material = np.asarray(upper > 0)
    if not material.any():
        solid = problem.domain.solid
        centres = Lattice(grid.elements, grid.spacing, nodes=False, origin=grid.origin)
        if solid is not None and not _evaluate(solid, centres, "domain.shape").any():
            raise explain_nothing(solid, centres, "domain.shape", problem)
        for i, region in enumerate(problem.regions):
            if region.kind == "void" and region.where.select(centres).all():
                said = "covers the whole domain, of which nothing is left"
                raise ProblemError(f"regions[{i}].where", said, span(problem), "make it smaller")
        raise ProblemError("regions", "leave nothing of the domain", span(problem), "drop a region")
    fixed = _fixed(problem, grid, material)
    loads, gravity = _loads(problem, grid, material, fixed)
    discrete = DiscreteProblem(
        name=problem.name,
        grid=grid,
        physics=problem.physics,
        material=problem.material,
        fixed=fixed,
        loads=loads,
        gravity=gravity,
        weights=np.array([case.weight for case in problem.cases]),
        lower=lower,
        upper=upper,
        goal=problem.goal,
        options=replace(problem.options, projection=problem.options.projects),
    )
    return with_own_symmetry(discrete)


def with_own_symmetry(discrete: DiscreteProblem) -> DiscreteProblem:
    """The problem with every plane in `options.symmetry` in which it is its own mirror image, where own
    weight acts: a small tilt would feed itself where all must carry what has grown."""
    if not discrete.gravity.any():
        return discrete
    options = discrete.options
    own = [AXES[axis] for axis in mirror_planes(discrete) if AXES[axis] not in options.symmetry]
    return replace(discrete, options=replace(options, symmetry=(*options.symmetry, *own)))


def nodal_load(problem: Problem, grid: Grid, material: Mask, load: Load, path: str) -> Floats:
    """One load's nodal forces (heat), before supports are looked at.

    Parameters
    ----------
    problem, grid
        The problem and its grid.
    material
        bool `[z, y, x]` over elements that are not passive void.
    load
        A force, pressure or heat.
    path
        Its key, for messages.

    Returns
    -------
    float64 `[component, z, y, x]` in N (W).
    """
    nodes = Lattice(grid.elements, grid.spacing, nodes=True, origin=grid.origin)
    selected = _select(problem, load.where, nodes, f"{path}.where", "nodes")
    if load.pressure is not None:
        forces = pressure(selected, material, grid.spacing, grid.thickness) * load.pressure
        if load.pressure and not forces.any():
            raise ProblemError(
                f"{path}.where",
                "selects no faces of the surface",
                span(problem),
                "select a side of the domain",
            )
        return np.asarray(forces)
    share = share_selection(load.where, grid, material, f"{path}.where").shares
    if not share.any():
        raise ProblemError(
            f"{path}.where",
            "selects only passive void",
            "needs nodes of the domain",
            "move the load or the void",
        )
    values = [load.heat] if load.heat is not None else list(load.force or ())
    return np.asarray(np.multiply.outer(np.array(values, dtype=np.float64), share))


def _select(problem: Problem, where: Where, lattice: Lattice, path: str, what: str) -> Mask:
    chosen = _evaluate(where, lattice, path)
    if not chosen.any():
        for part in where.every():
            if isinstance(part, Stl) and not part.select(lattice).any():
                raise explain_nothing(part, lattice, path, problem)
        raise ProblemError(
            path, f"selects no {what}", span(problem), "move it, or widen it to half an element"
        )
    return chosen


def _evaluate(where: Where, lattice: Lattice, path: str) -> Mask:
    try:
        return where.select(lattice)
    except ProblemError as problem:  # of an STL file, which does not know its key
        raise ProblemError(path, problem.given, problem.allowed, problem.mend) from None


def _bounds(problem: Problem, grid: Grid) -> tuple[Floats, Floats]:
    """Lower and upper bounds of the density, float64 `[z, y, x]`."""
    centres = Lattice(grid.elements, grid.spacing, nodes=False, origin=grid.origin)
    lower, upper = np.zeros(grid.shape), np.ones(grid.shape)
    for i, region in enumerate(problem.regions):
        path = f"regions[{i}].where"
        if isinstance(region, Bore):
            chosen = _evaluate(region.where, centres, path)
        else:
            chosen = _select(problem, region.where, centres, path, "elements")
        lower[chosen] = upper[chosen] = float(region.kind == "solid")
    if problem.domain.solid is not None:
        outside = ~_evaluate(problem.domain.solid, centres, "domain.shape")
        lower[outside] = upper[outside] = 0.0
    return lower, upper


def _fixed(problem: Problem, grid: Grid, material: Mask) -> NDArray[np.bool_]:
    """Held degrees of freedom, bool `[component, z, y, x]`."""
    nodes = Lattice(grid.elements, grid.spacing, nodes=True, origin=grid.origin)
    components = problem.physics.count(grid.dimension)
    fixed = np.zeros((components, *grid.node_shape), dtype=np.bool_)
    part = nodes_of(material)
    temperature = problem.supports[0].temperature
    for i, support in enumerate(problem.supports):
        chosen = _select(problem, support.where, nodes, f"supports[{i}].where", "nodes") & part
        if not chosen.any():
            raise ProblemError(
                f"supports[{i}].where", "selects only passive void", "needs nodes of the domain"
            )
        if support.temperature != temperature:
            raise ProblemError(
                f"supports[{i}].temperature",
                f"got {support.temperature}, supports[0] has {temperature}",
                "needs the same temperature at every support",
                "temperatures are counted from it; several different ones are not solved yet",
            )
        axes = [AXES.index(axis) for axis in support.fix]
        for component in axes if support.temperature is None else range(components):
            fixed[component] |= chosen
    return fixed


def _loads(problem: Problem, grid: Grid, material: Mask, fixed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Nodal loads of every case, zero where held, and its gravity."""
    loads = np.zeros((len(problem.cases), *fixed.shape))
    gravity = np.zeros((len(problem.cases), grid.dimension))
    for c, case in enumerate(problem.cases):
        size = 0.0
        for i, load in enumerate(case.loads):
            path = load_path(problem, c, i)
            if load.gravity is not None:
                gravity[c] += load.gravity
                continue
            forces = nodal_load(problem, grid, material, load, path)
            forces_size = float(np.abs(forces).max())
            if forces_size == 0:
                raise ProblemError(path, "is zero", "needs a load that is not zero", "leave it out")
            forces[fixed] = 0.0
            if np.abs(forces).max() <= _CANCELLED * forces_size:
                raise ProblemError(
                    path,
                    "acts only where the part is held",
                    "needs free nodes in its direction",
                    "move the load or the support",
                )
            # pages that are never written to take no memory, and loads are zero nearly everywhere
            loads[c][forces != 0] += forces[forces != 0]
            size = max(size, forces_size)
        if np.abs(loads[c]).max() <= _CANCELLED * size and not gravity[c].any():
            raise ProblemError(
                load_path(problem, c), "add up to nothing", "needs a load that is not zero everywhere"
            )
    return loads, gravity
