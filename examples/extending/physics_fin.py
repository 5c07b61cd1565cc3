"""A physics of one's own: conduction in a plate that gives heat to the air all over (a cooling fin).

`k div grad T - h T = 0` with `h` in W/(m3 K): the element matrix of conduction plus `h` times a mass matrix.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import trabecula as tb
from trabecula.physics.quadrature import integrate
from trabecula.problem.physics import CONDUCTION

Array = NDArray[np.float64]

EXCHANGE = 8.0
"""Heat given to the air per volume and degree, W/(m3 K)."""


def fin(spacing: tuple[float, ...], material: tb.Material, thickness: float) -> Array:
    """The element matrix, float64 `[node, node]` in W/K; x runs quickest over the nodes."""
    dimension = len(spacing)
    gradient = tuple(((0, axis),) for axis in range(dimension))
    conduct = integrate(spacing, material.conductivity * np.eye(dimension), gradient, thickness)
    mass: Array = np.ones((1, 1))
    for edge in spacing:
        mass = np.kron(edge * np.array([[2.0, 1.0], [1.0, 2.0]]) / 6.0, mass)
    return np.asarray(conduct + EXCHANGE * thickness * mass)


FIN = replace(
    CONDUCTION,
    name="fin",
    free="nothing",  # no constant temperature is for nothing: a fin needs no support
    modulus=None,  # two constants have a part in it, so it is solved in SI units
    element_matrix=fin,
)

tb.PHYSICS.register(FIN.name, FIN, "conduction with heat given to the air all over")
