"""A box of equal voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
