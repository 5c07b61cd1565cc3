"""Own weight: the load of the material that is there, and its transpose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem

Array = NDArray[np.float64]


def body_force(discrete: DiscreteProblem, physical: Array, case: int) -> Array:
    """Own weight of a design in a load case.

    Every voxel's `physical * density * volume * gravity` is shared equally by its nodes; zero on held degrees
    of freedom, as all loads are.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    physical
        Physical densities `[z, y, x]`.
    case
        Index of the load case.

    Returns
    -------
    load
        float64 `[component, z, y, x]` over nodes in N.
    """
    load = np.zeros(discrete.fixed.shape)
    gravity = discrete.gravity[case]
    if not np.any(gravity):
        return load
    mass = discrete.grid.to_nodes(physical)
    mass *= _node_mass(discrete)
    for component in np.flatnonzero(gravity):
        np.multiply(mass, gravity[component], out=load[component])
    load[discrete.fixed] = 0.0
    return load


def body_force_adjoint(discrete: DiscreteProblem, u: Array, case: int) -> Array:
    """`u . d(body_force)/d(physical)`, `[z, y, x]` in J, for `u` `[component, z, y, x]` over nodes in m."""
    gravity = discrete.gravity[case]
    nodal = np.zeros(discrete.grid.node_shape)
    for component in np.flatnonzero(gravity):
        nodal += np.where(discrete.fixed[component], 0.0, gravity[component] * u[component])
    elements = discrete.grid.to_elements(nodal)
    elements *= _node_mass(discrete)
    return elements


def _node_mass(discrete: DiscreteProblem) -> float:
    """Mass in kg that a full element gives to each of its nodes."""
    return float(discrete.material.density * discrete.grid.node_share)
