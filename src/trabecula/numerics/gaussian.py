"""The Gaussian blur of an array."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

FAR = 4.0
"""Standard deviations beyond which the bell curve counts as zero."""


Real = TypeVar("Real", bound=np.floating)


def blur(
    values: NDArray[Real], width: float, beyond: Literal["symmetric", "edge"] = "symmetric"
) -> NDArray[Real]:
    """Convolve with a Gaussian along every axis.

    Parameters
    ----------
    values
        Floating, any shape.
    width
        Standard deviation in cells, above 0.
    beyond
        What lies outside: the mirror image of what is inside, or its outermost values.

    Returns
    -------
    Of the same shape and type.

    Examples
    --------
    >>> float(blur(np.array([0.0, 0.0, 1.0, 0.0, 0.0]), 1.0).sum().round(9))
    1.0
    """
    reach = int(FAR * width + 0.5)
    bell = np.exp(-0.5 * (np.arange(reach + 1) / width) ** 2)
    bell /= bell[0] + 2 * bell[1:].sum()
    for axis, count in enumerate(values.shape):
        padded = np.pad(
            np.moveaxis(values, axis, 0), [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode=beyond
        )
        total = bell.astype(values.dtype)[0] * padded[reach : reach + count]
        for step, weight in enumerate(bell.astype(values.dtype)[1:], start=1):
            total += weight * (padded[reach - step :][:count] + padded[reach + step :][:count])
        values = np.moveaxis(total, 0, axis)
    return np.ascontiguousarray(values)
