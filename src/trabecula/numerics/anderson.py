"""Anderson mixing of a fixed-point iteration whose unknowns are positive.

Source: Walker & Ni 2011, Anderson acceleration for fixed-point iterations, SIAM J. Numer. Anal. 49.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]
Single = NDArray[np.float32]

TRUST = 2.0
"""Largest change of a logarithm beyond the plain step."""


@dataclass
class Anderson:
    """Mixes the last images of an iteration x -> g(x), in logarithms, each unknown weighted by sqrt(x).

    Attributes
    ----------
    depth
        Iterates that are remembered (in single precision: two arrays each); 0 mixes nothing.
    floor
        Smallest value that counts, so that unknowns which vanish do not steer the others.
    """

    depth: int = 2
    floor: float = 1e-4
    _images: list[Single] = field(default_factory=list, repr=False)
    _steps: list[Single] = field(default_factory=list, repr=False)

    def forget(self) -> None:
        """Start again from the next pair."""
        self._images.clear()
        self._steps.clear()

    def mix(self, before: Array, image: Array) -> Array:
        """Return the next iterate from an iterate and its image, float64 of the same shape, positive."""
        if self.depth == 0:
            return image
        weight = np.log(np.maximum(before, self.floor)).astype(np.float32)
        log = np.log(np.maximum(image, self.floor)).astype(np.float32)
        step = log - weight
        np.exp(0.5 * weight, out=weight)
        differences = [(step - old) * weight for old in self._steps]
        mixed = image
        if differences:
            normal = np.array([[inner(a, b) for b in differences] for a in differences])
            right = np.array([inner(a, step * weight) for a in differences])
            normal += 1e-8 * np.trace(normal) * np.eye(len(normal))
            change = np.zeros_like(log)
            if np.trace(normal) > 0:
                for share, old in zip(np.linalg.solve(normal, right), self._images, strict=True):
                    change -= np.float32(share) * (log - old)
            mixed = image * np.exp(np.clip(change, -TRUST, TRUST))
        self._images = [*self._images, log][-self.depth :]
        self._steps = [*self._steps, step][-self.depth :]
        return mixed
