"""The grids a problem is worked on, coarsest first."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from trabecula.discretisation import coarsen
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid

LEAST_ACROSS = {2: 20, 3: 10}
"""A grid has at least this many voxels across its shortest side (where the finest has), in 2-D and 3-D."""

LEAST_ELEMENTS = {2: 1000, 3: 1500}
"""And at least this many in all: below that a grid costs nothing and resolves nothing."""

THIN = 2
"""Grids coarser than the finest where one side stays as it is: beyond that voxels get too long."""

RADIUS = 1.5
"""The filter reaches at least this many voxels on every coarse grid, else members become checkerboards."""


def grid_hierarchy(discrete: DiscreteProblem, most: int = 5) -> list[DiscreteProblem]:
    """Coarser versions of a problem, each about half as fine as the next, and last the problem itself.

    Stops where voxels would get too few to resolve members (docs/decisions/way.md), or where a coarse grid
    can no longer show the loads and supports.
    """
    if not isinstance(discrete.grid, Grid):
        return [discrete]
    grids = [discrete]
    dimension = discrete.grid.dimension
    least = LEAST_ACROSS[dimension]
    thin = [n < 2 * least for n in discrete.grid.elements]  # sides that have too few voxels to give any up
    while len(grids) < min(most, THIN + 1 if any(thin) else most):
        finer = grids[0].grid.elements
        elements = tuple(n if is_thin else -(-n // 2) for n, is_thin in zip(finer, thin, strict=True))
        too_few = any(n < least for n, is_thin in zip(elements, thin, strict=True) if not is_thin)
        if too_few or all(thin) or prod(elements) < LEAST_ELEMENTS[dimension]:
            break
        try:
            coarse = coarsen(discrete, elements)
        except ValueError:
            break
        options = discrete.options
        if options.filter.kind != "none":
            radius = max(discrete.radius, RADIUS * coarse.grid.edges[1])
            options = replace(options, filter=replace(options.filter, radius=radius))
        grids.insert(0, replace(coarse, options=options))
    return grids
