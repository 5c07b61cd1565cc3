"""What a network sees of a problem and a design: dimensionless channels any grid can give.

No absolute co-ordinates, no displacements, no units: the size of loads, the stiffness and the resolution drop
out. Channels come in two parts, `[scalars..., axes...]`, where those of the second are one per axis (x, y, z)
and change places with the axes when a problem is turned; everything else is a scalar field.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem

Array = NDArray[np.float64]
Channels = NDArray[np.float32]

RANGE = 4.0
"""Half-decades of natural logarithm, divided by two, to which sensitivities are clipped."""

AXIS_GROUPS = 2
"""Groups of one channel per axis at the end: supports, loads."""


def log_sensitivity_ratio(
    gradient: Array, volume_gradient: Array, volume: float, inside: NDArray[np.bool_]
) -> Channels:
    """How strongly every voxel asks for material: log of -gradient/volume gradient, 0 at the water line.

    The water line is the level above which voxels make up the volume fraction: roughly the multiplier of the
    volume constraint, so that the sign says "more" or "less".

    Parameters
    ----------
    gradient
        float64 `[z, y, x]`: of the compliance with respect to the densities.
    volume_gradient
        float64 `[z, y, x]`: of the volume.
    volume
        Volume fraction.
    inside
        bool `[z, y, x]`: voxels that are part of the domain.

    Returns
    -------
    NDArray[np.float32]
        `[z, y, x]`, between -`RANGE` and `RANGE`; -`RANGE` outside.
    """
    ratio = -gradient / np.maximum(volume_gradient, 1e-30)
    return level(np.log(np.maximum(ratio, 1e-300)), volume, inside & (volume_gradient > 0))


def level(logarithm: Array, volume: float, free: NDArray[np.bool_]) -> Channels:
    """Logarithms shifted so that a share `volume` of the `free` voxels is above 0, halved and clipped."""
    line = float(np.quantile(logarithm[free], 1.0 - min(max(volume, 0.0), 1.0))) if free.any() else 0.0
    scaled = np.clip((logarithm - line) / 2.0, -RANGE, RANGE)
    return np.where(free, scaled, -RANGE).astype(np.float32)


def site(discrete: DiscreteProblem, volume: float) -> tuple[Channels, Channels]:
    """What does not change with the design: scalars `[4, z, y, x]` and axes `[2 * axis, z, y, x]`.

    Scalars: inside the domain, passive solid, volume fraction, filter radius in voxels (log2). Axes: share of
    a voxel's nodes held along the axis, load along it relative to the largest.
    """
    shape = discrete.voxels.shape
    radius = np.log2(max(discrete.radius / min(discrete.voxels.spacing), 0.5))
    scalars = np.stack(
        [
            discrete.upper,
            discrete.lower,
            np.full(shape, 4.0 * volume - 1.0),
            np.full(shape, radius - 1.0),
        ]
    ).astype(np.float32)
    held = [_mean_of_nodes(nodes.astype(np.float32)) for nodes in discrete.fixed]
    total = np.tensordot(np.abs(discrete.weights), np.abs(discrete.loads), axes=1)
    loads = [_mean_of_nodes(nodes.astype(np.float32)) for nodes in total]
    largest = max((float(load.max()) for load in loads), default=0.0) or 1.0
    dimension = discrete.voxels.dimension
    if len(held) == 1:  # a state without direction counts along every axis
        held, loads = held * dimension, loads * dimension
    return scalars, np.stack([*held, *(load / largest for load in loads)]).astype(np.float32)


def channels(
    discrete: DiscreteProblem,
    volume: float,
    designs: Sequence[Array | Channels],
    pulls: Sequence[Channels],
) -> Channels:
    """All channels of a network: designs (-1 void to 1 solid), their pulls, and the site.

    Parameters
    ----------
    designs
        Densities on the grid, each `[z, y, x]`.
    pulls
        Of `log_sensitivity_ratio`, each `[z, y, x]`.

    Returns
    -------
    NDArray[np.float32]
        `[channel, z, y, x]` with `count(dimension, len(designs) + len(pulls))` channels.
    """
    scalars, axes = site(discrete, volume)
    own = [2.0 * np.asarray(x, np.float32) - 1.0 for x in designs]
    return np.concatenate([np.stack([*own, *pulls]), scalars, axes]).astype(np.float32)


def count(dimension: int, fields: int) -> int:
    """Channels of a network that sees so many designs and pulls."""
    return fields + 4 + AXIS_GROUPS * dimension


def _mean_of_nodes(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean over a voxel's nodes."""
    for axis in range(nodes.ndim):
        low = np.take(nodes, range(nodes.shape[axis] - 1), axis)
        nodes = 0.5 * (low + np.take(nodes, range(1, nodes.shape[axis]), axis))
    return nodes
