"""The problem on its voxels: plain arrays, the one thing that physics, design and certificate are given."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.grid import Grid
from trabecula.discretisation.protocol import Discretisation
from trabecula.discretisation.units import Units
from trabecula.numerics.inner_product import inner
from trabecula.problem.model import Goal, Material, Options
from trabecula.problem.physics import Physics


@dataclass(frozen=True)
class DiscreteProblem:
    """Arrays that say everything about a problem on one grid.

    Attributes
    ----------
    physics
        The state equation, as far as arrays are concerned; its matrices are in the room `physics`.
    fixed
        bool `[component, z, y, x]` over nodes: held degrees of freedom (one component for heat).
    loads
        float64 `[case, component, z, y, x]` over nodes, in N (W for heat); zero on held degrees of freedom.
    gravity
        float64 `[case, axis]` in m/s2: own weight, spread over the material that is there.
    weights
        float64 `[case]`.
    lower, upper
        float64 `[z, y, x]` over elements: bounds of the density. Passive solid has both 1, passive void both
        0; a coarse voxel that is partly passive has the share.
    units
        What one unit of the numbers here is in SI.
    """

    name: str
    grid: Discretisation
    physics: Physics
    material: Material
    fixed: NDArray[np.bool_]
    loads: NDArray[np.float64]
    gravity: NDArray[np.float64]
    weights: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    goal: Goal
    options: Options
    units: Units = field(default_factory=Units)

    @property
    def voxels(self) -> Grid:
        """The grid, where it is a box of voxels; for the rooms that know nothing else.

        Raises
        ------
        TypeError
            If it is another discretisation.
        """
        if not isinstance(self.grid, Grid):
            raise TypeError(f"needs a box of voxels, and the problem lives on {self.grid.label}")
        return self.grid

    @property
    def radius(self) -> float:
        """Filter radius in metres (default 1.5 of the largest element edge)."""
        given = self.options.filter.radius
        return 1.5 * self.grid.edges[1] if given is None else given

    def total(self, values: NDArray[np.float64]) -> float:
        """The sum of a density over all elements, each by its volume, in elements."""
        volumes = self.grid.volumes
        return float(values.sum()) if volumes is None else inner(volumes, values)

    @property
    def domain_volume(self) -> float:
        """Volume of what may hold material, in elements; one that is partly passive void counts its share.

        The one measure of "the domain" on every grid: volume fractions, limits, bounds and what passive solid
        takes all refer to it, so that a coarse grid is judged as the fine one is.
        """
        return self.total(self.upper)

    @property
    def solid_fraction(self) -> float:
        """Fraction of the domain that passive solid takes, whatever is designed."""
        solid = self.total(self.lower)
        return solid / self.domain_volume if solid else 0.0

    def volume_fraction(self, physical: NDArray[np.float64]) -> float:
        """Used fraction of the domain; passive solid counts as used.

        Parameters
        ----------
        physical
            float64 `[z, y, x]`: physical density.
        """
        return self.total(physical) / self.domain_volume

    def volume_gradient(self) -> NDArray[np.float64]:
        """Derivative of `volume_fraction`, float64 `[z, y, x]`; a new array."""
        volumes = self.grid.volumes
        return (
            np.full(self.grid.shape, 1.0 / self.domain_volume)
            if volumes is None
            else volumes / self.domain_volume
        )

    @property
    def void(self) -> NDArray[np.bool_]:
        """Passive void voxels, bool `[z, y, x]`: no part of the domain, for volume or filter."""
        return np.asarray(self.upper <= 0.0)
