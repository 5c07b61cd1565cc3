"""An unstructured mesh of linear triangles in plane stress, all of it in this one file outside the package.

Points and triangles may come from anywhere (`skfem.MeshTri` here). The mesh has its own volumes, neighbours,
filter and state equation; nothing of the package knows of triangles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from trabecula.discretisation import DiscreteProblem
from trabecula.numerics.components import Labels
from trabecula.physics import Guess, Solve
from trabecula.problem import Problem
from trabecula.problem.where import Mask, Points, Where

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A `Discretisation`: `points` float64 `[node, 2]` in metres, `triangles` int `[element, 3]`."""

    points: Array
    triangles: NDArray[np.int_]
    thickness: float = 1.0

    dimension = 2

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.triangles),)

    elements = shape

    @property
    def node_shape(self) -> tuple[int, ...]:
        return (len(self.points),)

    @property
    def label(self) -> str:
        return f"{len(self.triangles)} triangles"

    @property
    def count(self) -> int:
        return len(self.triangles)

    @cached_property
    def _sides(self) -> Array:
        corners = self.points[self.triangles]
        return np.asarray(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2))

    @property
    def spacing(self) -> tuple[float, ...]:
        return (float(self._sides.mean()),) * 2

    @property
    def edges(self) -> tuple[float, float]:
        return float(self._sides.min()), float(self._sides.max())

    @cached_property
    def areas(self) -> Array:
        a, b = (self.points[self.triangles[:, k]] - self.points[self.triangles[:, 0]] for k in (1, 2))
        return np.asarray(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2)

    @property
    def volumes(self) -> Array:
        return np.asarray(self.areas / self.areas.mean())

    @property
    def element_volume(self) -> float:
        return float(self.areas.mean()) * self.thickness

    @property
    def node_share(self) -> float:
        return self.element_volume / 3

    @cached_property
    def centres(self) -> Array:
        return np.asarray(self.points[self.triangles].mean(axis=1))

    def in_units(self, length: int, thickness: int) -> TriangleMesh:
        return replace(
            self,
            points=np.ldexp(self.points, length),
            thickness=float(np.ldexp(self.thickness, thickness)),
        )

    def select_nodes(self, where: Where) -> Mask:
        return where.select(Points.of(self.points, 0.5 * self.spacing[0]))

    def select_elements(self, where: Where) -> Mask:
        return where.select(Points.of(self.centres, 0.5 * self.spacing[0]))

    def to_nodes(self, values: Array) -> Array:
        weights = np.repeat(values * self.volumes, 3)
        return np.bincount(self.triangles.ravel(), weights, minlength=len(self.points)).astype(np.float64)

    def to_elements(self, values: Array) -> Array:
        return np.asarray(self.volumes * values[self.triangles].sum(axis=1))

    def _cone(self, radius: float) -> Array:
        distance = np.linalg.norm(self.centres[:, None] - self.centres[None], axis=2)
        return np.asarray(np.maximum(0.0, radius - distance))

    def smoothing(self, kind: str, radius: float) -> TriangleCone | None:
        """The cone, weighted by areas; nothing else is offered."""
        if kind == "helmholtz":
            raise ValueError("triangles have no Helmholtz filter; take `density`")
        weights = self.volumes[:, None] * self._cone(radius) * self.volumes[None]
        return TriangleCone(weights)

    def blur(self, field: Array, width: float) -> Array:
        weights = self._cone(2.0 * width * self.spacing[0]) * self.volumes[None] + 1e-12 * np.eye(len(field))
        return np.asarray(weights @ field / weights.sum(axis=1))

    def mirror(self, values: Array, axis: int) -> Array:
        raise ValueError("triangles know no symmetry; leave options.symmetry out")

    def label_elements(self, chosen: Mask) -> tuple[Labels, int]:
        """Triangles belong together where they share an edge."""
        edges = np.sort(self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        owner = np.repeat(np.arange(self.count), 3)
        _, which = np.unique(edges, axis=0, return_inverse=True)
        order = np.argsort(which.ravel(), kind="stable")
        same = which.ravel()[order][1:] == which.ravel()[order][:-1]
        pairs = np.stack([owner[order][:-1][same], owner[order][1:][same]], axis=1)
        return _number(chosen, pairs)

    def label_nodes(self, chosen: Mask) -> tuple[Labels, int]:
        pairs = self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        return _number(chosen, pairs)

    def contacts(self, elements: Labels, nodes: Labels) -> NDArray[np.int64]:
        piece, patch = np.repeat(elements, 3), nodes[self.triangles].ravel()
        both = (piece > 0) & (patch > 0)
        pairs = np.unique(np.stack([piece[both], patch[both]], axis=1), axis=0)
        return np.asarray(pairs, dtype=np.int64)

    def state(self, discrete: DiscreteProblem) -> TriangleState:
        return TriangleState(self, discrete)


def _number(chosen: Mask, pairs: NDArray[np.int_]) -> tuple[Labels, int]:
    kept = pairs[chosen[pairs].all(axis=1)]
    ones: Array = np.ones(len(kept))
    graph = csr_array((ones, kept.T), shape=(len(chosen),) * 2)
    _, component = connected_components(graph, directed=False)  # type: ignore[arg-type]  # a stub that is too strict
    labels = np.zeros(len(chosen), dtype=np.int32)
    names, labels[chosen] = np.unique(component[chosen], return_inverse=True)
    labels[chosen] += 1
    return labels, len(names)


@dataclass(frozen=True, eq=False)
class TriangleCone:
    """A symmetric smoothing by a dense matrix, for meshes of some hundred triangles."""

    weights: Array
    overshoots = False

    def apply(self, voxels: Array, before: Array | None = None, after: Array | None = None) -> Array:
        found = self.weights @ (voxels if before is None else before * voxels)
        return np.asarray(found if after is None else after * found)


class TriangleState:
    """A `WitnessState`: linear triangles, assembled and factorised."""

    is_direct = True

    def __init__(self, mesh: TriangleMesh, discrete: DiscreteProblem) -> None:
        self.mesh, self.fixed = mesh, discrete.fixed
        material = discrete.material
        nu = material.poisson
        stiff = np.array([[1, nu, 0], [nu, 1, 0], [0, 0, (1 - nu) / 2]]) * material.young / (1 - nu**2)
        corners = mesh.points[mesh.triangles]
        y = corners[:, [1, 2, 0], 1] - corners[:, [2, 0, 1], 1]
        x = corners[:, [2, 0, 1], 0] - corners[:, [1, 2, 0], 0]
        signed = (x[:, 2] * y[:, 1] - x[:, 1] * y[:, 2]) / 2
        zero = np.zeros_like(x)
        strain = np.stack([np.hstack([y, zero]), np.hstack([zero, x]), np.hstack([x, y])], axis=1)
        strain /= 2 * signed[:, None, None]
        weight = mesh.thickness * mesh.areas
        self.element = np.einsum("eki,kl,elj,e->eij", strain, stiff, strain, weight)
        count = len(mesh.points)
        self.dofs = np.hstack([mesh.triangles, mesh.triangles + count])
        self.relative = np.ones(mesh.count)
        self._solve: Callable[[Array], Array] | None = None

    def set_stiffness(self, relative: Array) -> None:
        self.relative, self._solve = np.array(relative), None

    def _matrix(self) -> csr_array:
        values = self.relative[:, None, None] * self.element
        rows = np.repeat(self.dofs[:, :, None], 6, axis=2)
        shape = (self.fixed.size,) * 2
        return coo_array(
            (values.ravel(), (rows.ravel(), rows.transpose(0, 2, 1).ravel())), shape=shape
        ).tocsr()

    def solve(self, load: Array, start: Guess | None = None, tolerance: float = 1e-10) -> tuple[Array, Solve]:
        free = ~self.fixed.ravel()
        if self._solve is None:
            self._solve = splu(self._matrix()[free][:, free].tocsc()).solve
        right = np.where(self.fixed, 0.0, load)
        u = np.zeros(self.fixed.shape)
        for _ in range(3):  # refinement: the factors lose digits to the contrast of stiffness
            rest = right - np.where(self.fixed, 0.0, self.apply(u))
            u.ravel()[free] += self._solve(rest.ravel()[free])
        return u, Solve(0, self.residual(right, u))

    def residual(self, load: Array, u: Array) -> float:
        right = np.where(self.fixed, 0.0, load)
        rest = right - np.where(self.fixed, 0.0, self.apply(u))
        return float(np.linalg.norm(rest) / (np.linalg.norm(right) or 1.0))

    def apply(self, u: Array) -> Array:
        return np.asarray((self._matrix() @ np.where(self.fixed, 0.0, u).ravel()).reshape(u.shape))

    def bilinear(self, u: Array, v: Array) -> Array:
        left, right = (np.where(self.fixed, 0.0, w).ravel()[self.dofs] for w in (u, v))
        return np.asarray(np.einsum("ei,eij,ej->e", left, self.element, right))

    def energy_and_error(self, u: Array) -> tuple[Array, Array]:
        local = np.abs(np.where(self.fixed, 0.0, u).ravel()[self.dofs])
        size = np.einsum("ei,eij,ej->e", local, np.abs(self.element), local)
        return self.bilinear(u, u), 100 * np.finfo(float).eps * size


@dataclass(frozen=True, eq=False)
class TriangleDomain:
    """An `OwnDomain`: what a problem is given in place of a box."""

    mesh: TriangleMesh

    dimension = 2

    @property
    def elements(self) -> tuple[int, ...]:
        return self.mesh.elements

    @property
    def thickness(self) -> float:
        return self.mesh.thickness

    def discretise(self, problem: Problem) -> DiscreteProblem:
        """Supports and loads at the nodes that their selectors choose, regions at the centres."""
        mesh = self.mesh
        fixed = np.zeros((2, *mesh.node_shape), dtype=np.bool_)
        for support in problem.supports:
            for axis in support.fix:
                fixed["xy".index(axis)] |= mesh.select_nodes(support.where)
        loads = np.zeros((len(problem.cases), *fixed.shape))
        gravity = np.zeros((len(problem.cases), 2))
        for c, case in enumerate(problem.cases):
            for load in case.loads:
                gravity[c] += load.gravity or (0.0, 0.0)
                if load.force is not None:
                    chosen = mesh.select_nodes(load.where)
                    loads[c] += np.multiply.outer(load.force, chosen / chosen.sum())
        loads[:, fixed] = 0.0
        lower, upper = np.zeros(mesh.shape), np.ones(mesh.shape)
        for region in problem.regions:
            lower[mesh.select_elements(region.where)] = float(region.kind == "solid")
            upper[mesh.select_elements(region.where)] = float(region.kind == "solid")
        return DiscreteProblem(
            name=problem.name,
            grid=mesh,
            physics=problem.physics,
            material=problem.material,
            fixed=fixed,
            loads=loads,
            gravity=gravity,
            weights=np.array([case.weight for case in problem.cases]),
            lower=lower,
            upper=upper,
            goal=problem.goal,
            options=problem.options,
        )


def mesh_of(skfem_mesh: Any, thickness: float = 1.0) -> TriangleMesh:
    """From a mesh of scikit-fem."""
    return TriangleMesh(skfem_mesh.p.T.copy(), skfem_mesh.t.T.copy(), thickness)
