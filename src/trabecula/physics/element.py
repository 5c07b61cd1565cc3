"""Element matrices of voxels: tensor products of exact 1-D integrals, and their mirror-symmetric form.

Node `n` of an element has bit 0 for x, bit 1 for y, bit 2 for z (0: towards the origin). Degree of freedom
`component * nodes + node`.

Source: Zienkiewicz, Taylor & Zhu, The Finite Element Method, ch. 4-6 (bilinear and trilinear elements); the
sum/difference transform is the Hadamard transform over the element's mirror images (docs/theory.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem.model import Material
from trabecula.problem.physics import Physics

Array = NDArray[np.float64]


def elasticity(spacing: tuple[float, ...], young: float, poisson: float, thickness: float = 1.0) -> Array:
    """Stiffness matrix of a box element, isotropic; plane stress for two spacings, solid for three.

    Parameters
    ----------
    spacing
        Edge lengths along x, y(, z) in metres.
    young, poisson
        Young's modulus in Pa and Poisson's ratio.
    thickness
        Out-of-plane thickness in metres, plane problems only.

    Returns
    -------
    float64 `[C * nodes, C * nodes]`, N/m.
    """
    d = len(spacing)
    lam, mu = lame(d, young, poisson)
    nodes = 2**d
    k = np.zeros((d, nodes, d, nodes))
    gradients = [[_product(spacing, a, b) for b in range(d)] for a in range(d)]
    laplacian = sum(gradients[a][a] for a in range(d))
    for a in range(d):
        for b in range(d):
            k[a, :, b, :] += lam * gradients[a][b] + mu * gradients[b][a]
        k[a, :, a, :] += mu * laplacian
    return np.asarray((thickness if d == 2 else 1.0) * k.reshape(d * nodes, d * nodes))


def conduction(spacing: tuple[float, ...], conductivity: float, thickness: float = 1.0) -> Array:
    """Conductivity matrix of a box element, W/K, float64 `[nodes, nodes]`."""
    d = len(spacing)
    k = sum(_product(spacing, a, a) for a in range(d))
    return np.asarray(conductivity * (thickness if d == 2 else 1.0) * k)


def of(problem: DiscreteProblem) -> Array:
    """The element matrix of a problem's voxels at full density.

    Raises
    ------
    ValueError
        If the physics is not one that the compiled core has the equations of.
    """
    grid, material = problem.voxels, problem.material
    return _equation(problem.physics).matrix(grid.spacing, material, grid.thickness)


def is_compiled(physics: Physics) -> bool:
    """Whether the compiled core has the equations of a physics: isotropic elasticity, or conduction.

    Its coarse grids know an element by two constants; an element matrix that a physics brings along says too
    little of that.
    """
    return physics.element_matrix is None and physics.name in _EQUATIONS


def _product(spacing: tuple[float, ...], a: int, b: int) -> Array:
    """Integral of dN_i/da dN_j/db over the box, `[node i, node j]`."""
    factors = []
    for axis, h in enumerate(spacing):
        mass = h / 6 * np.array([[2.0, 1.0], [1.0, 2.0]])
        stiff = 1 / h * np.array([[1.0, -1.0], [-1.0, 1.0]])
        mixed = 0.5 * np.array([[-1.0, -1.0], [1.0, 1.0]])  # [i, j]: integral of N_i' N_j
        if axis == a and axis == b:
            factors.append(stiff)
        elif axis == a:
            factors.append(mixed)
        elif axis == b:
            factors.append(mixed.T)
        else:
            factors.append(mass)
    product: Array = np.ones((1, 1))
    for factor in factors:  # x fastest
        product = np.asarray(np.kron(factor, product), dtype=np.float64)
    return product


def lame(dimension: int, young: float, poisson: float) -> tuple[float, float]:
    """Lame's constants lambda and mu in Pa; lambda is that of plane stress in two dimensions."""
    mu = young / (2 * (1 + poisson))
    if dimension == 2:
        return young * poisson / (1 - poisson**2), mu
    return young * poisson / ((1 + poisson) * (1 - 2 * poisson)), mu


def constants(problem: DiscreteProblem) -> tuple[float, float]:
    """The two constants of a problem's material, thickness included: Lame's, or 0 and the conductivity."""
    grid = problem.voxels
    thickness = grid.thickness if grid.dimension == 2 else 1.0
    first, second = _equation(problem.physics).constants(grid.dimension, problem.material)
    return first * thickness, second * thickness


def mirror_blocks(matrix: Array, dimension: int) -> Array:
    """The element matrix in the sum/difference basis of its mirror images: only diagonal blocks are left.

    Returns
    -------
    float64 `[block, C, C]`, component `c` of mode `m` in block `m ^ 2**c` (conduction: in block `m`).
    """
    nodes = 2**dimension
    components = matrix.shape[0] // nodes
    transform = np.kron(np.eye(components), _signs(nodes))
    transformed = transform @ matrix @ transform.T / nodes**2
    blocks = np.zeros((nodes, components, components))
    for p in range(nodes):
        rows = [c * nodes + mode(components, c, p) for c in range(components)]
        blocks[p] = transformed[np.ix_(rows, rows)]
    return blocks


def mode(components: int, component: int, block: int) -> int:
    """The mode of a component that belongs to a block."""
    return block if components == 1 else block ^ (1 << component)


def _signs(nodes: int) -> Array:
    return np.array([[(-1.0) ** (m & n).bit_count() for n in range(nodes)] for m in range(nodes)])


@dataclass(frozen=True)
class _Equation:
    """What the compiled core is given of a physics: its element matrix, and two constants of the material."""

    matrix: Callable[[tuple[float, ...], Material, float], Array]
    constants: Callable[[int, Material], tuple[float, float]]


_EQUATIONS = {
    "elasticity": _Equation(
        lambda spacing, m, thickness: elasticity(spacing, m.young, m.poisson, thickness),
        lambda dimension, m: lame(dimension, m.young, m.poisson),
    ),
    "conduction": _Equation(
        lambda spacing, m, thickness: conduction(spacing, m.conductivity, thickness),
        lambda dimension, m: (0.0, m.conductivity),
    ),
}


def _equation(physics: Physics) -> _Equation:
    if not is_compiled(physics):
        raise ValueError(
            f"the compiled core has no equations of the physics {physics.name!r}, only of "
            f"{' and '.join(_EQUATIONS)}; the assembled machine solves it"
        )
    return _EQUATIONS[physics.name]
