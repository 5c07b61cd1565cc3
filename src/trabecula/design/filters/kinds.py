"""The filters of the package as a problem file names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trabecula.design.filters.base import Filter, Identity
from trabecula.design.filters.cone import Cone
from trabecula.design.filters.helmholtz import Helmholtz
from trabecula.design.filters.sensitivity import SensitivityFilter
from trabecula.design.filters.smoothing import SmoothingFilter
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.machine import Machine
from trabecula.problem.keyed import key


@dataclass(frozen=True)
class DensityKind:
    """The density filter; a cone that reaches no neighbour is no filter."""

    radius: float | None = key(None, "radius; left out, 1.5 elements", unit="m", above=0.0)
    name: ClassVar[str] = "density"

    def make(self, discrete: DiscreteProblem, machine: Machine) -> Filter:
        """The filter on a grid; passive void is outside its domain."""
        average = average_by_cone(discrete, self.radius, machine)
        return Identity() if average is None else average


@dataclass(frozen=True)
class SensitivityKind:
    """The sensitivity filter."""

    radius: float | None = key(None, "radius; left out, 1.5 elements", unit="m", above=0.0)
    name: ClassVar[str] = "sensitivity"

    def make(self, discrete: DiscreteProblem, machine: Machine) -> Filter:
        """The filter on a grid; passive void is outside its domain."""
        average = average_by_cone(discrete, self.radius, machine)
        return Identity() if average is None else SensitivityFilter(average)


@dataclass(frozen=True)
class HelmholtzKind:
    """The Helmholtz filter."""

    radius: float | None = key(None, "radius; left out, 1.5 elements", unit="m", above=0.0)
    name: ClassVar[str] = "helmholtz"

    def make(self, discrete: DiscreteProblem, machine: Machine) -> Filter:
        """The filter on a grid; passive void is outside its domain."""
        radius = discrete.radius if self.radius is None else self.radius
        if radius <= 0.0:
            return Identity()
        own = discrete.grid.smoothing("helmholtz", radius)
        if own is not None:
            return SmoothingFilter.normalised(own, discrete.void, keeps_constants=False)
        smoothing = Helmholtz(discrete.grid.shape, discrete.grid.spacing, radius, machine)
        return SmoothingFilter.normalised(smoothing, discrete.void, keeps_constants=True)


@dataclass(frozen=True)
class NoneKind:
    """No filter."""

    radius: float | None = key(None, "of no account here", unit="m", above=0.0)
    name: ClassVar[str] = "none"

    def make(self, discrete: DiscreteProblem, machine: Machine) -> Filter:
        """The filter that leaves densities alone."""
        return Identity()


def average_by_cone(
    discrete: DiscreteProblem, radius: float | None, machine: Machine
) -> SmoothingFilter | None:
    """The mean of the densities around, weighted by a cone; None where it reaches no neighbour.

    Parameters
    ----------
    discrete
        The problem on its grid; passive void is outside the filter's domain.
    radius
        In the unit of the grid's lengths; None: 1.5 elements.
    machine
        What runs the loop.
    """
    grid, radius = discrete.grid, discrete.radius if radius is None else radius
    if radius <= grid.edges[0]:
        return None
    own = grid.smoothing("density", radius)
    if own is not None:
        return SmoothingFilter.normalised(own, discrete.void, keeps_constants=False)
    cone = Cone(grid.shape, grid.spacing, radius, machine)
    return SmoothingFilter.normalised(cone, discrete.void, keeps_constants=False)
