"""A second, slow and simple way to the state: element matrices by Gauss quadrature, SciPy's sparse solvers.

Nothing here uses the compiled core, so that a fault in the fast kernels cannot confirm itself: the
certificate recomputes residuals, energies and bounds with this path.  Small problems are factorised, larger
ones solved by conjugate gradients; residuals and energies are evaluated slab by slab and fit any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid
from trabecula.numerics.inner_product import inner
from trabecula.physics.body_force import body_force
from trabecula.physics.dissection import nested_dissection
from trabecula.physics.quadrature import element_matrix
from trabecula.physics.state import Guess, Solve, WitnessState

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]

DIRECT_LIMIT = {2: 300_000, 3: 60_000}
"""Degrees of freedom up to which a factorisation is used, by dimension (measured: seconds and about 1 GB)."""

ASSEMBLY_LIMIT = 1_000_000_000
"""Bytes of an assembled matrix beyond which conjugate gradients multiply element by element instead."""

SLAB = 16_384
"""Elements treated at once: a slab of their displacements stays in the cache."""

ONE_THREAD = 200_000
"""Multiply-adds of a matrix product up to which linear algebra keeps to one thread (see `inner`)."""

EPSILON = float(np.finfo(np.float64).eps)


def total_load(discrete: DiscreteProblem, physical: Array, case: int) -> Array:
    """Return the nodal load of one case with the own weight of the material that is there; not to be changed.

    Parameters
    ----------
    physical
        float64 `[z, y, x]`, the physical density.
    case
        Index of the load case.

    Returns
    -------
    Array
        float64 `[component, z, y, x]` over nodes, N (W for heat); zero on held degrees of freedom.
    """
    load: Array = discrete.loads[case]
    gravity = discrete.gravity[case]
    if "gravity" not in discrete.physics.loads or not np.any(gravity):
        return load
    if not isinstance(discrete.grid, Grid):
        return load + body_force(discrete, physical, case)
    load, grid = load.copy(), discrete.grid
    share = discrete.material.density * grid.element_volume / 2**grid.dimension
    mass = np.zeros(grid.node_shape)
    for corner in _corners(grid.dimension):
        mass[tuple(slice(b, b + n) for b, n in zip(corner, grid.shape, strict=True))] += share * physical
    for component, acceleration in enumerate(gravity):
        load[component] += acceleration * mass
    load[discrete.fixed] = 0.0
    return load


def _corners(dimension: int) -> list[tuple[int, ...]]:
    """Offsets of an element's nodes along the axes `[z, y, x]`, in the order of the element matrix."""
    return [tuple((a >> axis) & 1 for axis in reversed(range(dimension))) for a in range(2**dimension)]


def _is_free(element: Array, components: int) -> list[bool]:
    """Whether a constant in a component has no energy, so that only differences of it count."""
    nodes = len(element) // components
    allowed = 4 * len(element) * EPSILON * float(np.abs(element).max())
    sums = np.abs(element.reshape(len(element), components, nodes).sum(axis=2)).max(axis=0)
    return [bool(total <= allowed) for total in sums]


