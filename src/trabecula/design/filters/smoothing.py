"""A smoothing operator made into a density filter: constant densities stay, passive void does not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Smoothing(Protocol):
    """A symmetric linear map of element arrays."""

    @property
    def overshoots(self) -> bool:
        """Whether any weight is below zero, so that a value can lie outside the range of what it is made
        of."""

    def apply(self, voxels: Array, before: Array | None = None, after: Array | None = None) -> Array:
        """`after * smooth(before * voxels)`, a new array `[z, y, x]`; None stands for ones."""


@dataclass(frozen=True)
class SmoothingFilter:
    """`filtered = smooth(inside * density) / smooth(inside)`, zero outside, where `inside` excludes passive
    void.

    Attributes
    ----------
    smoothing
        The operator (`Cone`, `Helmholtz`).
    inside
        float64 `[z, y, x]`, 1 inside the domain and 0 in passive void; None where all is inside.
    scale
        float64 `[z, y, x]`, `inside / smooth(inside)`; None where that is 1 everywhere.
    """

    smoothing: Smoothing
    inside: Array | None
    scale: Array | None = field(repr=False)
    is_linear: ClassVar[bool] = True

    @property
    def overshoots(self) -> bool:
        """Whether filtered densities can lie outside 0 to 1."""
        return self.smoothing.overshoots

    @classmethod
    def normalised(
        cls, smoothing: Smoothing, void: NDArray[np.bool_], keeps_constants: bool
    ) -> SmoothingFilter:
        """Build it for a domain with passive `void`, bool `[z, y, x]`.

        `keeps_constants` says that the operator leaves constants on the whole box alone, so that nothing
        needs to be divided where there is no void.
        """
        inside = (~void).astype(np.float64) if void.any() else None
        if inside is None and keeps_constants:
            return cls(smoothing, None, None)
        scale = smoothing.apply(np.ones(void.shape), before=inside)
        np.divide(1.0, scale, out=scale, where=~void)
        if inside is not None:
            scale *= inside
        return cls(smoothing, inside, scale)

    def forward(self, density: Array) -> Array:
        """Filtered densities `[z, y, x]`; zero in passive void."""
        return self.smoothing.apply(density, before=self.inside, after=self.scale)

    def adjoint(self, density: Array, gradient: Array) -> Array:
        """Gradient with respect to the density from that with respect to the filtered one, `[z, y, x]`.

        It is the same at all densities.
        """
        return self.smoothing.apply(gradient, before=self.scale, after=self.inside)

    def sensitivity(self, density: Array, gradient: Array) -> Array:
        """The gradient itself: this filter's sensitivities are exact."""
        return gradient
