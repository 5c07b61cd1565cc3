"""Element matrices by Gauss quadrature of B' D B: simple, slow, and apart from what the compiled core uses.

Node `n` of an element has bit 0 for x, bit 1 for y, bit 2 for z (0: towards the origin). Degree of freedom
`component * nodes + node`.

Source: Bathe, Finite Element Procedures (2014), sections 5.3 and 5.5 (isoparametric elements, quadrature).
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.grid import Grid
from trabecula.physics.constitutive import Rows, constitutive, strain_rows
from trabecula.problem.model import Material
from trabecula.problem.physics import ELASTICITY, Physics

Array = NDArray[np.float64]


def element_matrix(grid: Grid, material: Material, physics: Physics = ELASTICITY) -> Array:
    """Return the stiffness of one solid voxel.

    Parameters
    ----------
    grid
        Gives the edges in metres and, in 2-D, the thickness.
    material
        Isotropic, SI units.
    physics
        One that is not the package's own brings its element matrix along.

    Returns
    -------
    Array
        float64 `[dof, dof]`, N/m (W/K).

    Raises
    ------
    ValueError
        If what the physics brings is no element matrix of this grid.
    """
    thickness = grid.thickness if grid.dimension == 2 else 1.0
    if physics.element_matrix is not None:
        return _checked(physics, physics.element_matrix(grid.spacing, material, thickness), grid.dimension)
    matrix, rows = constitutive(physics, material, grid.dimension), strain_rows(physics, grid.dimension)
    return integrate(grid.spacing, matrix, rows, thickness)


def integrate(spacing: tuple[float, ...], matrix: Array, rows: Rows, thickness: float = 1.0) -> Array:
    """Integrate B' D B over a box by two Gauss points per axis, which is exact.

    Parameters
    ----------
    spacing
        Edge lengths along x, y(, z) in metres.
    matrix
        float64 `[strain, strain]`: the constitutive matrix D.
    rows
        Which derivatives a strain is the sum of; see `Rows`.
    thickness
        Out-of-plane thickness in metres, plane problems only.

    Returns
    -------
    Array
        float64 `[dof, dof]`, symmetric.
    """
    dimension, edges = len(spacing), np.array(spacing)
    nodes = np.array([[(a >> axis) & 1 for axis in range(dimension)] for a in range(2**dimension)])
    weight = float(np.prod(edges)) * (thickness if dimension == 2 else 1.0) / 2**dimension
    total: Array | float = 0.0
    for signs in product((-1, 1), repeat=dimension):
        point = 0.5 + np.array(signs) / (2 * np.sqrt(3))
        strain = _strain(_gradients(nodes, point) / edges, rows)
        total = total + weight * strain.T @ matrix @ strain
    total = np.asarray(total)
    return np.asarray((total + total.T) / 2)


def _checked(physics: Physics, matrix: object, dimension: int) -> Array:
    """The element matrix that a physics brings along, if it is one."""
    size = physics.count(dimension) * 2**dimension
    found = np.asarray(matrix, dtype=np.float64)
    if found.shape != (size, size) or not np.isfinite(found).all():
        raise ValueError(
            f"the element matrix of the physics {physics.name!r} has shape {found.shape}; "
            f"it needs finite numbers of shape {(size, size)}: component * nodes + node, both ways"
        )
    largest = float(np.abs(found).max())
    if np.abs(found - found.T).max() > 1e-12 * largest or np.linalg.eigvalsh(found)[0] < -1e-12 * largest:
        raise ValueError(
            f"the element matrix of the physics {physics.name!r} is not symmetric or not positive "
            "semi-definite; only such state equations are solved"
        )
    return np.asarray((found + found.T) / 2)


def _gradients(nodes: NDArray[np.int_], point: Array) -> Array:
    """Derivatives `[node, axis]` of the multilinear shape functions on the unit cube."""
    factors = np.where(nodes == 1, point, 1 - point)
    slopes = np.where(nodes == 1, 1.0, -1.0)
    gradients = np.empty(nodes.shape)
    for axis in range(nodes.shape[1]):
        gradients[:, axis] = slopes[:, axis] * np.prod(np.delete(factors, axis, axis=1), axis=1)
    return gradients


def _strain(gradients: Array, rows: Rows) -> Array:
    """B `[strain, dof]` from the derivatives `[node, axis]` of one element's shape functions."""
    components = 1 + max(component for row in rows for component, _ in row)
    matrix = np.zeros((len(rows), components, len(gradients)))
    for strain, row in enumerate(rows):
        for component, axis in row:
            matrix[strain, component] += gradients[:, axis]
    return matrix.reshape(len(rows), -1)
