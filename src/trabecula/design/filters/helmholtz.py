"""The Helmholtz (PDE) filter `filtered - R^2 laplace(filtered) = density` with zero normal slope on the box.

Bilinear (trilinear) elements on the nodes, densities constant in a voxel: on a box grid the matrix is a sum
of tensor products of 1-D mass and stiffness matrices, whose common eigenvectors are cosines, so the type-I
cosine transform solves it exactly in O(n log n). Volume is preserved and the filter is its own transpose.
Consistent elements have no maximum principle: where the radius is below about two voxels some weights are
below zero, filtered densities may leave 0 to 1 (at a radius of one voxel by a tenth), and the design chain
clips them.

Source: Lazarov & Sigmund 2011, "Filters in topology optimization based on Helmholtz-type differential
equations"; `R = radius / (2 sqrt(3))` makes it act like the cone of that radius.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.nodes import to_elements, to_nodes
from trabecula.physics.machine import Machine, default_machine

Array = NDArray[np.float64]

PROBE = 32
"""Voxels along every axis of the box on which the sign of the weights is found out."""

NEGLIGIBLE = 1e-9
"""Overshoot that counts as rounding; the bound with a filter inside is widened by as much."""


@dataclass(frozen=True)
class Helmholtz:
    """The smoothing of the Helmholtz filter as a symmetric linear map of element arrays.

    Attributes
    ----------
    shape
        Shape of the element arrays, `[z, y, x]` or `[y, x]`.
    spacing
        Edge lengths of a voxel along x, y(, z) in metres.
    radius
        In metres, that of the cone filter it resembles.
    machine
        Says on how many threads the transforms run; one unless given.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    radius: float
    machine: Machine = field(default_factory=lambda: default_machine(1), repr=False, compare=False)
    _inverse: Array = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_inverse", self._inverse_eigenvalues())

    @cached_property
    def overshoots(self) -> bool:
        """Whether weights are below zero: those of a voxel amid a box whose faces are far."""
        box = (PROBE,) * len(self.shape)
        unit = np.zeros(box)
        unit[(PROBE // 2,) * len(box)] = 1.0
        weights = Helmholtz(box, self.spacing, self.radius).apply(unit)
        return bool(weights[weights < 0.0].sum() < -NEGLIGIBLE)

    def apply(self, voxels: Array, before: Array | None = None, after: Array | None = None) -> Array:
        """`after * smooth(before * voxels)`, a new array `[z, y, x]`; None stands for ones."""
        from scipy import fft

        nodes = to_nodes(voxels if before is None else voxels * before)
        # Cosines are orthogonal under the trapezoidal weights (half at the ends of every axis): divide by
        # these.
        for axis in range(nodes.ndim):
            ends = (slice(None),) * axis + (slice(None, None, self.shape[axis]),)
            nodes[ends] *= 2.0
        nodes = fft.dctn(nodes, type=1, overwrite_x=True, workers=self.machine.threads)
        nodes *= self._inverse
        nodes = fft.idctn(nodes, type=1, overwrite_x=True, workers=self.machine.threads)
        smooth = to_elements(nodes)
        if after is not None:
            smooth *= after
        return smooth

    def _inverse_eigenvalues(self) -> Array:
        """Reciprocal eigenvalues over nodes `[z, y, x]`, times `4^-dimension` for the two node sums."""
        dimension = len(self.shape)
        mass, stiffness = np.ones(()), np.zeros(())
        for axis, (n, h) in enumerate(zip(self.shape, self.spacing[::-1], strict=True)):
            cosine = np.cos(np.pi * np.arange(n + 1) / n).reshape(
                [-1 if a == axis else 1 for a in range(dimension)]
            )
            mass_1d = (2.0 + cosine) / 3.0
            mass = mass * mass_1d
            stiffness = stiffness + (2.0 - 2.0 * cosine) / (h * h * mass_1d)
        squared = self.radius**2 / 12.0
        return np.asarray(0.25**dimension / (mass * (1.0 + squared * stiffness)))
