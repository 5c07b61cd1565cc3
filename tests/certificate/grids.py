"""Small discrete problems, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.problem.model import (
    FilterOptions,
    Goal,
    Material,
    Options,
)
from trabecula.problem.physics import CONDUCTION, ELASTICITY


def cantilever(
    elements: tuple[int, ...] = (12, 6),
    volume: float = 0.4,
    *,
    spacing: tuple[float, ...] | None = None,
    heat: bool = False,
    goal: Goal | None = None,
    cases: int = 1,
    material: Material | None = None,
    **options: Any,
) -> DiscreteProblem:
    """Held at x = 0; case k loads the middle of the far edge along component k (heat: everywhere)."""
    dimension = len(elements)
    grid = Grid(elements, spacing or (1.0,) * dimension, thickness=1.0)
    components = 1 if heat else dimension
    fixed = np.zeros((components, *grid.node_shape), dtype=bool)
    fixed[..., 0] = True
    loads = np.zeros((cases, components, *grid.node_shape))
    for case in range(cases):
        axis = min((1, 0, 2)[case], components - 1)
        place = (*(n // 2 for n in grid.node_shape[:-1]), -1)
        loads[(case, axis, *place)] = -1.0
    filter_ = options.pop("filter", FilterOptions("density", 1.5 * max(grid.spacing)))
    return DiscreteProblem(
        name="cantilever",
        grid=grid,
        physics=CONDUCTION if heat else ELASTICITY,
        material=material or Material(),
        fixed=fixed,
        loads=loads,
        gravity=np.zeros((cases, dimension)),
        weights=np.full(cases, 1.0 / cases),
        lower=np.zeros(grid.shape),
        upper=np.ones(grid.shape),
        goal=goal or Goal("thermal_compliance" if heat else "compliance", volume),
        options=Options(filter=filter_, **options),
    )


def mbb(elements: tuple[int, int] = (30, 10), volume: float = 0.5, **options: Any) -> DiscreteProblem:
    """The usual half-beam: symmetry at x = 0, a roller at the far lower corner, a unit load."""
    grid = Grid(elements, (1.0, 1.0))
    fixed = np.zeros((2, *grid.node_shape), dtype=bool)
    fixed[0, :, 0] = True
    fixed[1, 0, -1] = True
    loads = np.zeros((1, 2, *grid.node_shape))
    loads[0, 1, -1, 0] = -1.0
    filter_ = options.pop("filter", FilterOptions("density", 2.4))
    return DiscreteProblem(
        name="mbb",
        grid=grid,
        physics=ELASTICITY,
        material=Material(),
        fixed=fixed,
        loads=loads,
        gravity=np.zeros((1, 2)),
        weights=np.ones(1),
        lower=np.zeros(grid.shape),
        upper=np.ones(grid.shape),
        goal=Goal("compliance", volume),
        options=Options(filter=filter_, **options),
    )


def random_density(discrete: DiscreteProblem, seed: int, volume: float) -> np.ndarray:
    """A density within the bounds whose volume fraction is at most the one given, often black and white."""
    rng = np.random.default_rng(seed)
    x = rng.random(discrete.grid.shape) ** rng.choice([0.2, 1.0, 5.0])
    x = discrete.lower + (discrete.upper - discrete.lower) * x
    target = volume * discrete.upper.sum() - discrete.lower.sum()
    extra = x - discrete.lower
    return np.asarray(discrete.lower + extra * min(1.0, target / extra.sum()))
