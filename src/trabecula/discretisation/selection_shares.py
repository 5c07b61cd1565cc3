"""Each node's share of a load's total, from what its selector says: by points, by rims of bores, by patches.

Wherever the geometry says what is meant, the shares have its centroid: between the ends of ranges, about the
middle of a disc on a face, about the axis of a bore.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.grid import Grid
from trabecula.discretisation.load_shares import Spread, nodes_of, share_total
from trabecula.discretisation.recentre import recentre
from trabecula.discretisation.rims import Rim, rim
from trabecula.problem.errors import ProblemError
from trabecula.problem.where import AnyOf, Box, Everywhere, Lattice, Mask, Nodes, Plane, Range, Where
from trabecula.problem.where_frame import see_from
from trabecula.problem.where_parts import Round, alternatives, round_part, true_middle

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class SelectionShares:
    """The shares of a selection.

    Attributes
    ----------
    shares
        float64 `[z, y, x]` over nodes, summing to one; all zero where nothing touches material.
    kind, narrow
        As `load_shares.Spread`.
    on_rim
        Whether all of it is spread over rims of bores.
    """

    shares: Floats
    kind: int
    narrow: float
    on_rim: bool = False


def share_selection(where: Where, grid: Grid, material: Mask, path: str) -> SelectionShares:
    """Spread a total over what a selector selects.

    Parameters
    ----------
    where
        The selector; it selects at least one node.
    grid
        The voxels.
    material
        bool `[z, y, x]` over elements that are not passive void.
    path
        The selector's key, for messages.

    Raises
    ------
    ProblemError
        If a part of it that was named by itself (in `any`, or as a point) selects no node, or nothing but
        passive void: nothing of the load would act there.
    """
    where, grid = see_from(where, grid.origin), replace(grid, origin=())
    selected, part = grid.select_nodes(where), nodes_of(material)
    named = [(one, _reachable(one, grid, part, f"{path}{place}")) for place, one in alternatives(where)]
    if isinstance(where, Nodes):
        points = _points(where, grid, part, path)
        if any(len(one) > 1 for one in points):
            return _by_points(points, selected.shape)
        named = [(where, np.concatenate(points))]
    rims = _rims(where, grid, material)
    if rims:
        total = sum(one.area for one in rims)
        shares = sum((one.shares * (one.area / total) for one in rims), np.zeros(selected.shape))
        return SelectionShares(shares, grid.dimension - 1, 0.0, on_rim=True)
    found = share_total(selected, material, grid.spacing)
    own = _left_out(found, named, material, grid)
    if own.any():
        found = share_total(selected, material, grid.spacing, own)
    middle = _middle(where, found.kind, selected, material, grid)
    shares = recentre(found.shares, middle, grid.spacing) if middle and found.shares.any() else found.shares
    return SelectionShares(shares, found.kind, found.narrow)


def _reachable(one: Where, grid: Grid, part: Mask, path: str) -> Indices:
    """Flat indices of the nodes of the domain that a named part selects."""
    chosen = grid.select_nodes(one)
    reachable = np.flatnonzero(chosen & part)
    if not len(reachable):
        raise _idle(path, bool(chosen.any()))
    return reachable


def _points(where: Nodes, grid: Grid, part: Mask, path: str) -> list[Indices]:
    """The same for every point."""
    lattice = Lattice(grid.elements, grid.spacing, nodes=True)
    numbers = np.arange(part.size).reshape(part.shape)
    found = []
    for i, point in enumerate(where.points):
        places = lattice.places_nearest(point)
        reachable = numbers[places][part[places]]
        if not len(reachable):
            place = f"{path}.nodes[{i}]" if len(where.points) > 1 else path
            raise _idle(place, bool(numbers[places].size))
        found.append(reachable)
    return found


def _idle(path: str, selects: bool) -> ProblemError:
    given = "selects only passive void" if selects else "selects no nodes"
    return ProblemError(
        path,
        f"{given}, so nothing of the load would act there",
        "needs nodes of the domain",
        "move the load or the void" if selects else "move it, or widen it to half an element",
    )


def _by_points(points: list[Indices], shape: tuple[int, ...]) -> SelectionShares:
    """An equal part for every point, shared equally where it lies midway between nodes."""
    shares = np.zeros(shape)
    for point in points:
        shares.flat[point] += 1.0 / (len(point) * len(points))
    return SelectionShares(shares, 0, 0.0)


def _rims(where: Where, grid: Grid, material: Mask) -> list[Rim]:
    """The rims that a selector consists of; none where any part of it is something else."""
    found = []
    for one in where.parts if isinstance(where, AnyOf) else (where,):
        part = round_part(one, grid.dimension)
        spread_over = None if part is None else rim(part, grid.select_nodes(one), material, grid)
        if spread_over is None:
            return []
        found.append(spread_over)
    return found


def _left_out(found: Spread, named: list[tuple[Where, Indices]], material: Mask, grid: Grid) -> Mask:
    """Nodes without a share of named parts that are of a lower kind than what carries: rows, points."""
    carries = (found.shares > 0).ravel()
    own = np.zeros(found.shares.shape, dtype=np.bool_)
    for one, nodes in named:
        if carries[nodes].all():
            continue
        if isinstance(one, Nodes) or _kind(nodes, material, grid) < found.kind:
            own.flat[nodes] = True
    return own


def _kind(nodes: Indices, material: Mask, grid: Grid) -> int:
    """Of what kind a named part is by itself."""
    alone = np.zeros(grid.node_shape, dtype=np.bool_)
    alone.flat[nodes] = True
    return share_total(alone, material, grid.spacing).kind


def _middle(where: Where, kind: int, selected: Mask, material: Mask, grid: Grid) -> dict[int, float]:
    """Where the centroid truly lies, by axis; only where nothing of what is selected falls on void."""
    size = tuple(n * h for n, h in zip(grid.elements, grid.spacing, strict=True))
    middle = true_middle(where, size)
    part = round_part(where, grid.dimension)
    if part is not None and kind < grid.dimension:
        middle = _middle_of_disc(part, size)
    if not middle:
        return {}
    if not material.all():
        whole = share_total(selected, np.ones_like(material), grid.spacing)
        if not np.array_equal(whole.shares, share_total(selected, material, grid.spacing).shares):
            return {}
    return middle


def _middle_of_disc(part: Round, size: tuple[float, ...]) -> dict[int, float]:
    """The middle of a disc or bar that lies in the domain with its whole width; empty where it does not."""
    snapped = {"xyz".index(one.axis) for one in part.others if isinstance(one, Plane)}
    across = set(range(len(size))) - {part.axis} - snapped
    if any(across & true_middle(one, size).keys() for one in part.others):
        return {}  # cut off, so that the middle is another one
    if any(not part.radius <= part.center[a] <= size[a] - part.radius for a in across):
        return {}
    if any(not isinstance(one, (Plane, Range, Box, Everywhere)) for one in part.others):
        return {}
    return {axis: part.center[axis] for axis in sorted(across)}
