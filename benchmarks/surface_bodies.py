"""Parts and their exported surfaces as bodies of quadratic simplices, under the voxels' loads and supports.

The voxel model knows loads and supports at nodes only. A body has other nodes, so what acts on it is chosen
by the work that it does:

* *Equal work.* A nodal load becomes the density of force, a sum of the voxels' hat functions, that does the
  same work on every displacement that the voxels can have. For voxel elements these are the nodal loads
  again, so that the figure that a part is certified with is what a body is compared with; and on the same
  geometry no element can be stiffer than the voxels' (Galerkin).
* *Spread.* The load of a node is spread over the material by the node's own hat function. A load at a single
  node has no limit under refinement: the material sinks in there without end. Spread alike over voxels and
  body, that part of the compliance, which is the element's and not the surface's, is the same in both.

Supports hold every point of the body where the voxel model holds all nodes around; single nodes that are held
hold the mean of the body there.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import types

import numpy as np
import pyamg
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray
from pyamg.relaxation.relaxation import gauss_seidel
from scipy.spatial import Delaunay
from skfem import (
    Basis,
    ElementTetP2,
    ElementTriP2,
    ElementVector,
    LinearForm,
    Mesh,
    MeshTet,
    MeshTri,
    asm,
)
from skfem.models.elasticity import lame_parameters, linear_elasticity

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.surface import Mesh as Surface

EDGE = 1.25  # of a voxel: tetrahedra
ENVELOPE = 0.02  # of a voxel: how far the tetrahedra may be off the surface
HELD = 0.95  # of the shape functions at a point: those of held nodes hold it
HELD_WITHIN = 0.75  # the same for held blocks and faces: where elements end at their rims, on the mean
MATERIAL = 0.02  # of a voxel: material near a node that takes a load
TOLERANCE = 1e-4  # of conjugate gradients: its square is the error of a compliance

Floats = NDArray[np.float64]


def tetrahedra(surface: Surface, cell: Floats, edge: float = EDGE) -> MeshTet:
    """A body-fitted mesh of a surface, in metres; `edge` in voxels."""
    sys.modules.setdefault("pyvista", types.ModuleType("pyvista"))  # 780 MB that only its pictures need
    import pytetwild

    points = surface.vertices / cell.min()
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # it leaves files where it runs
        vertices, cells = pytetwild.tetrahedralize(
            points,
            surface.faces.astype(np.int32),
            edge_length_abs=edge,
            epsilon=ENVELOPE / diagonal,
            num_threads=1,
        )
    used, number = np.unique(cells, return_inverse=True)
    return MeshTet(
        np.ascontiguousarray(vertices[used].T * cell.min()),
        np.ascontiguousarray(number.reshape(cells.shape).T),
    )


def triangles(surface: Surface, cell: Floats) -> MeshTri:
    """A body-fitted mesh of the section of a plate: outlines and the voxels' nodes between, by Delaunay.

    Raises
    ------
    RuntimeError
        If the triangles are not the section, because outlines are too near to each other.
    """
    flat = surface.faces[(np.abs(surface.vertices[surface.faces, 2]) < 1e-9 * cell.min()).all(axis=1)]
    points = surface.vertices[:, :2] / cell
    corners = points[flat]
    wanted = float(np.abs(_areas(corners)).sum())
    ends = np.sort(flat[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    sides, times = np.unique(ends, axis=0, return_counts=True)
    outline = points[sides[times == 1]]
    for step in (0.8, 0.4, 0.2):
        border = _split(outline, step)
        lattice = np.argwhere(np.ones(np.ceil(points.max(axis=0)).astype(int) + 1)).astype(np.float64)
        far = np.array([_distance(border, part) for part in np.array_split(lattice, 100)], dtype=object)
        places = np.concatenate([border, lattice[np.concatenate(far).astype(np.float64) > 0.6]])
        found = Delaunay(places).simplices
        size = np.abs(_areas(places[found]))
        found = found[size > 1e-7]
        centres = places[found].mean(axis=1)
        inside = np.concatenate([_is_inside(outline, part) for part in np.array_split(centres, 100)])
        found = found[inside]
        if abs(float(np.abs(_areas(places[found])).sum()) / wanted - 1.0) < 1e-3:
            used, number = np.unique(found, return_inverse=True)
            return MeshTri((places[used] * cell).T.copy(), number.reshape(found.shape).T.copy())
    raise RuntimeError("the triangles are not the section of the plate")


def _areas(corners: Floats) -> Floats:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))


def _split(outline: Floats, step: float) -> Floats:
    """Points along an outline, no farther than a step from each other."""
    lengths = np.linalg.norm(outline[:, 1] - outline[:, 0], axis=1)
    found = []
    for (a, b), length in zip(outline, lengths, strict=True):
        share = np.linspace(0.0, 1.0, int(np.ceil(length / step)) + 1)[:, None]
        found.append(a + share * (b - a))
    return np.unique(np.round(np.concatenate(found), 9), axis=0)


def _distance(border: Floats, places: Floats) -> Floats:
    return np.array([np.sqrt(((border - place) ** 2).sum(axis=1).min()) for place in places])


def _is_inside(outline: Floats, places: Floats) -> NDArray[np.bool_]:
    """Whether a ray towards +x crosses the outline an odd number of times."""
    (x0, y0), (x1, y1) = outline[:, 0].T, outline[:, 1].T
    x, y = places[:, :1], places[:, 1:]
    crosses = (y0 <= y) != (y1 <= y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return np.asarray(np.count_nonzero(crosses & (at > x), axis=1) % 2 == 1)


def voxel_tetrahedra(part: NDArray[np.bool_], cell: Floats) -> Mesh:
    """The voxels of a part, each cut into six tetrahedra (in the plane two triangles) around its diagonal."""
    dimension = part.ndim
    low = np.argwhere(part)[:, ::-1]
    cells = []
    for order in itertools.permutations(range(dimension)):
        path = [np.zeros(dimension, np.int64)]
        for axis in order:
            path.append(path[-1] + np.eye(dimension, dtype=np.int64)[axis])
        cells.append(low[:, None] + np.array(path))
    corners = np.concatenate(cells)
    size = np.array(part.shape) + 1
    flat = np.ravel_multi_index(tuple(corners[..., axis] for axis in reversed(range(dimension))), size)
    used, number = np.unique(flat, return_inverse=True)
    points = np.stack(np.unravel_index(used, size)[::-1]) * cell[:, None]
    kind = MeshTri if dimension == 2 else MeshTet
    return kind(points, np.ascontiguousarray(number.reshape(flat.shape).T))


class VoxelNodes:
    """Hat functions of the nodes of a box of voxels; `shape` are nodes `(z, y, x)` or `(y, x)`."""

    def __init__(self, shape: tuple[int, ...], cell: Floats) -> None:
        self.shape, self.cell = shape, cell

    def at(self, points: Floats) -> sp.csr_matrix:
        """Values of all hat functions, sparse `[point, node]`; points are float64 `[(x, y, z), point]`."""
        size = np.array(self.shape[::-1])[:, None]
        place = np.clip(points / self.cell[:, None], 0.0, size - 1.0)
        low = np.minimum(place.astype(np.int64), size - 2)
        part = place - low
        dimension = len(self.shape)
        rows, columns, values = [], [], []
        for bits in np.ndindex((2,) * dimension):
            corner = tuple(low[axis] + bits[axis] for axis in reversed(range(dimension)))
            rows.append(np.arange(points.shape[1]))
            columns.append(np.ravel_multi_index(corner, self.shape))
            values.append(np.prod([part[a] if bits[a] else 1 - part[a] for a in range(dimension)], axis=0))
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sp.csr_matrix(entries, shape=(points.shape[1], int(np.prod(self.shape))))


def voxel_mass(part: NDArray[np.bool_]) -> sp.csr_matrix:
    """Integrals of products of hat functions over the voxels of a part, in voxels: sparse `[node, node]`."""
    dimension, shape = part.ndim, tuple(n + 1 for n in part.shape)
    low = np.argwhere(part)
    corners = np.array(list(np.ndindex((2,) * dimension)))
    nodes = np.ravel_multi_index(tuple(np.moveaxis(low[:, None] + corners, -1, 0)), shape)
    one = np.array([[1 / 3, 1 / 6], [1 / 6, 1 / 3]])
    element = one
    for _ in range(dimension - 1):
        element = np.kron(element, one)
    rows, columns = np.broadcast_arrays(nodes[:, :, None], nodes[:, None, :])
    values = np.broadcast_to(element, rows.shape)
    size = int(np.prod(shape))
    return sp.csr_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size))


def move_to_material(nodal: Floats, mass: Floats, hats: VoxelNodes, least: float = MATERIAL) -> Floats:
    """Nodal loads that act on no material, moved to the nearest node that has some; `mass` in m^3."""
    places = np.argwhere(np.ones(hats.shape)) * hats.cell[::-1]
    enough = mass > least * float(np.prod(hats.cell))
    if enough[nodal != 0].all():
        return nodal
    there = np.flatnonzero(enough)
    moved = np.zeros_like(nodal)
    for node in np.flatnonzero(nodal):
        near = there[np.argmin(((places[there] - places[node]) ** 2).sum(axis=1))]
        moved[near] += nodal[node]
    return moved


def same_work(nodal: Floats, mass: sp.csr_matrix, lumped: Floats, cell: float) -> Floats:
    """Coefficients of the hat functions whose density of force does the work of nodal loads."""
    there = np.flatnonzero(lumped > MATERIAL * cell)
    found = np.zeros_like(nodal)
    if nodal.any():
        some = mass[there][:, there].tocsr()
        scale = sp.diags(1.0 / some.diagonal())
        found[there], left = spla.cg(some, nodal[there], rtol=1e-9, maxiter=5000, M=scale)
        if left:
            raise RuntimeError(f"{left} iterations were not enough for the loads")
    return found


def spread(nodal: Floats, lumped: Floats) -> Floats:
    """Coefficients of the hat functions when the load of each node is spread by its own."""
    return np.divide(nodal, lumped, out=np.zeros_like(nodal), where=nodal != 0)


class Body:
    """A mesh of quadratic simplices under the loads and supports of a problem.

    Attributes
    ----------
    volume
        In m^3; of a plate by its thickness.
    """

    def __init__(self, mesh: Mesh, problem: tb.Problem) -> None:
        self.mesh, self.problem = mesh, problem
        self.discrete = discretise(problem)
        self.hats = VoxelNodes(self.discrete.fixed.shape[1:], np.array(problem.domain.spacing))
        self.dimension = problem.domain.dimension
        element = ElementTriP2() if self.dimension == 2 else ElementTetP2()
        self.scalar = Basis(mesh, element, intorder=4)
        self.basis = Basis(mesh, ElementVector(element), intorder=2)
        self.thickness = problem.domain.thickness if self.dimension == 2 else 1.0
        self.dofs = [self._component(axis) for axis in range(self.dimension)]
        self.places = self.scalar.doflocs
        self.values = self.hats.at(self.scalar.global_coordinates().reshape(self.dimension, -1))
        measure = self.scalar.dx.ravel() * self.thickness
        self.volume = float(measure.sum())
        self.mass = (self.values.T @ sp.diags(measure) @ self.values).tocsr()
        self.lumped = self.values.T @ measure
        self.cell = float(np.prod(self.hats.cell)) * self.thickness

    def _component(self, axis: int) -> NDArray[np.int64]:
        """Vector degrees of freedom of one component, in the order of the scalar ones."""
        found = np.empty(self.scalar.N, np.int64)
        found[self.scalar.nodal_dofs[0]] = self.basis.nodal_dofs[axis]
        name = "facet_dofs" if self.dimension == 2 else "edge_dofs"
        found[getattr(self.scalar, name)[0]] = getattr(self.basis, name)[axis]
        return found

    def held(self) -> NDArray[np.bool_]:
        """Degrees of freedom where the voxel model holds all nodes around."""
        held = np.zeros(self.basis.N, dtype=np.bool_)
        near = self.hats.at(self.places)
        for axis, dofs in enumerate(self.dofs):
            fixed = self.discrete.fixed[axis]
            if self.dimension == 2:  # what is held at single nodes is held in the mean
                fixed = fixed & (_ends(fixed, 0) | _ends(fixed, 1))
            here = near @ fixed.ravel().astype(np.float64) > HELD
            here |= near @ _complete(fixed).ravel().astype(np.float64) > HELD_WITHIN
            for across in range(self.dimension):
                for side in (0, -1):
                    here |= self._held_on_face(fixed, across, side)
            held[dofs] = here
        return held

    def _held_on_face(self, fixed: NDArray[np.bool_], axis: int, side: int) -> NDArray[np.bool_]:
        """Points on a face of the box that lie on what it holds: complete faces of voxels."""
        layer = np.take(fixed, side, axis=self.dimension - 1 - axis)
        whole = np.zeros_like(fixed)
        index: list[slice | int] = [slice(None)] * fixed.ndim
        index[self.dimension - 1 - axis] = side
        whole[tuple(index)] = _complete(layer)
        wall = 0.0 if side == 0 else self.problem.domain.size[axis]
        on = np.abs(self.places[axis] - wall) < (1.0 - HELD) * self.hats.cell[axis]
        at = self.places.copy()
        at[axis] = wall
        return np.asarray(on & (self.hats.at(at) @ whole.ravel().astype(np.float64) > HELD_WITHIN))

    def mean_holds(self, held: NDArray[np.bool_]) -> sp.csc_matrix:
        """Rows of `[degree of freedom, constraint]`: means that are zero where single nodes are held."""
        columns = []
        cell = self.hats.cell[:, None]
        grid = np.argwhere(np.ones(self.hats.shape))[:, ::-1].T * cell
        for axis, dofs in enumerate(self.dofs):
            known = self.places[:, held[dofs]]
            nodes = np.flatnonzero(self.discrete.fixed[axis].ravel() & (self.lumped > MATERIAL * self.cell))
            for node in nodes:
                off = np.abs(known - grid[:, [node]]) / cell
                if (off.max(axis=0, initial=0.0) < 1.0).any():
                    continue
                one = np.zeros(len(self.lumped))
                one[node] = 1.0
                density = same_work(one, self.mass, self.lumped, self.cell)
                columns.append(self._force(density, axis))
        return sp.csc_matrix(np.array(columns).T) if columns else sp.csc_matrix((self.basis.N, 0))

    def _force(self, coefficients: Floats, axis: int, constant: float = 0.0) -> Floats:
        """Nodal forces of a density of force along an axis, which is a sum of hat functions."""
        density = (self.values @ coefficients + constant).reshape(self.scalar.dx.shape)
        form = LinearForm(lambda v, w: w.density * v)
        force = np.zeros(self.basis.N)
        force[self.dofs[axis]] = self.thickness * asm(form, self.scalar, density=density)
        return force

    def forces(self, is_spread: bool) -> list[Floats]:
        """The loads of every case, spread or by equal work."""
        found = []
        for load, gravity in zip(self.discrete.loads, self.discrete.gravity, strict=True):
            force = np.zeros(self.basis.N)
            for axis in range(self.dimension):
                nodal = move_to_material(load[axis].ravel(), self.lumped / self.thickness, self.hats)
                density = (
                    spread(nodal, self.lumped)
                    if is_spread
                    else same_work(nodal, self.mass, self.lumped, self.cell)
                )
                force += self._force(density, axis, gravity[axis] * self.problem.material.density)
            found.append(force)
        return found

    def compliances(self) -> tuple[float, float]:
        """Weighted compliances in J: by equal work, and with the loads spread."""
        material = self.problem.material
        lam, mu = lame_parameters(material.young, material.poisson)
        if self.dimension == 2:
            lam = 2 * lam * mu / (lam + 2 * mu)  # plane stress
        stiffness = self.thickness * asm(linear_elasticity(lam, mu), self.basis).tocsr()
        held = self.held()
        means = self.mean_holds(held)
        if means.shape[1]:
            norms = np.asarray(means.multiply(means).sum(axis=0)).ravel()
            means = means.tocsr()
            means.data[np.abs(means.data) < 1e-6 * np.sqrt(norms.max())] = 0.0
            means.eliminate_zeros()
            strong = 1e3 * material.young * self.thickness * self.hats.cell.min() ** (self.dimension - 2)
            stiffness = (stiffness + strong * means @ means.T).tocsr()
        free = np.flatnonzero(~held)
        stiffness = stiffness[free][:, free]
        solve = self._direct(stiffness) if self.dimension == 2 else self._two_levels(stiffness, free)
        totals = []
        for is_spread in (False, True):
            total = 0.0
            for force, weight in zip(self.forces(is_spread), self.discrete.weights, strict=True):
                if force.any():
                    total += float(weight * (force[free] @ solve(force[free])))
            totals.append(total)
        return totals[0], totals[1]

    @staticmethod
    def _direct(stiffness: sp.csr_matrix):  # type: ignore[no-untyped-def]
        return spla.splu(stiffness.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve

    def _two_levels(self, stiffness: sp.csr_matrix, free: NDArray[np.int64]):  # type: ignore[no-untyped-def]
        """Conjugate gradients with Gauss-Seidel on quadratic and algebraic multigrid on linear elements."""
        up, near = self._linear_elements(free)
        coarse = pyamg.smoothed_aggregation_solver(
            (up.T @ stiffness @ up).tocsr(), B=near, smooth="jacobi", max_coarse=500, coarse_solver="splu"
        ).aspreconditioner()

        def apply(r: Floats) -> Floats:
            z = np.zeros_like(r)
            gauss_seidel(stiffness, z, r, iterations=1, sweep="forward")
            z += up @ coarse.matvec(up.T @ (r - stiffness @ z))
            gauss_seidel(stiffness, z, r, iterations=1, sweep="backward")
            return z

        precondition = spla.LinearOperator(stiffness.shape, matvec=apply, dtype=np.float64)

        def solve(force: Floats) -> Floats:
            found, left = spla.cg(stiffness, force, rtol=TOLERANCE, maxiter=1000, M=precondition)
            if left:
                raise RuntimeError(f"{left} iterations were not enough")
            return np.asarray(found)

        return solve

    def _linear_elements(self, free: NDArray[np.int64]) -> tuple[sp.csr_matrix, Floats]:
        """From linear to quadratic elements, and the rigid motions of the linear ones."""
        count, edges = self.mesh.nvertices, self.mesh.edges
        rows, columns, values = [], [], []
        for axis in range(3):
            corner, middle = self.basis.nodal_dofs[axis], self.basis.edge_dofs[axis]
            rows += [corner, middle, middle]
            columns += [3 * np.arange(count) + axis, *(3 * edges + axis)]
            values += [np.ones(count), *np.full((2, len(middle)), 0.5)]
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        up = sp.csr_matrix(entries, shape=(self.basis.N, 3 * count))
        stays = np.ones(self.basis.N, dtype=np.bool_)
        stays[free] = False
        kept = np.flatnonzero(~stays[self.basis.nodal_dofs[:3].T.ravel()])
        axis = kept % 3
        place = self.mesh.p[:, kept // 3]
        place = (place - place.mean(axis=1, keepdims=True)) / np.ptp(place)
        near = np.zeros((len(kept), 6))
        near[np.arange(len(kept)), axis] = 1.0
        for k, (a, b) in enumerate(((0, 1), (1, 2), (2, 0))):
            near[:, 3 + k] = np.where(axis == b, place[a], 0.0) - np.where(axis == a, place[b], 0.0)
        return up[free][:, kept].tocsr(), near


def _ends(nodes: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Which nodes of a plane have a neighbour along an axis that is chosen too."""
    found = np.zeros_like(nodes)
    both = np.logical_and(*_neighbours(nodes, axis))
    chosen, count = np.moveaxis(found, axis, 0), nodes.shape[axis]
    chosen[: count - 1] |= np.moveaxis(both, axis, 0)
    chosen[1:] |= np.moveaxis(both, axis, 0)
    return found


def _complete(nodes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those of some nodes that belong to a voxel (in a layer of nodes a face) all of whose nodes they are."""
    corners = list(np.ndindex((2,) * nodes.ndim))
    places = [
        tuple(slice(bit, n - 1 + bit) for bit, n in zip(bits, nodes.shape, strict=True)) for bits in corners
    ]
    whole = np.logical_and.reduce([nodes[place] for place in places])
    found = np.zeros_like(nodes)
    for place in places:
        found[place] |= whole
    return found


def _neighbours(values: NDArray[np.bool_], axis: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    count = values.shape[axis]
    return np.take(values, range(count - 1), axis), np.take(values, range(1, count), axis)
