"""Loads that are given as arrays of nodal forces, as loads of a problem: they can be saved as any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.problem.model import Domain, Load
from trabecula.problem.where import Nodes

Array = NDArray[np.float64]

MAX_POINTS, MAX_LOADS = 10_000, 1000
"""Points of a selector, and loads of a case, that a problem file may hold."""


def nodal_loads(domain: Domain, forces: ArrayLike) -> tuple[Load, ...]:
    """The loads that put given forces on the nodes of a domain's grid.

    Nodes with the same force share a load, but no two neighbours do: what is selected is then a set of
    points, over which a total is spread equally. A problem file holds 1000 loads a case, so at most some 500
    forces may differ.

    Parameters
    ----------
    domain
        The box and its grid.
    forces
        Real `[component, z, y, x]` over nodes (in the plane `[component, y, x]`), components x, y(, z), in N;
        for heat `[1, z, y, x]` in W. The grid has one node more than elements along every axis.

    Raises
    ------
    ValueError
        If the array has another shape, holds what is no finite number or nothing but zeros, or holds too many
        forces that differ.

    Examples
    --------
    >>> forces = np.zeros((2, 2, 3))
    >>> forces[1, -1] = [-1.0, -2.0, -1.0]  # N downwards along the upper edge
    >>> loads = nodal_loads(Domain((2.0, 1.0), (2, 1)), forces)
    >>> [(load.force, load.where.points) for load in loads]
    [((0.0, -2.0), ((1.0, 1.0),)), ((0.0, -2.0), ((0.0, 1.0), (2.0, 1.0)))]
    """
    given = _check(domain, forces)
    places = np.argwhere((given != 0.0).any(axis=0))
    values = given[(slice(None), *places.T)].T
    keys = np.column_stack([values, places.sum(axis=1) % 2])
    groups, group_of = np.unique(keys, axis=0, return_inverse=True)
    found = []
    for k, key in enumerate(groups):
        members = places[group_of.ravel() == k]
        for first in range(0, len(members), MAX_POINTS):
            chosen = members[first : first + MAX_POINTS]
            found.append(_load(domain, chosen, key[:-1] * len(chosen)))
    if len(found) > MAX_LOADS:
        raise ValueError(
            f"forces need {len(found)} loads, because so many of them differ; a load case has at most "
            f"{MAX_LOADS}: round the forces, or spread them over several load cases"
        )
    return tuple(found)


def _check(domain: Domain, forces: ArrayLike) -> Array:
    given = np.asarray(forces)
    nodes = tuple(n + 1 for n in reversed(domain.elements))
    components = (1, domain.dimension)
    if given.dtype.kind not in "fiu":
        raise ValueError(f"forces hold {given.dtype}; they need real numbers in N")
    if given.ndim != len(nodes) + 1 or given.shape[1:] != nodes or given.shape[0] not in components:
        raise ValueError(
            f"forces have shape {given.shape}; the grid's nodes need {(domain.dimension, *nodes)}, and for "
            f"heat {(1, *nodes)}"
        )
    if not np.isfinite(given).all():
        raise ValueError("forces hold values that are no finite numbers; they need finite ones, in N")
    if not given.any():
        raise ValueError("forces are zero everywhere; at least one node needs a force")
    return given.astype(np.float64)


def _load(domain: Domain, members: NDArray[np.int64], total: Array) -> Load:
    """A total that is spread equally over nodes, given by their places `[node, (z, y, x)]`."""
    points = members[:, ::-1] * np.array(domain.spacing) + np.array(domain.low)
    where = Nodes(tuple(tuple(map(float, point)) for point in points))
    if len(total) == 1:
        return Load(where, heat=float(total[0]))
    return Load(where, force=tuple(map(float, total)))
