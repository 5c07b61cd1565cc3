"""Element matrices of voxels: tensor products of exact one-dimensional integrals, and their mirror-symmetric form.

Node `n` of an element has bit 0 for x, bit 1 for y, bit 2 for z (0: towards the origin). Degree of freedom
`component * nodes + node`.

Source: Zienkiewicz, Taylor & Zhu, The Finite Element Method, ch. 4-6 (bilinear and trilinear elements); the
sum/difference transform is the Hadamard transform over the element's mirror images (docs/theory.md).
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


from trabecula.problem.discrete import DiscreteProblem, Grid
from trabecula.problem.model import Material

Array = NDArray[np.float64]


class MirrorForm(NamedTuple):
    """An element matrix in the sum/difference basis, as the kernels take it.

    Attributes
    ----------
    fine
        float64 `[block, C, C]`: the diagonal blocks of one element, component `c` of mode `m` in block `m ^ 2**c`.
    coarse
        float64 `[t, block, C, C]`: Galerkin matrix of the element made of `2**D` children; the coefficient `t` of the
        Hadamard transform of the children's stiffness couples block `p` to block `p ^ t`.
    """

    fine: Array
    coarse: Array


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
    mu = young / (2 * (1 + poisson))
    if d == 2:
        lam = young * poisson / (1 - poisson**2)
        factor = thickness
    else:
        lam = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
        factor = 1.0
    nodes = 2**d
    k = np.zeros((d, nodes, d, nodes))
    gradients = [[_product(spacing, a, b) for b in range(d)] for a in range(d)]
    laplacian = sum(gradients[a][a] for a in range(d))
    for a in range(d):
        for b in range(d):
            k[a, :, b, :] += lam * gradients[a][b] + mu * gradients[b][a]
        k[a, :, a, :] += mu * laplacian
    return np.asarray(factor * k.reshape(d * nodes, d * nodes))


def conduction(spacing: tuple[float, ...], conductivity: float, thickness: float = 1.0) -> Array:
    """Conductivity matrix of a box element, W/K, float64 `[nodes, nodes]`."""
    d = len(spacing)
    k = sum(_product(spacing, a, a) for a in range(d))
    return np.asarray(conductivity * (thickness if d == 2 else 1.0) * k)


def element_matrix(grid: Grid, material: Material, heat: bool) -> Array:
    """The element matrix of a grid's voxels at full density."""
    if heat:
        return conduction(grid.spacing, material.conductivity, grid.thickness)
    return elasticity(grid.spacing, material.young, material.poisson, grid.thickness)


def of(problem: DiscreteProblem) -> Array:
    """The element matrix of a problem's voxels at full density."""
    return element_matrix(problem.grid, problem.material, problem.heat)


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
    return reduce(lambda low, high: np.kron(high, low), factors)


def interpolation(dimension: int, components: int, scale: tuple[int, ...], child: tuple[int, ...]) -> Array:
    """Values at a child's nodes from those of a coarse element that has `scale` children along each axis.

    Returns float64 `[C * nodes, C * nodes]` (fine, coarse).
    """
    factors = []
    for axis in range(dimension):
        x = np.array([child[axis], child[axis] + 1]) / scale[axis]
        factors.append(np.stack([1 - x, x], axis=1))
    nodal = reduce(lambda low, high: np.kron(high, low), factors)
    return np.asarray(np.kron(np.eye(components), nodal))


def galerkin_children(matrix: Array, dimension: int, scale: tuple[int, ...]) -> Array:
    """What each child adds to a coarse element: float64 `[child, C * nodes, C * nodes]`, x fastest."""
    components = matrix.shape[0] // 2**dimension
    out = []
    for index in np.ndindex(*scale[::-1]):
        q = interpolation(dimension, components, scale, index[::-1])
        out.append(q.T @ matrix @ q)
    return np.stack(out)


def mirror_form(matrix: Array, dimension: int) -> MirrorForm:
    """The sum/difference form of an element matrix and of the coarse element made of its copies."""
    nodes = 2**dimension
    components = matrix.shape[0] // nodes
    signs = _signs(nodes)
    transform = np.kron(np.eye(components), signs)
    fine_all = transform @ matrix @ transform.T / nodes**2
    children = galerkin_children(matrix, dimension, (2,) * dimension)
    fine = np.zeros((nodes, components, components))
    coarse = np.zeros((nodes, nodes, components, components))
    rows = [[c * nodes + mode(components, c, p) for c in range(components)] for p in range(nodes)]
    for p in range(nodes):
        fine[p] = fine_all[np.ix_(rows[p], rows[p])]
    for t in range(nodes):
        combined = np.tensordot(signs[t], children, axes=1) / nodes
        all_ = transform @ combined @ transform.T / nodes**2
        for p in range(nodes):
            coarse[t, p] = all_[np.ix_(rows[p], rows[p ^ t])]
    return MirrorForm(fine, coarse)


def mode(components: int, component: int, block: int) -> int:
    """The mode of a component that belongs to a block."""
    return block if components == 1 else block ^ (1 << component)


def _signs(nodes: int) -> Array:
    return np.array([[(-1.0) ** (m & n).bit_count() for n in range(nodes)] for m in range(nodes)])
