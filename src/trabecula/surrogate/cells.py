"""Designs by their densities on the small grid alone: what stands in where no auto-encoder ships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.surrogate.canonical import SIDE, canonical, moves
from trabecula.surrogate.latent import Latent

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cells:
    """Codes that are the small grid itself: exact, and some hundred times as long as a `Latent`'s.

    Attributes
    ----------
    dimension
        Of the designs.
    """

    dimension: int

    @property
    def label(self) -> str:
        """Codes of different labels are not comparable."""
        return f"cells-{SIDE[self.dimension]}"

    def encode(self, density: NDArray[np.floating], size: Sequence[float] | None = None) -> Floats:
        """As `Latent.encode`; `size` changes nothing."""
        code: Floats = self.images(density, size, turned=False)[0]
        return code

    def images(
        self,
        density: NDArray[np.floating],
        size: Sequence[float] | None = None,
        turned: bool = True,
    ) -> Floats:
        """As `Latent.images`; `size` changes nothing."""
        small = canonical(density)
        wanted = moves(self.dimension, turned)
        return np.stack([np.flip(small.transpose(order), flip).ravel() for order, flip in wanted])

    def difference(self, distance: float) -> float:
        """As `Latent.difference`; here it is exact."""
        return float(distance / np.sqrt(SIDE[self.dimension] ** self.dimension))


def coder(dimension: int) -> Latent | Cells:
    """The auto-encoder that ships in 2-D or 3-D, else the small grid."""
    return Latent.from_package(dimension) or Cells(dimension)
