"""From the filter a problem names to the filter."""

from __future__ import annotations

from trabecula.design.filters.base import Filter, Identity
from trabecula.design.filters.cone import Cone
from trabecula.design.filters.helmholtz import Helmholtz
from trabecula.design.filters.sensitivity import SensitivityFilter
from trabecula.design.filters.smoothing import SmoothingFilter
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.machine import Machine, machine_of


def make_filter(discrete: DiscreteProblem, machine: Machine | int | None = 1) -> Filter:
    """The filter of a problem on its voxels; passive void is outside its domain.

    A cone that reaches no neighbour is no filter. `machine` runs its loops: one, or the default one on so
    many threads.
    """
    machine = machine_of(machine)
    kind, grid, radius = discrete.options.filter.kind, discrete.grid, discrete.radius
    if kind == "none" or radius <= 0.0:
        return Identity()
    own = grid.smoothing(kind, radius)
    if own is not None:
        average = SmoothingFilter.normalised(own, discrete.void, keeps_constants=False)
        return SensitivityFilter(average) if kind == "sensitivity" else average
    if kind == "helmholtz":
        smoothing = Helmholtz(grid.shape, grid.spacing, radius, machine)
        return SmoothingFilter.normalised(smoothing, discrete.void, keeps_constants=True)
    if radius <= min(grid.spacing):
        return Identity()
    cone = Cone(grid.shape, grid.spacing, radius, machine)
    average = SmoothingFilter.normalised(cone, discrete.void, keeps_constants=False)
    return SensitivityFilter(average) if kind == "sensitivity" else average
