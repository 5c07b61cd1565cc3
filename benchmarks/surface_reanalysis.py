"""Claim: the exported surface of a part has the part's volume to 1 %, and where members are at least three
voxels thick its compliance to 5 %, on the stiff side, re-analysed on a body-fitted mesh by another element
and another code.

For every named problem in space, solved with projection: the part (0/1 voxels of exactly the allowed volume),
its exported surface, meshed with tetrahedra by fTetWild (pytetwild, MPL-2.0) and solved with quadratic
elements (scikit-fem). Supports are held where the voxel model holds its nodes; a nodal load is spread over
the material by the shape function of its node, which has the same resultant and nearly the same moment.

Columns: share of the part in members thinner than three voxels; volume of the surface and of its tetrahedra
over the part's. Then three ratios of compliances. Elements: the part's voxels by quadratic tetrahedra over
the same by the voxel elements (what the elements and the spread of point loads do). Linear: the surface over
the voxel elements (by how much it differs from the figure that is reported). Same: the surface over the
voxels, both by quadratic tetrahedra (what the surface does).
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import platform
import sys
import tempfile
import time
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray
from skfem import Basis, ElementTetP2, ElementVector, LinearForm, MeshTet, asm
from skfem.models.elasticity import lame_parameters, linear_elasticity

import trabecula as tb
from benchmarks.report import SCRATCH
from trabecula.discretisation import discretise
from trabecula.problem import problems
from trabecula.surface import Mesh
from trabecula.surface.thickness import measure_thin_share

NAMES = ("cantilever_3d", "torsion", "hook", "table", "jet_bracket", "chair_leg")
EDGE = 1.25  # of a voxel: tetrahedra
HELD = 0.8  # of the shape functions at a place: those of held nodes hold it
ENVELOPE = 0.02  # of a voxel: how far the tetrahedra may be off the surface

Floats = NDArray[np.float64]


def solve(name: str, radius: float | None) -> tb.Result:
    """The projected design of a named problem, kept between runs; `radius` of the filter in voxels."""
    folder = SCRATCH / "surface" / (name if radius is None else f"{name}-{radius:g}")
    if (folder / "result.json").is_file():
        return tb.Result.load(folder)
    problem = problems.get(name)
    options = replace(problem.options, projection=True)
    if radius is not None:
        length = radius * max(problem.domain.spacing)
        options = replace(options, filter=replace(options.filter, radius=length))
    result = tb.solve(replace(problem, options=options))
    result.save(folder, picture=False)
    return result


def find_part(result: tb.Result) -> tuple[NDArray[np.bool_], float]:
    """Cells of the part, as many as the density weighs, and the density at which they are cut out."""
    density = result.density.astype(np.float64)
    count = round(float(density.sum()))
    order = np.argsort(-density.ravel(), kind="stable")
    part = np.zeros(density.size, dtype=np.bool_)
    part[order[:count]] = True
    between = float(density.ravel()[order[count - 1 : count + 1]].mean())
    return part.reshape(density.shape), min(max(between, 0.05), 0.95)


def tetrahedra(surface: Mesh, cell: Floats) -> MeshTet:
    """A body-fitted mesh of a surface, in metres."""
    sys.modules.setdefault("pyvista", types.ModuleType("pyvista"))  # 780 MB that only its pictures need
    import pytetwild

    points = surface.vertices / cell.min()
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # it leaves files where it runs
        vertices, cells = pytetwild.tetrahedralize(
            points,
            surface.faces.astype(np.int32),
            edge_length_abs=EDGE,
            epsilon=ENVELOPE / diagonal,
            num_threads=2,
        )
    used, number = np.unique(cells, return_inverse=True)
    return MeshTet(vertices[used].T * cell.min(), number.reshape(cells.shape).T)


def voxel_tetrahedra(part: NDArray[np.bool_], cell: Floats) -> MeshTet:
    """The voxels of a part, each cut into six tetrahedra around its diagonal."""
    low = np.argwhere(part)[:, ::-1]
    cells = []
    for order in itertools.permutations(range(3)):
        path = [np.zeros(3, np.int64)]
        for axis in order:
            path.append(path[-1] + np.eye(3, dtype=np.int64)[axis])
        cells.append(low[:, None] + np.array(path))
    corners = np.concatenate(cells)
    size = np.array(part.shape[::-1]) + 1
    flat = (corners[..., 2] * size[1] + corners[..., 1]) * size[0] + corners[..., 0]
    used, number = np.unique(flat, return_inverse=True)
    z, y, x = np.unravel_index(used, size[::-1])
    return MeshTet(np.stack([x, y, z]) * cell[:, None], number.reshape(flat.shape).T)


class VoxelNodes:
    """Hat functions of the nodes of a box of voxels."""

    def __init__(self, shape: tuple[int, ...], cell: Floats) -> None:
        self.shape, self.cell = shape, cell

    def at(self, points: Floats) -> sp.csr_matrix:
        """Values of all hat functions, sparse `[point, node]`; points are float64 `[(x, y, z), point]`."""
        place = np.clip(points / self.cell[:, None], 0, np.array(self.shape[::-1])[:, None] - 1.0)
        low = np.minimum(place.astype(np.int64), np.array(self.shape[::-1])[:, None] - 2)
        part = place - low
        rows, columns, values = [], [], []
        for bits in np.ndindex(2, 2, 2):
            x, y, z = (low[a] + bits[a] for a in range(3))
            rows.append(np.arange(points.shape[1]))
            columns.append((z * self.shape[1] + y) * self.shape[2] + x)
            values.append(np.prod([part[a] if bits[a] else 1 - part[a] for a in range(3)], axis=0))
        size = (points.shape[1], int(np.prod(self.shape)))
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sp.csr_matrix(entries, shape=size)


class Body:
    """A mesh of quadratic tetrahedra under the loads and supports of a problem."""

    def __init__(self, mesh: MeshTet, problem: tb.Problem) -> None:
        self.mesh, self.problem = mesh, problem
        self.discrete = discretise(problem)
        self.hats = VoxelNodes(self.discrete.fixed.shape[1:], np.array(problem.domain.spacing))
        self.basis = Basis(mesh, ElementVector(ElementTetP2()), intorder=2)
        self.dofs = [
            np.concatenate([self.basis.nodal_dofs[axis], self.basis.edge_dofs[axis]]) for axis in range(3)
        ]
        ends = mesh.p[:, mesh.edges].mean(axis=1)
        self.places = np.concatenate([mesh.p, ends], axis=1)

    def held(self) -> NDArray[np.bool_]:
        """Degrees of freedom where the voxel model holds all nodes around."""
        held = np.zeros(self.basis.N, dtype=np.bool_)
        near = self.hats.at(self.places)
        for axis, dofs in enumerate(self.dofs):
            held[dofs] = near @ self.discrete.fixed[axis].ravel().astype(np.float64) > HELD
        return held

    def forces(self) -> list[Floats]:
        """The loads of every case: each nodal load of the voxel model spread over the material near its
        node, as the shape function of the node is."""
        basis = Basis(self.mesh, ElementTetP2(), intorder=4)
        flat = basis.global_coordinates().value.reshape(3, -1)
        values = self.hats.at(flat)
        mass = values.T @ basis.dx.ravel()
        order = np.concatenate([basis.nodal_dofs[0], basis.edge_dofs[0]])
        found = []
        for load, gravity in zip(self.discrete.loads, self.discrete.gravity, strict=True):
            force = np.zeros(self.basis.N)
            for axis, dofs in enumerate(self.dofs):
                nodal = move_to_material(load[axis].ravel(), mass, self.hats)
                density = values @ np.divide(nodal, mass, out=np.zeros_like(mass), where=nodal != 0)
                density = (density + gravity[axis] * self.problem.material.density).reshape(basis.dx.shape)
                force[dofs] = asm(LinearForm(lambda v, w: w.density * v), basis, density=density)[order]
            found.append(force)
        return found

    def compliance(self) -> float:
        """Weighted compliance in J."""
        material = self.problem.material
        lame = lame_parameters(material.young, material.poisson)
        stiffness = asm(linear_elasticity(*lame), self.basis).tocsr()
        free = np.flatnonzero(~self.held())
        stiffness = stiffness[free][:, free]
        precondition = self.two_levels(stiffness, free)
        total = 0.0
        for force, weight in zip(self.forces(), self.discrete.weights, strict=True):
            found, left = spla.cg(stiffness, force[free], rtol=1e-6, maxiter=1000, M=precondition)
            if left:
                raise RuntimeError(f"{left} iterations were not enough")
            total += float(weight * (force[free] @ found))
        return total

    def two_levels(self, stiffness: sp.csr_matrix, free: NDArray[np.int64]) -> spla.LinearOperator:
        """Diagonal and linear elements, added: a preconditioner of quadratic elements."""
        rows, columns, values = [], [], []
        count = self.mesh.nvertices
        for axis in range(3):
            corner, middle = self.basis.nodal_dofs[axis], self.basis.edge_dofs[axis]
            rows += [corner, middle, middle]
            columns += [3 * np.arange(count) + axis, *(3 * self.mesh.edges + axis)]
            values += [np.ones(count), *np.full((2, len(middle)), 0.5)]
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        up = sp.csr_matrix(entries, shape=(self.basis.N, 3 * count))[free]
        up = up[:, np.flatnonzero(np.diff(up.tocsc().indptr))].tocsr()
        shift = 1e-12 * stiffness.diagonal().max()
        coarse = (up.T @ stiffness @ up).tocsc()
        coarse = spla.splu(coarse + shift * sp.identity(coarse.shape[0], format="csc"))
        diagonal = stiffness.diagonal()

        def apply(r: Floats) -> Floats:
            return r / diagonal + up @ coarse.solve(up.T @ r)

        return spla.LinearOperator(stiffness.shape, matvec=apply, dtype=np.float64)


def move_to_material(nodal: Floats, mass: Floats, hats: VoxelNodes) -> Floats:
    """Nodal loads that act on no material of the mesh, moved to the nearest node that does."""
    places = np.argwhere(np.ones(hats.shape)) * hats.cell[::-1]
    enough = mass > 0.02 * float(np.prod(hats.cell))
    if enough[nodal != 0].all():
        return nodal
    there = np.flatnonzero(enough)
    moved = np.zeros_like(nodal)
    for node in np.flatnonzero(nodal):
        near = there[np.argmin(((places[there] - places[node]) ** 2).sum(axis=1))]
        moved[near] += nodal[node]
    return moved


def measure(name: str, radius: float | None) -> dict[str, object]:
    """One row of the table."""
    result = solve(name, radius)
    problem, cell = result.problem, np.array(result.spacing)
    part, threshold = find_part(result)
    surface = replace(result.to_design(), part=part, threshold=threshold).surface
    voxels = float(np.count_nonzero(part) * np.prod(cell))
    start = time.perf_counter()
    mesh = tetrahedra(surface, cell)
    meshed = time.perf_counter()
    body = Body(mesh, problem)
    compliance = body.compliance()
    solved = time.perf_counter()
    linear = tb.evaluate(problem, part.astype(np.float64)).compliance
    quadratic = Body(voxel_tetrahedra(part, cell), problem).compliance()
    return {
        "problem": name,
        "radius": radius,
        "thin": float(measure_thin_share(part)),
        "watertight": surface.is_watertight(),
        "surface_volume": surface.volume() / voxels,
        "mesh_volume": float(body.basis.dx.sum()) / voxels,
        "elements": quadratic / linear,
        "against_linear": compliance / linear,
        "compliance": compliance / quadratic,
        "tetrahedra": mesh.nelements,
        "seconds_to_mesh": meshed - start,
        "seconds_to_solve": solved - meshed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument(
        "--radius", type=float, nargs="*", default=[], help="filter radii in voxels besides the default"
    )
    parser.add_argument("--json", type=Path, help="write the table and the machine here")
    asked = parser.parse_args()
    print(
        f"{'problem':14}{'radius':>7}{'thin':>7}{'volume':>8}{'meshed':>8}{'elements':>10}{'linear':>9}{'same':>9}{'tets':>8}{'s':>6}"
    )
    rows = []
    for name in asked.names:
        for radius in (None, *asked.radius):
            row = measure(name, radius)
            rows.append(row)
            shown = "1.5" if radius is None else f"{radius:g}"
            print(
                f"{name:14}{shown:>7}{100 * row['thin']:6.0f}%{row['surface_volume']:8.4f}"
                f"{row['mesh_volume']:8.4f}{row['elements']:10.3f}{row['against_linear']:9.3f}"
                f"{row['compliance']:9.3f}"
                f"{row['tetrahedra']:8}{row['seconds_to_mesh'] + row['seconds_to_solve']:6.0f}",
                flush=True,
            )
    if asked.json:
        asked.json.write_text(json.dumps({"machine": platform.platform(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
