"""How much material a design uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.responses.quantity import Quantity

if TYPE_CHECKING:
    from trabecula.responses.design_point import DesignPoint

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Volume(Quantity):
    """Used fraction of the domain that is not passive void; passive solid counts as used."""

    name: ClassVar[str] = "volume"
    is_positive: ClassVar[bool] = True

    def value(self, at: DesignPoint) -> float:
        """Volume fraction."""
        return at.discrete.volume_fraction(at.physical)

    def gradient(self, at: DesignPoint) -> Array:
        """Derivative with respect to the physical densities, float64 in the shape of `at.physical`."""
        return at.discrete.volume_gradient()

    def material_share(self, discrete: DiscreteProblem) -> float | None:
        """A full domain uses all of it."""
        return 1.0
