"""The linear cone `max(0, radius - distance)` as a convolution on voxels, cubic or not.

Source: Bruns & Tortorelli 2001, Bourdin 2001.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.physics.machine import Machine, default_machine

Array = NDArray[np.float64]

LARGEST_STENCIL = 1500
"""Points of the cone beyond which the Fourier transform is cheaper (1 M voxels, 2 threads)."""


@dataclass(frozen=True)
class Cone:
    """Convolution with the cone; voxels outside the box count as zero. Symmetric: it is its own transpose.

    Attributes
    ----------
    shape
        Shape of the element arrays, `[z, y, x]` or `[y, x]`.
    spacing
        Edge lengths of a voxel along x, y(, z) in metres.
    radius
        In metres.
    machine
        What runs the loop; the default machine on one thread unless given.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    radius: float
    machine: Machine = field(default_factory=lambda: default_machine(1), repr=False, compare=False)
    overshoots: ClassVar[bool] = False
    octant: Array = field(init=False, repr=False, compare=False)
    _spectrum: NDArray[np.complex128] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "octant", _octant(self.shape, self.spacing, self.radius))
        large = self.points > LARGEST_STENCIL
        object.__setattr__(self, "_spectrum", self._transformed() if large else None)

    @property
    def points(self) -> int:
        """How many voxels one voxel's cone covers."""
        return int(np.count_nonzero(_whole(self.octant)))

    def apply(self, voxels: Array, before: Array | None = None, after: Array | None = None) -> Array:
        """`after * (cone conv (before * voxels))`, a new array `[z, y, x]`; None stands for ones."""
        if self._spectrum is not None:
            return self._apply_fourier(self._spectrum, voxels, before, after)
        smooth = self.machine.convolve(
            self._three(voxels),
            self.octant,
            None if before is None else self._three(before),
            None if after is None else self._three(after),
        )
        return smooth.reshape(self.shape)

    def _three(self, a: Array) -> Array:
        return np.ascontiguousarray(a, dtype=np.float64).reshape((1,) * (3 - len(self.shape)) + self.shape)

    def _padded(self) -> list[int]:
        from scipy import fft

        reach = [n - 1 for n in self.octant.shape[-len(self.shape) :]]
        return [fft.next_fast_len(n + r, real=True) for n, r in zip(self.shape, reach, strict=True)]

    def _transformed(self) -> NDArray[np.complex128]:
        from scipy import fft

        # The kernel's centre sits at index 0 and its negative offsets wrap to the far end.
        padded = self._padded()
        whole = _whole(self.octant).reshape([2 * n - 1 for n in self.octant.shape[-len(padded) :]])
        kernel = np.zeros(padded)
        kernel[tuple(slice(0, n) for n in whole.shape)] = whole
        back = [-(n // 2) for n in whole.shape]
        kernel = np.roll(kernel, back, axis=tuple(range(len(padded))))
        return np.asarray(fft.rfftn(kernel, workers=self.machine.threads), dtype=np.complex128)

    def _apply_fourier(
        self, kernel: NDArray[np.complex128], voxels: Array, before: Array | None, after: Array | None
    ) -> Array:
        from scipy import fft

        padded = self._padded()
        masked = voxels if before is None else voxels * before
        spectrum = fft.rfftn(masked, padded, workers=self.machine.threads)
        spectrum *= kernel
        smooth = fft.irfftn(spectrum, padded, workers=self.machine.threads, overwrite_x=True)
        inside = smooth[tuple(slice(0, n) for n in self.shape)]
        return np.ascontiguousarray(inside) if after is None else np.asarray(inside * after)


def _octant(shape: tuple[int, ...], spacing: tuple[float, ...], radius: float) -> Array:
    """Weights `[|dz|, |dy|, |dx|]`, no longer than the box (2-D: one layer)."""
    across = (*(1,) * (3 - len(shape)), *shape)
    edges = (*(1.0,) * (3 - len(shape)), *spacing[::-1])
    squares = []
    for axis, (n, h) in enumerate(zip(across, edges, strict=True)):
        reach = max(0, min(int(np.ceil(radius / h)) - 1, n - 1))
        square = np.square(np.arange(reach + 1) * h)
        squares.append(square.reshape([-1 if a == axis else 1 for a in range(3)]))
    distance = np.sqrt(squares[0] + squares[1] + squares[2])
    return np.ascontiguousarray(np.maximum(0.0, radius - distance))


def _whole(octant: Array) -> Array:
    """The full kernel of an octant, mirrored about index 0 of every axis."""
    for axis in range(octant.ndim):
        mirrored = np.flip(octant, axis)[(slice(None),) * axis + (slice(None, -1),)]
        octant = np.concatenate([mirrored, octant], axis)
    return octant
