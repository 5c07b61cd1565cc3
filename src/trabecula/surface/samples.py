"""Cell values made ready for an iso-surface: a rim of void, hard passive cells, and the pieces they form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.components import components, label
from trabecula.surface.patches import FACE_CORNERS

LEVEL = 0.5
"""The density at which material begins."""

_SMALL_PIECE = 0.01

_CLEAR = 0.05
"""How far from the level a cell of a part, and one outside, is at least: the surface passes between them."""

OUTSIDE = LEVEL - _CLEAR
"""Most that a cell outside a part is."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Values at cell centres with one void cell around them.

    Attributes
    ----------
    values
        float32 `[z, y, x]`, each extent two larger than the design's.
    hard
        bool, same shape: cells whose boundary is known exactly (passive cells and the rim).
    inside
        bool, same shape: material.
    """

    values: NDArray[np.float32]
    hard: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def sample(
    density: NDArray[np.floating],
    solid: NDArray[np.bool_] | None,
    void: NDArray[np.bool_] | None,
    sharp: bool,
    part: NDArray[np.bool_] | None = None,
    threshold: float = LEVEL,
) -> Samples:
    """Pad a density field `[z, y, x]` with void and write passive cells into it as 0 or 1.

    Where the cells of a `part` are given, they are what is inside, whatever their density: the density, with
    `threshold` moved to the level, only says where between two cells the surface passes.
    """
    values = np.zeros(tuple(n + 2 for n in density.shape), dtype=np.float32)
    hard = np.ones(values.shape, dtype=np.bool_)
    core = (slice(1, -1),) * 3
    values[core] = density
    hard[core] = False
    if part is not None:
        _follow(values[core], part, threshold)
    for mask, value in ((void, 0.0), (solid, 1.0)):
        if mask is not None:
            values[core][mask if part is None else mask & (part == (value > LEVEL))] = value
            hard[core] |= mask & sharp
    return Samples(values, hard, values > LEVEL)


def _follow(values: NDArray[np.float32], part: NDArray[np.bool_], threshold: float) -> None:
    """Move the threshold of densities to the level, and every cell to the side of it where the part has
    it."""
    below = values < threshold
    share = np.float32(LEVEL / threshold) if threshold > 0 else np.float32(1.0)
    rest = np.float32((1 - LEVEL) / (1 - threshold)) if threshold < 1 else np.float32(1.0)
    values[:] = np.where(below, values * share, 1 - (1 - values) * rest)
    np.clip(values, 0, 1, out=values)
    values[:] = np.where(part, np.maximum(values, LEVEL + _CLEAR), np.minimum(values, LEVEL - _CLEAR))


def are_joined(values: NDArray[np.float32], face: int) -> NDArray[np.bool_]:
    """Whether the solid corners of an alternating face are joined: the mean of its corners is above the
    level.

    Parameters
    ----------
    values
        float32 `[node, corner]`: the eight samples around a node.
    face
        Number of the face, see `trabecula.surface.patches`.
    """
    corners = FACE_CORNERS[face]
    total = values[:, corners[0]].astype(np.float64)
    for corner in corners[1:]:
        total += values[:, corner]
    return np.asarray(total > 4 * LEVEL)


def find_pieces(
    samples: Samples, pairs: NDArray[np.int64], solid: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int32], NDArray[np.bool_], float]:
    """Connected pieces of material, and which of them are worth keeping.

    A piece is kept if it holds at least a hundredth as many cells as the largest, or a passive solid cell.

    Parameters
    ----------
    samples
        The padded cells.
    pairs
        int64 `[pair, 2]`: flat indices of cells that touch along an edge and are joined there.
    solid
        bool `[z, y, x]`, without the rim: passive solid.

    Returns
    -------
    labels
        int32 `[z, y, x]`: the piece of each cell, 0 for void.
    keep
        bool `[label]`.
    share
        Share of the material in pieces that are not kept.
    """
    labels, count = label(samples.inside)
    if len(pairs):
        number, merged = components(count + 1, labels.ravel()[pairs])
        # void (label 0) is its own component and the first one found, so it stays 0
        labels, count = number[labels], merged - 1
    size = np.bincount(labels.ravel(), minlength=count + 1)
    size[0] = 0
    keep: NDArray[np.bool_] = np.asarray(size >= _SMALL_PIECE * size.max(initial=0))
    if solid is not None:
        keep[labels[1:-1, 1:-1, 1:-1][solid]] = True
    keep[0] = False
    return labels, keep, float(size[~keep].sum() / max(1, size.sum()))
