"""The same problem on a coarser grid of the same box, made from the fine arrays: any ratio, axis by axis.

Loads go over by the transpose of linear interpolation, which keeps every case's resultant and moment; a held
degree of freedom goes to the nearest coarse node; bounds of the density become averages over the coarse
voxel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.load_shares import bounding_box, nodes_of
from trabecula.discretisation.rigid_motions import loose

Floats = NDArray[np.float64]
_TIE = 1e-9
_LEAST_LOAD = 0.5  # of the sum of its sizes: the forces of a couple may meet in one coarse node


def coarsen(discrete: DiscreteProblem, elements: tuple[int, ...]) -> DiscreteProblem:
    """Build the problem on a coarser grid of the same box.

    A coarse voxel that is less than half inside the domain becomes passive void, unless load reaches it
    through what is left of the domain in it. The filter radius stays the fine grid's, in metres.

    Parameters
    ----------
    discrete
        The problem on the fine grid.
    elements
        Coarse voxels along x, y(, z); at most the fine ones, in any ratio.

    Raises
    ------
    ValueError
        If the coarse grid cannot show the problem: it loses a load, a support, or the way between them, or
        passive solid takes more than the volume.
    """
    fine = discrete.voxels
    if len(elements) != fine.dimension or any(
        not 1 <= c <= f for c, f in zip(elements, fine.elements, strict=True)
    ):
        raise ValueError(f"cannot coarsen {fine.elements} elements to {elements}")
    size = tuple(h * n for h, n in zip(fine.spacing, fine.elements, strict=True))
    spacing = tuple(s / n for s, n in zip(size, elements, strict=True))
    grid = Grid(tuple(elements), spacing, fine.thickness, fine.origin)

    average, linear = _matrices(fine, grid, _overlap), _matrices(fine, grid, _interpolation)
    lower, upper = _along_all(average, discrete.lower), _along_all(average, discrete.upper)
    lower, upper = _rounded(lower), _rounded(upper)
    loaded = np.asarray((discrete.loads != 0).any(axis=(0, 1)) & nodes_of(~discrete.void))
    carries = _along_all(_matrices(fine, grid, _contact), loaded.astype(np.float64)) > 0
    keep = np.asarray((upper >= 0.5 - _TIE) | ((upper > 0) & carries))
    lower, upper = np.where(keep, lower, 0.0), np.where(keep, upper, 0.0)
    lower = np.minimum(lower, upper)

    nearest = _matrices(fine, grid, _nearest)
    fixed = np.stack([_along_all(nearest, held.astype(np.float64)) > 0 for held in discrete.fixed])
    fixed &= nodes_of(keep)
    loads = np.stack([[_along_all(linear, part) for part in case] for case in discrete.loads])
    loads[:, fixed] = 0.0

    coarse = replace(
        discrete,
        grid=grid,
        fixed=fixed,
        loads=loads,
        lower=lower,
        upper=upper,
        options=replace(discrete.options, filter=replace(discrete.options.filter, radius=discrete.radius)),
    )
    _check(discrete, coarse)
    return coarse


def _check(fine: DiscreteProblem, coarse: DiscreteProblem) -> None:
    before = np.abs(fine.loads).reshape(len(fine.loads), -1).sum(axis=1)
    after = np.abs(coarse.loads).reshape(len(fine.loads), -1).sum(axis=1)
    lost = np.flatnonzero((after < _LEAST_LOAD * before) | ((before > 0) & (after == 0)))
    if lost.size:
        raise ValueError(f"a grid of {coarse.grid.elements} elements loses the load of case {int(lost[0])}")
    volume = fine.goal.volume
    if volume is not None and coarse.total(coarse.lower) > volume * coarse.domain_volume:
        raise ValueError(
            f"on a grid of {coarse.grid.elements} elements passive solid takes more than the volume"
        )
    pieces = [piece for piece in loose(coarse) if piece.loaded]
    if pieces:
        raise ValueError(f"on a grid of {coarse.grid.elements} elements the part {pieces[0].motions[0]}")


def _matrices(fine: Grid, coarse: Grid, kind: Callable[[int, int], Floats]) -> list[Floats]:
    """One matrix per axis, in array order (z, y, x)."""
    pairs = list(zip(fine.elements, coarse.elements, strict=True))
    return [kind(f, c) for f, c in reversed(pairs)]


def _along_all(matrices: list[Floats], values: Floats) -> Floats:
    """Apply a matrix `[coarse, fine]` along every axis; the one that shrinks most first.

    Loads and supports fill a sliver of the grid: only the box around what is not zero is worked on.
    """
    box = bounding_box(values != 0)
    if box is None:
        return np.zeros(tuple(len(matrix) for matrix in matrices))
    values = values[box]
    matrices = [matrix[:, part] for matrix, part in zip(matrices, box, strict=True)]
    for axis in sorted(range(values.ndim), key=lambda a: matrices[a].shape[0] / matrices[a].shape[1]):
        values = np.moveaxis(np.tensordot(matrices[axis], values, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(values)


def _rounded(values: Floats) -> Floats:
    """Sums of shares with their rounding taken off, so that passive stays exactly 0 and 1."""
    values = np.where(values < _TIE, 0.0, values)
    return np.where(values > 1.0 - _TIE, 1.0, values)


# The four matrices below count lengths in whole units (a fine element is `coarse` of them, a coarse element
# is `fine`), so that ties are ties and what is symmetric stays so to the last bit.


def _overlap(fine: int, coarse: int) -> Floats:
    """Share of each fine element in each coarse one, `[coarse, fine]`; rows sum to one."""
    first, other = np.arange(coarse)[:, None] * fine, np.arange(fine)[None, :] * coarse
    common = np.minimum(first + fine, other + coarse) - np.maximum(first, other)
    return np.asarray(np.maximum(common, 0) / fine)


def _interpolation(fine: int, coarse: int) -> Floats:
    """Transposed linear interpolation from coarse to fine nodes, `[coarse, fine]`; columns sum to one."""
    return np.asarray(np.maximum(fine - _distance(fine, coarse), 0) / fine)


def _nearest(fine: int, coarse: int) -> Floats:
    """Coarse nodes nearest to fine ones, `[coarse, fine]` of 0 and 1.

    A tie goes to the node nearer to the middle, and in the very middle to both.
    """
    distance = _distance(fine, coarse)
    near = distance == distance.min(axis=0)
    outside = np.broadcast_to(np.abs(2 * np.arange(coarse + 1) - coarse)[:, None], near.shape)
    best = np.where(near, outside, coarse + 1).min(axis=0)
    return np.asarray(near & (outside == best), dtype=np.float64)


def _contact(fine: int, coarse: int) -> Floats:
    """Whether a fine node lies in a coarse element or on its surface, `[coarse, fine]` of 0 and 1."""
    place, first = np.arange(fine + 1)[None, :] * coarse, np.arange(coarse)[:, None] * fine
    return np.asarray((place >= first) & (place <= first + fine), dtype=np.float64)


def _distance(fine: int, coarse: int) -> NDArray[np.int64]:
    """Between every coarse and every fine node, int `[coarse, fine]`."""
    return np.asarray(np.abs(np.arange(coarse + 1)[:, None] * fine - np.arange(fine + 1)[None, :] * coarse))