def _product(matrix: Array, columns: Array) -> Array:
    """A small matrix times many columns, so few at once that no other threads are woken."""
    out = np.empty((len(matrix), columns.shape[1]))
    step = max(1, ONE_THREAD // matrix.size)
    for first in range(0, columns.shape[1], step):
        part = slice(first, first + step)
        np.matmul(matrix, columns[:, part], out=out[:, part])
    return out


def make_witness(discrete: DiscreteProblem, direct_limit: int | None = None) -> WitnessState:
    """A state equation that shares no code with the compiled core; arguments as for `AssembledState`."""
    own: WitnessState | None = discrete.grid.state(discrete)
    return AssembledState(discrete, direct_limit) if own is None else own


class AssembledState:
    """The state equation K(x) u = f with an assembled matrix, of any physics; a `WitnessState`.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    direct_limit
        Largest number of free degrees of freedom to factorise (default by dimension).
    """

    def __init__(self, discrete: DiscreteProblem, direct_limit: int | None = None) -> None:
        self.grid = discrete.voxels
        self.element = element_matrix(discrete.voxels, discrete.material, discrete.physics)
        self.fixed = discrete.fixed
        self.relative: Array = np.broadcast_to(1.0, discrete.grid.shape)
        self.corners = _corners(self.grid.dimension)
        is_ours = discrete.physics.element_matrix is None
        components = len(self.fixed)
        self.is_free = [True] * components if is_ours else _is_free(self.element, components)
        self._free = self.fixed.size - int(np.count_nonzero(self.fixed))
        self._limit = DIRECT_LIMIT[self.grid.dimension] if direct_limit is None else direct_limit
        self._factor: Callable[[Array], Array] | None = None
        self._matrix: Any = None

    @property
    def is_direct(self) -> bool:
        """Whether `solve` factorises."""
        return self._free <= self._limit

    def set_stiffness(self, relative: Array) -> None:
        """Use these stiffnesses relative to the solid, float64 `[z, y, x]`; factorised when first needed."""
        if relative.shape != self.grid.shape:
            raise ValueError(f"relative stiffness has shape {relative.shape}, the grid {self.grid.shape}")
        self.relative = np.asarray(relative, dtype=np.float64)
        self._factor = self._matrix = None

    def solve(
        self,
        load: Array,
        start: Guess | None = None,
        tolerance: float = 1e-10,
        max_iterations: int = 20_000,
    ) -> tuple[Array, Solve]:
        """Solve K u = f.

        Parameters
        ----------
        load
            float64 `[component, z, y, x]`, N; what acts on held degrees of freedom is carried by the
            supports.
        start
            Displacement to start from (conjugate gradients only).
        tolerance
            Relative residual at which conjugate gradients stop.

        Returns
        -------
        u, how
            float64 `[component, z, y, x]`, m, and how the solve went.
        """
        right = np.where(self.fixed, 0.0, load)
        norm = float(np.linalg.norm(right))
        if norm == 0.0:
            return np.zeros_like(right), Solve(0, 0.0, "none")
        if self.is_direct:
            u, steps, method = self._solve_direct(right, norm), 0, "direct"
        else:
            first = None if start is None else start.astype(np.float64)
            u, steps = self._solve_iterative(right, first, tolerance * norm, max_iterations)
            method = "conjugate gradients"
        return u, Solve(steps, self.residual(right, u), method)

    def residual(self, load: Array, u: Array) -> float:
        """Return |f - K u| / |f| over the free degrees of freedom, element by element in float64."""
        rest = self.apply(u)
        np.subtract(load, rest, out=rest)
        norm = self._norm(load)
        return self._norm(rest) / norm if norm > 0 else 0.0

    def _norm(self, values: Array) -> float:
        """Euclidean norm over the free degrees of freedom, layer by layer: no copy of the whole."""
        squares = 0.0
        for component, held in zip(values, self.fixed, strict=True):
            for layer, where in zip(component, held, strict=True):
                free = layer[~where]
                squares += inner(free, free)
        return float(np.sqrt(squares))

    def apply(self, u: Array) -> Array:
        """Return K u over all nodes, float64 `[component, z, y, x]`, u taken as zero where it is held."""
        product_ = np.zeros(u.shape)
        for rows in self.slabs():
            local = self._gather(u, rows)
            forces = _product(self.element, local)
            forces *= self.relative[rows].ravel()
            self._scatter(forces, rows, product_)
        return product_

    def bilinear(self, u: Array, v: Array) -> Array:
        """Return u_e K0 v_e of every element at full stiffness, float64 `[z, y, x]`, J.

        Both `[component, z, y, x]`, taken as zero where they are held.
        """
        found = np.empty(self.grid.shape)
        for rows in self.slabs():
            local = self._gather(u, rows)
            other = local if v is u else self._gather(v, rows)
            product_ = _product(self.element, other)
            found[rows] = np.einsum("ij,ij->j", local, product_).reshape(found[rows].shape)
        return found

    def energy_and_error(self, u: Array) -> tuple[Array, Array]:
        """Return the element energies and a rigorous bound of their rounding errors, float64 `[z, y, x]`, J.

        The energy is computed from the displacements relative to the element's first node (where a constant
        state has none), whose differences are correctly rounded.  With n degrees of freedom an inner product
        errs by at most n eps/2 of its absolute terms; 4 n eps covers both products, the differences and the
        quadrature.
        """
        energy, error = np.empty(self.grid.shape), np.empty(self.grid.shape)
        allowance = 4 * len(self.element) * EPSILON * float(np.linalg.norm(self.element))
        for rows in self.slabs():
            local = self._gather(u, rows)
            shape = energy[rows].shape
            energy[rows] = np.einsum("ij,ij->j", local, _product(self.element, local)).reshape(shape)
            error[rows] = allowance * np.einsum("ij,ij->j", local, local).reshape(shape)
        return energy, error

    def slabs(self) -> Iterator[slice]:
        """Layers of elements that are worked on at once."""
        layers, *rest = self.grid.shape
        step = max(1, SLAB // int(np.prod(rest)))
        for first in range(0, layers, step):
            yield slice(first, min(first + step, layers))

    def window(self, corner: tuple[int, ...], rows: slice) -> tuple[slice, ...]:
        """Where a node array holds one corner of every element of a slab."""
        first = slice(rows.start + corner[0], rows.stop + corner[0])
        return first, *(slice(b, b + n) for b, n in zip(corner[1:], self.grid.shape[1:], strict=True))

    def _gather(self, u: Array, rows: slice) -> Array:
        """Displacements `[dof, element]` of a slab, 0 where held; relative to each element's first node in
        components of which a constant has no energy."""
        nodes = len(self.corners)
        here, below = slice(rows.start, rows.stop + 1), slice(0, rows.stop - rows.start)
        local = np.empty((len(self.element), below.stop, *self.grid.shape[1:]))
        for component, (values, held) in enumerate(zip(u, self.fixed, strict=True)):
            layers = np.where(held[here], 0.0, values[here])
            base = layers[self.window(self.corners[0], below)]
            for a, corner in enumerate(self.corners):
                values_ = layers[self.window(corner, below)]
                if self.is_free[component]:
                    np.subtract(values_, base, out=local[component * nodes + a])
                else:
                    local[component * nodes + a] = values_
        return local.reshape(len(local), -1)

    def _scatter(self, forces: Array, rows: slice, out: Array) -> None:
        """Add element forces `[dof, element]` of a slab to the nodes."""
        nodes = len(self.corners)
        shape = (rows.stop - rows.start, *self.grid.shape[1:])
        for component in range(len(out)):
            for a, corner in enumerate(self.corners):
                out[component][self.window(corner, rows)] += forces[component * nodes + a].reshape(shape)

    def _solve_direct(self, right: Array, norm: float) -> Array:
        if self._factor is None:
            self._factor = self._factorise()
        u = self._factor(right)
        for _ in range(3):  # refinement: the factors lose digits to the contrast of stiffness
            rest = np.where(self.fixed, 0.0, right - self.apply(u))
            if float(np.linalg.norm(rest)) <= 1e-12 * norm:
                break
            u = u + self._factor(rest)
        return u

    def _factorise(self) -> Callable[[Array], Array]:
        from scipy.sparse.linalg import splu

        components = len(self.fixed)
        count = int(np.prod(self.grid.node_shape))
        order = nested_dissection(self.grid.node_shape)
        dofs = (order[:, None] + count * np.arange(components)).ravel()
        kept = dofs[~self.fixed.ravel()[dofs]]
        matrix = self.assemble()[kept][:, kept].tocsc()
        factors = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

        def solve(right: Array) -> Array:
            u = np.zeros(right.size)
            u[kept] = factors.solve(right.ravel()[kept])
            return u.reshape(right.shape)

        return solve

    def assemble(self) -> Any:
        """Return K as a SciPy CSR array over all degrees of freedom (component slowest, x fastest)."""
        from scipy.sparse import coo_array

        count = int(np.prod(self.grid.node_shape))
        number = np.arange(count, dtype=np.int32).reshape(self.grid.node_shape)
        nodes = [
            number[tuple(slice(b, b + n) for b, n in zip(corner, self.grid.shape, strict=True))].ravel()
            for corner in self.corners
        ]
        dofs = np.concatenate([np.stack(nodes) + c * count for c in range(len(self.fixed))])
        shape = (len(dofs), *dofs.shape)
        rows = np.broadcast_to(dofs[:, None], shape).ravel()
        columns = np.broadcast_to(dofs[None, :], shape).ravel()
        values = (self.element[:, :, None] * self.relative.ravel()).ravel()
        size = count * len(self.fixed)
        return coo_array((values, (rows, columns)), shape=(size, size)).tocsr()

    def _solve_iterative(
        self, right: Array, start: Array | None, target: float, max_iterations: int
    ) -> tuple[Array, int]:
        """Conjugate gradients with Jacobi scaling, which takes away the contrast between solid and void."""
        multiply, inverse = self._operator(), self._inverse_diagonal()
        u = np.zeros_like(right) if start is None else np.where(self.fixed, 0.0, start)
        rest = right - multiply(u) if start is not None else right.copy()
        scaled = inverse * rest
        direction = scaled.copy()
        merit = float(np.vdot(rest, scaled))
        for step in range(max_iterations):
            if float(np.linalg.norm(rest)) <= target:
                return u, step
            image = multiply(direction)
            length = merit / float(np.vdot(direction, image))
            u += length * direction
            rest -= length * image
            np.multiply(inverse, rest, out=scaled)
            merit, previous = float(np.vdot(rest, scaled)), merit
            direction *= merit / previous
            direction += scaled
        return u, max_iterations

    def _operator(self) -> Callable[[Array], Array]:
        components = len(self.fixed)
        entries = int(np.prod(self.grid.node_shape)) * 3**self.grid.dimension * components**2
        if 12 * entries > ASSEMBLY_LIMIT:
            return lambda u: np.where(self.fixed, 0.0, self.apply(u))
        if self._matrix is None:
            self._matrix = self.assemble()
        matrix, fixed = self._matrix, self.fixed
        return lambda u: np.where(fixed, 0.0, (matrix @ u.ravel()).reshape(u.shape))

    def _inverse_diagonal(self) -> Array:
        diagonal = np.zeros(self.fixed.shape)
        for rows in self.slabs():
            values = np.diag(self.element)[:, None] * self.relative[rows].ravel()
            self._scatter(values, rows, diagonal)
        return np.where(self.fixed, 0.0, 1.0 / np.maximum(diagonal, np.finfo(np.float64).tiny))
