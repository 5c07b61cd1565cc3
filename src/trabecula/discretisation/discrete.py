"""The problem on its voxels: plain arrays, the one thing that physics, design and certificate are given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.model import Goal, Material, Options
from trabecula.problem.physics import Physics


@dataclass(frozen=True)
class Grid:
    """A box of equal voxels: `elements` along x, y(, z), `spacing` in metres, `thickness` (in 2-D)."""

    elements: tuple[int, ...]
    spacing: tuple[float, ...]
    thickness: float = 1.0

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return len(self.elements)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an element array, `[z, y, x]` or `[y, x]`."""
        return self.elements[::-1]

    @property
    def node_shape(self) -> tuple[int, ...]:
        """Shape of a node array, `[z, y, x]` or `[y, x]`."""
        return tuple(n + 1 for n in self.shape)

    @property
    def element_volume(self) -> float:
        """Volume of one voxel in cubic metres."""
        return float(np.prod(self.spacing)) * (self.thickness if self.dimension == 2 else 1.0)


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
    """

    name: str
    grid: Grid
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

    @property
    def radius(self) -> float:
        """Filter radius in metres (default 1.5 of the largest element edge)."""
        given = self.options.filter.radius
        return 1.5 * max(self.grid.spacing) if given is None else given

    @property
    def domain_volume(self) -> float:
        """Volume of what may hold material, in voxels; one that is partly passive void counts its share.

        The one measure of "the domain" on every grid: volume fractions, limits, bounds and what passive solid
        takes all refer to it, so that a coarse grid is judged as the fine one is.
        """
        return float(self.upper.sum())

    @property
    def solid_fraction(self) -> float:
        """Fraction of the domain that passive solid takes, whatever is designed."""
        solid = float(self.lower.sum())
        return solid / self.domain_volume if solid else 0.0

    def volume_fraction(self, physical: NDArray[np.float64]) -> float:
        """Used fraction of the domain; passive solid counts as used.

        Parameters
        ----------
        physical
            float64 `[z, y, x]`: physical density.
        """
        return float(physical.sum()) / self.domain_volume

    @property
    def void(self) -> NDArray[np.bool_]:
        """Passive void voxels, bool `[z, y, x]`: no part of the domain, for volume or filter."""
        return np.asarray(self.upper <= 0.0)
