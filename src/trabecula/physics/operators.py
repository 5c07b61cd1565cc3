"""Strains and stresses at the centres of elements, and mass: what responses are made of besides energies.

Every operator is linear, gives its transpose beside itself, and stores no matrix. Strains are the
derivatives of the multilinear shape functions at an element's centre, where they are most exact (Barlow 1976,
"Optimal stress locations in finite element models"). Conduction has the gradient of the temperature for a
strain and D times it for a stress; the heat flux is minus that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.nodes import to_elements, to_nodes
from trabecula.physics.constitutive import Rows, constitutive, strain_rows
from trabecula.problem.model import Material
from trabecula.problem.physics import ELASTICITY, Physics

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StrainOperator:
    """From nodal states to strains and stresses of solid material at the centres of elements.

    Attributes
    ----------
    grid
        The elements.
    rows
        Which derivatives each strain is the sum of (`constitutive.Rows`).
    matrix
        float64 `[strain, strain]`: the constitutive matrix D of the solid, Pa (W/(m K)).

    Examples
    --------
    >>> pulled = StrainOperator.on(Grid((1, 1), (2.0, 1.0)), Material(young=10.0, poisson=0.0))
    >>> u = np.zeros((2, 2, 2))
    >>> u[0, :, 1] = 0.2  # m, at x = 2 m
    >>> pulled.stress(pulled.strain(u))[:, 0, 0].tolist()
    [1.0, 0.0, 0.0]
    """

    grid: Grid
    rows: Rows
    matrix: Array

    @classmethod
    def on(cls, grid: Grid, material: Material, physics: Physics = ELASTICITY) -> StrainOperator:
        """The operator of a grid, a material and one of the package's physics.

        Raises
        ------
        ValueError
            If the physics brings its own element matrix: give `rows` and `matrix` yourself.
        """
        dimension = grid.dimension
        matrix = constitutive(physics, material, dimension)
        return cls(grid, strain_rows(physics, dimension), matrix)

    @classmethod
    def of(cls, discrete: DiscreteProblem) -> StrainOperator:
        """The operator of a problem on its grid; raises as `on`."""
        return cls.on(discrete.voxels, discrete.material, discrete.physics)

    def strain(self, u: Array) -> Array:
        """Strains of nodal displacements (or the gradient of temperatures).

        Parameters
        ----------
        u
            float64 `[component, z, y, x]` over nodes, m (K).

        Returns
        -------
        Array
            float64 `[strain, z, y, x]` over elements: xx, yy, xy; in 3-D xx, yy, zz, yz, xz, xy, shears as
            engineers count them (K/m along x, y(, z)).
        """
        found = np.zeros((len(self.rows), *self.grid.shape))
        for k, row in enumerate(self.rows):
            for component, axis in row:
                found[k] += self._derivative(u[component], axis)
        return found

    def strain_transpose(self, s: Array) -> Array:
        """The transpose of `strain`: `sum(s * strain(u)) == sum(strain_transpose(s) * u)` for every `u`.

        Parameters
        ----------
        s
            float64 `[strain, z, y, x]` over elements.

        Returns
        -------
        Array
            float64 `[component, z, y, x]` over nodes.
        """
        components = 1 + max(component for row in self.rows for component, _ in row)
        found = np.zeros((components, *self.grid.node_shape))
        for strain, row in zip(s, self.rows, strict=True):
            for component, axis in row:
                found[component] += self._derivative_transpose(strain, axis)
        return found

    def stress(self, strain: Array) -> Array:
        """Stresses of the solid material, D strain: float64 `[strain, z, y, x]`, Pa (W/m2).

        D is symmetric, so the transpose of this map is itself.
        """
        return np.asarray(np.tensordot(self.matrix, strain, axes=1))

    def flux(self, u: Array) -> Array:
        """Flux of heat from temperatures `[1, z, y, x]` over nodes: `-D grad T`, `[axis, z, y, x]`, W/m2."""
        return np.negative(self.stress(self.strain(u)))

    def _derivative(self, nodes: Array, axis: int) -> Array:
        """Derivative along x (0), y or z at the centres: mean of the differences along parallel edges."""
        place = nodes.ndim - 1 - axis
        return to_elements(_difference(nodes, place), skip=place) * self._factor(axis)

    def _derivative_transpose(self, elements: Array, axis: int) -> Array:
        place = elements.ndim - 1 - axis
        return _difference_transpose(to_nodes(elements, skip=place), place) * self._factor(axis)

    def _factor(self, axis: int) -> float:
        return float(0.5 ** (self.grid.dimension - 1) / self.grid.spacing[axis])


def von_mises(stress: Array) -> Array:
    """Von Mises stress: plane stress of three components, or a solid's of six.

    Parameters
    ----------
    stress
        float64 `[component, z, y, x]`: xx, yy, xy, or xx, yy, zz, yz, xz, xy; Pa.

    Returns
    -------
    Array
        float64 `[z, y, x]`, Pa.

    Examples
    --------
    >>> von_mises(np.array([3.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    np.float64(3.0)
    """
    form = _quadratic_form(len(stress))
    return np.asarray(np.sqrt(np.maximum(np.einsum("i...,ij,j...->...", stress, form, stress), 0.0)))[()]


def von_mises_derivative(stress: Array) -> Array:
    """Derivative of `von_mises` with respect to the stresses, in their shape; zero where there is none."""
    value = von_mises(stress)
    turned = np.tensordot(_quadratic_form(len(stress)), stress, axes=1)
    return np.asarray(np.divide(turned, value, out=np.zeros_like(turned), where=value > 0.0))


def _quadratic_form(components: int) -> Array:
    """The matrix V of `von_mises(s)^2 = s V s`."""
    if components not in (3, 6):
        raise ValueError(f"a stress has 3 components in the plane and 6 in a solid, not {components}")
    normal = 2 if components == 3 else 3
    form = np.diag([1.0] * normal + [3.0] * (components - normal))
    form[:normal, :normal] += -0.5 * (1.0 - np.eye(normal))
    return form


@dataclass(frozen=True)
class MassOperator:
    """Mass of a density field, applied to nodal vectors; `u_e M0 v_e` of every element.

    Attributes
    ----------
    grid
        The elements.
    density
        Of the solid material, kg/m3.
    kind
        "consistent" (the same shape functions as the stiffness), or "lumped" (an element's mass shared
        equally by its nodes; a diagonal matrix).

    Source: Bathe 2014, section 4.2.4.
    """

    grid: Grid
    density: float
    kind: Literal["consistent", "lumped"] = "consistent"

    def __post_init__(self) -> None:
        if self.kind not in ("consistent", "lumped"):
            raise ValueError(f"mass is {self.kind!r}; it can be 'consistent' or 'lumped'")

    @classmethod
    def of(
        cls, discrete: DiscreteProblem, kind: Literal["consistent", "lumped"] = "consistent"
    ) -> MassOperator:
        """The mass operator of a problem on its grid."""
        return cls(discrete.voxels, discrete.material.density, kind)

    @property
    def element(self) -> Array:
        """The mass matrix of one component of a solid element, float64 `[node, node]`, kg."""
        total, nodes = self.density * self.grid.element_volume, 2**self.grid.dimension
        if self.kind == "lumped":
            return np.asarray(total / nodes * np.eye(nodes))
        matrix: Array = np.ones((1, 1))
        for _ in range(self.grid.dimension):
            matrix = np.asarray(np.kron(np.array([[2.0, 1.0], [1.0, 2.0]]) / 6.0, matrix), np.float64)
        return np.asarray(total * matrix)

    def apply(self, physical: Array, u: Array) -> Array:
        """M u for the masses of a density field.

        Parameters
        ----------
        physical
            float64 `[z, y, x]` over elements: shares of the solid's density.
        u
            float64 `[component, z, y, x]` over nodes.

        Returns
        -------
        Array
            float64 `[component, z, y, x]` over nodes, kg times the unit of `u`. Rows of held degrees of
            freedom are not set to zero.
        """
        matrix, found = self.element, np.zeros(u.shape)
        for component, values in enumerate(u):
            local = np.tensordot(matrix, self._gather(values), axes=1) * physical
            for a, window in enumerate(self._windows()):
                found[component][window] += local[a]
        return found

    def bilinear(self, u: Array, v: Array) -> Array:
        """`u_e M0 v_e` of every element of solid material, float64 `[z, y, x]`; symmetric in `u` and `v`.

        Both are float64 `[component, z, y, x]` over nodes; in kg times both units.
        """
        matrix, found = self.element, np.zeros(self.grid.shape)
        for left, right in zip(u, v, strict=True):
            turned = np.tensordot(matrix, self._gather(right), axes=1)
            found += np.einsum("n...,n...->...", self._gather(left), turned)
        return found

    def _windows(self) -> list[tuple[slice, ...]]:
        """Where a node array holds the corners of all elements, in the order of the element matrix."""
        shape, dimension = self.grid.shape, self.grid.dimension
        corners = [tuple((a >> axis) & 1 for axis in reversed(range(dimension))) for a in range(2**dimension)]
        return [tuple(slice(b, b + n) for b, n in zip(c, shape, strict=True)) for c in corners]

    def _gather(self, values: Array) -> Array:
        return np.stack([values[window] for window in self._windows()])


def _difference(values: Array, place: int) -> Array:
    return np.diff(values, axis=place)


def _difference_transpose(values: Array, place: int) -> Array:
    """From differences along an axis back to what they are of."""
    wide = [(int(axis == place),) * 2 for axis in range(values.ndim)]
    return -np.diff(np.pad(values, wide), axis=place)
