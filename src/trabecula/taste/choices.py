"""What a person chose: designs that were shown together, and which of them is the nicest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.taste.features import Look

Array = NDArray[np.float64]

LEAST_SPREAD = np.array([0.05, 0.1, 0.1, 0.1, 0.1, 0.02, 0.02, 0.01, 0.01])
"""Spread of each feature below which designs look alike in it, and differences are not blown up."""

DIGITS = 5
"""Decimals of places, so that a profile that was saved and read is the same."""


@dataclass(frozen=True, eq=False)
class GalleryScale:
    """How much the designs of a gallery differ: what one step of a feature is.

    Attributes
    ----------
    middle, spread
        float64 `[feature]`: mean and standard deviation.
    code_middle
        float64 `[number]`: mean code; None without codes.
    code_spread
        Root of the mean squared distance of codes from it.
    """

    middle: Array
    spread: Array
    code_middle: Array | None = None
    code_spread: float = 1.0

    @classmethod
    def of(cls, looks: Sequence[Look]) -> GalleryScale:
        """Of the designs of a gallery.

        Raises
        ------
        ValueError
            If there is no design.
        """
        if not looks:
            raise ValueError("looks is empty; a scale needs at least one design")
        features = np.stack([look.features for look in looks])
        codes = [look.code for look in looks if look.code is not None]
        if len(codes) < len(looks):
            return cls(features.mean(axis=0), np.maximum(features.std(axis=0), LEAST_SPREAD))
        known = np.stack(codes)
        middle = known.mean(axis=0)
        spread = float(np.sqrt(np.square(known - middle).sum(axis=1).mean()))
        return cls(
            features.mean(axis=0), np.maximum(features.std(axis=0), LEAST_SPREAD), middle, max(spread, 1e-6)
        )

    def place(self, look: Look) -> Place:
        """A design among those of the gallery, in steps of their spread."""
        code = None
        if look.code is not None and self.code_middle is not None:
            code = np.round((look.code - self.code_middle) / self.code_spread, DIGITS)
        return Place(np.round((look.features - self.middle) / self.spread, DIGITS), code, look.coder)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a design stands among those of its gallery.

    Attributes
    ----------
    features
        float64 `[feature]`: standard deviations above the gallery's mean.
    code
        float64 `[number]`: relative to the spread of the gallery's codes; None without.
    coder
        Which auto-encoder the code is of.
    """

    features: Array
    code: Array | None = None
    coder: str = ""

    @property
    def key(self) -> bytes:
        """The same for the same place, and for no other."""
        return self.features.tobytes() + (b"" if self.code is None else self.code.tobytes())


@dataclass(frozen=True, eq=False)
class Pick:
    """One answer: the nicest of the designs that were shown.

    Attributes
    ----------
    shown
        Two or more designs.
    nicest
        Which of them.
    weight
        How many answers it counts for; below 1 where profiles are averaged.
    """

    shown: tuple[Place, ...]
    nicest: int
    weight: float = 1.0

    def __post_init__(self) -> None:
        if len(self.shown) < 2:
            raise ValueError(f"shown holds {len(self.shown)} design; a choice needs at least two")
        if not 0 <= self.nicest < len(self.shown):
            raise ValueError(f"nicest is {self.nicest}; it must be below {len(self.shown)}, what was shown")
        if not 0.0 < self.weight <= 1e3:
            raise ValueError(f"weight is {self.weight}; it must be above 0 and at most 1000")
