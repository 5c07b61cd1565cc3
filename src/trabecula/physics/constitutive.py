"""What a strain is made of, and which stress it meets: the equations of the package's own physics.

Plane stress has strains xx, yy, xy; a solid xx, yy, zz, yz, xz, xy, shears as engineers count them (twice the
tensor's). What conduction has in their place are the derivatives of the temperature along x, y(, z).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.model import Material
from trabecula.problem.physics import Physics

Array = NDArray[np.float64]

Rows = tuple[tuple[tuple[int, int], ...], ...]
"""For every strain the derivatives that it is the sum of, as pairs (component, axis); axis 0 is x."""


@dataclass(frozen=True)
class Law:
    """Strains by dimension, and the constitutive matrix of a material."""

    rows: Callable[[int], Rows]
    matrix: Callable[[Material, int], Array]


def constitutive(physics: Physics, material: Material, dimension: int) -> Array:
    """Return the matrix D from strains to stresses, float64 `[strain, strain]`, Pa (W/(m K)).

    Raises
    ------
    ValueError
        If the physics is not the package's own.
    """
    return _law(physics).matrix(material, dimension)


def strain_rows(physics: Physics, dimension: int) -> Rows:
    """Return the derivatives that each strain is the sum of.

    Raises
    ------
    ValueError
        If the physics is not the package's own.
    """
    return _law(physics).rows(dimension)


def elastic_rows(dimension: int) -> Rows:
    """Strains of a displacement: normal ones, then engineering shears."""
    shears = [(0, 1)] if dimension == 2 else [(1, 2), (0, 2), (0, 1)]
    return (
        *(((axis, axis),) for axis in range(dimension)),
        *(((first, second), (second, first)) for first, second in shears),
    )


def gradient_rows(dimension: int) -> Rows:
    """The gradient of a state of one component."""
    return tuple(((0, axis),) for axis in range(dimension))


def _elastic_matrix(material: Material, dimension: int) -> Array:
    """Plane stress (3x3), or a solid (6x6)."""
    young, nu = material.young, material.poisson
    if dimension == 2:
        stiff = np.array([[1, nu, 0], [nu, 1, 0], [0, 0, (1 - nu) / 2]])
        return np.asarray(young / (1 - nu**2) * stiff)
    lame, shear = young * nu / ((1 + nu) * (1 - 2 * nu)), young / (2 * (1 + nu))
    matrix = np.diag([2 * shear] * 3 + [shear] * 3)
    matrix[:3, :3] += lame
    return matrix


def _conductive_matrix(material: Material, dimension: int) -> Array:
    return np.asarray(material.conductivity * np.eye(dimension))


_LAWS = {
    "elasticity": Law(elastic_rows, _elastic_matrix),
    "conduction": Law(gradient_rows, _conductive_matrix),
}


def _law(physics: Physics) -> Law:
    if physics.element_matrix is not None or physics.name not in _LAWS:
        raise ValueError(
            f"the physics {physics.name!r} brings an element matrix and no constitutive law; "
            f"there is one for {' and '.join(_LAWS)}"
        )
    return _LAWS[physics.name]
