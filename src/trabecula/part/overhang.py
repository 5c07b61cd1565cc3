"""How much of a part's underside overhangs: is flatter than 45 degrees and not on the build plate.

Voxels have flat undersides only; how steep the surface is that they stand for is read from a smoothed part.
"""

from __future__ import annotations

from math import cos, radians

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Field = NDArray[np.float32]

ANGLE = 45.0
"""Degrees from the build plate below which a surface that faces down needs support."""

TOLERANCE = 1.0
"""Degrees by which a surface must be flatter: stairs of voxels at 45 degrees are at 45 degrees."""

WIDTH, REACH = 1.5, 3.0
"""Standard deviation of the smoothing, in longest edges of a voxel, and how many of them it reaches."""

STEEPEST = 0.1
"""Least cosine that an area is divided by: nearly upright walls have few undersides to count."""


def measure_overhang(inside: Mask, spacing: tuple[float, ...]) -> float | None:
    """Share of the area facing down that overhangs, when the part is built upwards: along z, in 2-D along y.

    An area faces down under every voxel that has nothing below it. It overhangs where the surface is flatter
    than 45 degrees; the lowest layer of the part stands on the build plate and does not. The normal is the
    gradient of the part, smoothed by a Gaussian of `WIDTH`.

    Parameters
    ----------
    inside
        bool `[z, y, x]` or `[y, x]`; outside of the array there is nothing.
    spacing
        Edges of a voxel along the axes of the array, any unit of length.

    Returns
    -------
    float or None
        0 to 1; None where there is nothing.

    Examples
    --------
    >>> table = np.zeros((10, 30), dtype=bool)
    >>> table[6:, :] = table[:, :5] = table[:, 25:] = True
    >>> round(measure_overhang(table, (1.0, 1.0)), 2)
    0.67
    """
    layers = np.flatnonzero(inside.reshape(len(inside), -1).any(axis=1))
    if not len(layers):
        return None
    inside = inside[layers[0] : layers[-1] + 1]
    width = WIDTH * max(spacing)
    reach = [int(np.ceil(REACH * width / edge)) for edge in spacing]
    padded = np.pad(inside, [(r + 1, r + 1) for r in reach])
    under = np.nonzero(padded[1:] & ~padded[:-1])
    slopes = []
    for across in range(inside.ndim):
        slope = padded.astype(np.float32)
        for axis, (edge, steps) in enumerate(zip(spacing, reach, strict=True)):
            slope = _smooth(slope, axis, edge / width, steps, axis == 0, axis == across)
        slopes.append(slope[under])
    length = np.sqrt(sum(slope.astype(np.float64) ** 2 for slope in slopes))
    upright = np.divide(slopes[0], length, out=np.ones(len(length)), where=length > 0.0)
    on_plate = under[0] == reach[0]
    area = 1.0 / np.where(on_plate, 1.0, np.maximum(upright, STEEPEST))
    is_flat = (upright > cos(radians(ANGLE - TOLERANCE))) & ~on_plate
    return float(area[is_flat].sum() / area.sum())


def _smooth(
    values: Field, axis: int, edge: float, reach: int, is_between: bool, is_derivative: bool
) -> Field:
    """Values convolved along an axis with a Gaussian, or its derivative, up to a factor.

    Parameters
    ----------
    edge
        Of a voxel, in standard deviations.
    reach
        Voxels at which the Gaussian ends; so many at the ends of the axis are void.
    is_between
        Whether values are wanted between a voxel and the next, one fewer, instead of at voxels.
    """
    values = np.moveaxis(values, axis, 0)
    count = len(values) - is_between
    found = np.zeros((count, *values.shape[1:]), dtype=np.float32)
    for step in range(-reach, reach + 1 + is_between):
        away = (step - 0.5 * is_between) * edge
        weight = np.exp(-0.5 * away**2) * (away if is_derivative else 1.0)
        low, high = max(0, -step), min(count, len(values) - step)
        found[low:high] += np.float32(weight) * values[low + step : high + step]
    return np.moveaxis(found, 0, axis)
