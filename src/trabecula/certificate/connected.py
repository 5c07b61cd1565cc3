"""Connectivity of a design: its pieces, islands and unsupported loads; and how grey it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.numerics.components import Labels
from trabecula.numerics.inner_product import inner

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

THRESHOLD = 0.5
"""Physical density above which a voxel is material."""


@dataclass(frozen=True)
class Pieces:
    """The pieces of a design's material; voxels belong together where they share a face (an edge in 2-D).

    Attributes
    ----------
    count
        All of them.
    islands
        Those that do not join a load to a support.
    island_fraction
        Share of the material that is in islands.
    loads_reached
        Whether every patch of loaded nodes touches a piece that is also supported.
    """

    count: int
    islands: int
    island_fraction: float
    loads_reached: bool

    @property
    def is_one_piece(self) -> bool:
        """One piece, no islands, every load joined to a support."""
        return self.count == 1 and self.islands == 0 and self.loads_reached


def is_connected(physical: Array, discrete: DiscreteProblem) -> bool:
    """Whether all material above 0.5 is one piece that joins every load to a support.

    Parameters
    ----------
    physical
        float64 `[z, y, x]`, the physical density.
    discrete
        Where the loads and supports are.
    """
    return pieces(physical, discrete).is_one_piece


def pieces(physical: Array, discrete: DiscreteProblem, threshold: float = THRESHOLD) -> Pieces:
    """Count the pieces of a design and see which of them carry load to a support.

    A load case's loaded nodes form patches (neighbours belong together); each patch must touch, at one node
    at least, a piece that a support touches too.  Own weight acts everywhere and asks only for a support.

    Parameters
    ----------
    physical
        float64 `[z, y, x]`, the physical density.
    discrete
        Where the loads and supports are.
    threshold
        Physical density above which a voxel is material.
    """
    labels, count = discrete.grid.label_elements(physical > threshold)
    if count == 0:
        return Pieces(0, 0, 0.0, loads_reached=False)
    held = np.asarray(discrete.fixed.any(axis=0))
    supported = _touched(discrete, labels, held, count)
    loaded = np.zeros(count + 1, dtype=bool)
    reached = True
    for load, gravity in zip(discrete.loads, discrete.gravity, strict=True):
        if np.any(gravity) and "gravity" in discrete.physics.loads:
            loaded |= supported
        nodes = np.asarray((load != 0).any(axis=0))
        patches, number = discrete.grid.label_nodes(nodes)
        touching = discrete.grid.contacts(labels, patches)
        good = touching[supported[touching[:, 0]]]
        loaded[touching[:, 0]] = True
        reached = reached and bool(np.count_nonzero(np.bincount(good[:, 1])) == number)
    working = (supported & loaded)[1:]
    sizes = np.bincount(labels.ravel(), _volumes(discrete), minlength=count + 1)[1:]
    islands = int(count - working.sum())
    return Pieces(count, islands, float(sizes[~working].sum() / sizes.sum()), reached and bool(working.any()))


def grey(physical: Array, discrete: DiscreteProblem | None = None) -> float:
    """Return the mean of 4 x (1 - x) over what is not passive void: 0 black and white, 1 all at one half.

    Parameters
    ----------
    physical
        float64 `[z, y, x]`, the physical density.
    discrete
        Says what is passive void; without it everything counts.
    """
    if discrete is not None and discrete.grid.volumes is not None:
        inside = np.where(discrete.void, 0.0, physical * (1.0 - physical))
        return 4.0 * discrete.total(inside) / discrete.total((~discrete.void).astype(np.float64))
    values = physical.ravel() if discrete is None else physical[~discrete.void]
    if not values.size:
        return 0.0
    return float(4.0 * (values.sum() - inner(values, values)) / values.size)


def _volumes(discrete: DiscreteProblem) -> Array | None:
    """Volumes of all elements, flat; None where all are the same."""
    return None if discrete.grid.volumes is None else discrete.grid.volumes.ravel()


def _touched(discrete: DiscreteProblem, labels: Labels, nodes: Mask, count: int) -> Mask:
    """Which labels `[label]` have a corner among the nodes."""
    touched = np.zeros(count + 1, dtype=bool)
    touched[discrete.grid.contacts(labels, nodes.astype(np.int32))[:, 0]] = True
    return touched
