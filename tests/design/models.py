"""Small discrete problems, and dense finite elements that share no code with the product."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.physics import Guess, Solve, State
from trabecula.problem.model import Goal, Material, Options
from trabecula.problem.physics import CONDUCTION, ELASTICITY

Array = NDArray[np.float64]

PLANE, SOLID = (7, 5), (4, 3, 3)


def discrete(
    elements: tuple[int, ...] = PLANE,
    *,
    spacing: tuple[float, ...] | None = None,
    passive: bool = False,
    gravity: tuple[float, ...] | None = None,
    heat: bool = False,
    cases: int = 1,
    goal: Goal | None = None,
    options: Options | None = None,
) -> DiscreteProblem:
    """A block held at its left face; `passive` makes some lower left voxels void, upper right ones solid."""
    dimension = len(elements)
    spacing = spacing or (1.0, 0.5, 0.8)[:dimension]
    grid = Grid(elements, spacing, 0.3)
    lower, upper = np.zeros(grid.shape), np.ones(grid.shape)
    if passive:
        upper[..., :2, :2] = 0.0
        lower[..., -1, -2:] = 1.0
    components = 1 if heat else dimension
    fixed = np.zeros((components, *grid.node_shape), dtype=bool)
    fixed[..., 0] = True
    rng = np.random.default_rng(5)
    loads = rng.normal(size=(cases, components, *grid.node_shape))
    loads[:, fixed] = 0.0
    if passive:
        loads[..., :3, :3] = 0.0  # nothing pulls at the void
    pull = np.zeros((cases, dimension))
    if gravity is not None:
        pull[0] = gravity
    return DiscreteProblem(
        name="block",
        grid=grid,
        physics=CONDUCTION if heat else ELASTICITY,
        material=Material(young=2.0, poisson=0.3, density=3.0, conductivity=1.5),
        fixed=fixed,
        loads=loads,
        gravity=pull,
        weights=np.linspace(1.0, 0.4, cases),
        lower=lower,
        upper=upper,
        goal=goal or Goal(volume=0.4),
        options=options or Options(),
    )


def random_density(problem: DiscreteProblem, seed: int = 0) -> Array:
    """Densities inside the bounds and off them by a little, so that central differences stay inside."""
    span = problem.upper - problem.lower
    return problem.lower + span * np.random.default_rng(seed).uniform(0.05, 0.95, span.shape)


class DenseState:
    """A `State`: `K(x) u = f` with an element matrix by Gauss quadrature and a dense solve."""

    def __init__(self, problem: DiscreteProblem) -> None:
        self.problem = problem
        self.matrix = _element_matrix(problem)
        self.dofs = _element_dofs(problem)
        self.stiffness = np.zeros((problem.fixed.size,) * 2)

    def set_stiffness(self, relative: Array) -> None:
        """Assemble `K`."""
        self.stiffness[:] = 0.0
        for dofs, stiffness in zip(self.dofs, relative.reshape(-1), strict=True):
            self.stiffness[np.ix_(dofs, dofs)] += stiffness * self.matrix

    def solve(self, load: Array, start: Guess | None = None, tolerance: float = 1e-5) -> tuple[Array, Solve]:
        """`u` `[component, z, y, x]`, to rounding whatever is asked."""
        free = ~self.problem.fixed.reshape(-1)
        right, matrix = load.reshape(-1)[free], self.stiffness[np.ix_(free, free)]
        u = np.zeros(free.size)
        u[free] = np.linalg.solve(matrix, right)
        residual = float(np.linalg.norm(right - matrix @ u[free]) / np.linalg.norm(right))
        return u.reshape(self.problem.fixed.shape), Solve(0, residual, "direct")

    def apply(self, u: Array) -> Array:
        """`K u` over all nodes."""
        return np.asarray((self.stiffness @ u.reshape(-1)).reshape(u.shape))

    def bilinear(self, u: Array, v: Array) -> Array:
        """`u_e K0 v_e` of every element, `[z, y, x]`."""
        left, right = (w.reshape(-1)[self.dofs] for w in (u, v))
        products = np.einsum("ei,ij,ej->e", left, self.matrix, right)
        return np.asarray(products.reshape(self.problem.grid.shape))


STATE: type[State] = DenseState
"""It keeps the protocol, by the type checker's word."""


def _element_dofs(problem: DiscreteProblem) -> NDArray[np.int_]:
    shape, nodes = problem.grid.shape, problem.grid.node_shape
    count = int(np.prod(nodes))
    number = np.arange(count).reshape(nodes)
    corners = []
    for bits in itertools.product((0, 1), repeat=len(shape)):
        corners.append(number[tuple(slice(b, b + n) for b, n in zip(bits, shape, strict=True))].reshape(-1))
    by_corner = np.stack(corners, axis=1)
    return np.concatenate([c * count + by_corner for c in range(len(problem.fixed))], axis=1)


def _element_matrix(problem: DiscreteProblem) -> Array:
    """Corners in the order of `itertools.product` over `[z, y, x]` bits, component-major."""
    grid, material = problem.grid, problem.material
    d = grid.dimension
    corners = np.array(list(itertools.product((0, 1), repeat=d)))[:, ::-1]  # x, y, z
    h = np.array(grid.spacing)
    e, nu = material.young, material.poisson
    lame = e * nu / (1 - nu**2) if d == 2 else e * nu / ((1 + nu) * (1 - 2 * nu))
    shear = e / (2 * (1 + nu))
    k = np.zeros(())
    for point in itertools.product((0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3)), repeat=d):
        factors = np.where(corners == 1, point, 1 - np.array(point))
        gradients = np.empty((len(corners), d))
        for axis in range(d):
            others = np.delete(factors, axis, axis=1).prod(axis=1)
            gradients[:, axis] = np.where(corners[:, axis] == 1, 1.0, -1.0) / h[axis] * others
        if problem.physics == CONDUCTION:
            k = k + material.conductivity * gradients @ gradients.T
            continue
        # sigma : eps = lame tr(eps)^2 + 2 mu eps : eps, tested with every pair of (component, corner).
        divergence = gradients.T.reshape(-1)
        block = lame * np.outer(divergence, divergence)
        inner = gradients @ gradients.T
        n = len(corners)
        for a in range(d):
            for b in range(d):
                part = shear * np.outer(gradients[:, b], gradients[:, a])
                block[a * n : (a + 1) * n, b * n : (b + 1) * n] += part + (shear * inner if a == b else 0.0)
        k = k + block
    return np.asarray(k * grid.element_volume / 2**d)


def directional(function: Callable[[Array], float], x: Array, direction: Array, step: float = 1e-5) -> float:
    """Central difference of a scalar function along a direction."""
    return float((function(x + step * direction) - function(x - step * direction)) / (2.0 * step))
