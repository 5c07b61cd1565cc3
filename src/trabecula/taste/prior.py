"""What is thought of niceties before anything was chosen: a Gaussian process over features and codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.taste.choices import Place

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """Variances of the parts that a nicety is the sum of; measured choices, see docs/decisions/taste.md.

    Attributes
    ----------
    slope
        Standard deviation of what one step of a feature is worth, each feature for itself.
    bend
        Standard deviation of what is worth no straight line, over all features together.
    length
        Steps over which that changes.
    code
        Standard deviation of what codes are worth.
    code_length
        Spreads of codes over which that changes.
    shares
        By feature: the variance of its slope, relative to `slope` squared; empty: 1 each.
    """

    slope: float = 0.5
    bend: float = 1.0
    length: float = 3.0
    code: float = 0.7
    code_length: float = 1.0
    shares: tuple[float, ...] = ()

    def covariance(self, ones: Sequence[Place], others: Sequence[Place]) -> Array:
        """Covariances of the niceties of designs, `[one, other]`."""
        a, b = (np.stack([place.features for place in places]) for places in (ones, others))
        shares = np.array(self.shares or (1.0,) * a.shape[1])
        total = self.slope**2 * ((a * shares) @ b.T)
        total += self.bend**2 * np.exp(-0.5 * _squares(a, b) / (self.length**2 * a.shape[1]))
        if self.code:
            total += self.code**2 * _code_part(ones, others, self.code_length)
        return np.asarray(total)


def _squares(a: Array, b: Array) -> Array:
    """Squared distances, `[a, b]`."""
    lengths = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)[None, :]
    return np.asarray(np.maximum(lengths - 2.0 * (a @ b.T), 0.0))


def _code_part(ones: Sequence[Place], others: Sequence[Place], length: float) -> Array:
    """Correlation by codes; designs without a code, or of different auto-encoders, have none."""
    found = np.zeros((len(ones), len(others)))
    for coder in {place.coder for place in (*ones, *others) if place.code is not None}:
        rows, columns = (
            [k for k, place in enumerate(places) if place.code is not None and place.coder == coder]
            for places in (ones, others)
        )
        if rows and columns:
            a = np.stack([np.asarray(ones[k].code) for k in rows])
            b = np.stack([np.asarray(others[k].code) for k in columns])
            found[np.ix_(rows, columns)] = np.exp(-0.5 * _squares(a, b) / length**2)
    return found
