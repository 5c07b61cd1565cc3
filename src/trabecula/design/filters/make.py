"""From the filter a problem names to the filter."""

from __future__ import annotations

from trabecula.design.filters.base import Filter, Identity
from trabecula.design.filters.cone import Cone
from trabecula.design.filters.helmholtz import Helmholtz
from trabecula.design.filters.sensitivity import SensitivityFilter
from trabecula.design.filters.smoothing import SmoothingFilter
from trabecula.discretisation.discrete import DiscreteProblem


def make_filter(discrete: DiscreteProblem, threads: int = 1) -> Filter:
    """The filter of a problem on its voxels; passive void is outside its domain.

    A cone that reaches no neighbour is no filter.
    """
    kind, grid, radius = discrete.options.filter.kind, discrete.grid, discrete.radius
    if kind == "none" or radius <= 0.0:
        return Identity()
    if kind == "helmholtz":
        smoothing = Helmholtz(grid.shape, grid.spacing, radius, threads)
        return SmoothingFilter.normalised(smoothing, discrete.void, keeps_constants=True)
    if radius <= min(grid.spacing):
        return Identity()
    cone = Cone(grid.shape, grid.spacing, radius, threads)
    average = SmoothingFilter.normalised(cone, discrete.void, keeps_constants=False)
    return SensitivityFilter(average) if kind == "sensitivity" else average
