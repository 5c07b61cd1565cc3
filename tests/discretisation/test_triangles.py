"""The whole package on a mesh it knows nothing of: unstructured triangles, from a file of these tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from tests.discretisation.triangles import TriangleDomain, TriangleMesh, mesh_of
from tests.responses.quantities import Displacement
from trabecula.discretisation import discretise
from trabecula.optimize.analysis import Analysis
from trabecula.problem import ProblemError
from trabecula.problem.model import FilterOptions as FilterRequest
from trabecula.problem.where import Nodes, Plane, Range

skfem = pytest.importorskip("skfem")


def jittered(columns: int = 20, rows: int = 10, seed: int = 0) -> TriangleMesh:
    """Triangles of every size and shape in a rectangle of 2 by 1: Delaunay of points off their lattice."""
    from scipy.spatial import Delaunay

    x, y = np.meshgrid(np.linspace(0, 2, columns + 1), np.linspace(0, 1, rows + 1))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    inside = (points > 1e-9).all(axis=1) & (points < np.array([2, 1]) - 1e-9).all(axis=1)
    shift = np.random.default_rng(seed).uniform(-0.3, 0.3, points.shape) * [2 / columns, 1 / rows]
    points[inside] += shift[inside]
    return mesh_of(skfem.MeshTri(points.T.copy(), Delaunay(points).simplices.T.copy()), thickness=0.1)


MESH = jittered()
PROBLEM = tb.Problem(
    domain=TriangleDomain(MESH),  # type: ignore[arg-type]
    supports=(tb.Support(Plane("x", 0.0), ("x", "y")),),
    cases=(tb.LoadCase((tb.Load(Nodes(((2.0, 0.5),)), force=(0.0, -1e3)),)),),
    goal=tb.Goal(volume=0.4),
    material=tb.Material(young=70e9, poisson=0.33, density=2700.0),
    options=tb.Options(filter=FilterRequest("density", 0.15)),
    name="Triangles",
)


def test_the_state_is_that_of_scikit_fem() -> None:
    """Another assembly of the same elements, at densities that vary."""
    from skfem.helpers import ddot, sym_grad, trace

    mesh = skfem.MeshTri(MESH.points.T.copy(), MESH.triangles.T.copy())
    basis = skfem.Basis(mesh, skfem.ElementVector(skfem.ElementTriP1()))
    discrete = discretise(PROBLEM)
    relative = np.random.default_rng(1).uniform(0.1, 1.0, MESH.count)
    young, nu = discrete.material.young, discrete.material.poisson
    mu, lam = young / (2 * (1 + nu)), young * nu / (1 - nu**2)

    @skfem.BilinearForm
    def stiffness(u, v, w):  # type: ignore[no-untyped-def]
        strain, test = sym_grad(u), sym_grad(v)
        return w["scale"] * (2 * mu * ddot(strain, test) + lam * trace(strain) * trace(test))

    scale = (0.1 * relative)[:, None] * np.ones((1, basis.X.shape[1]))
    matrix = stiffness.assemble(basis, scale=scale)
    load = np.zeros(basis.N)
    load[basis.nodal_dofs[0]], load[basis.nodal_dofs[1]] = discrete.loads[0]
    held = basis.nodal_dofs[:, discrete.fixed[0]].ravel()
    u = skfem.solve(*skfem.condense(matrix, load, D=held))
    state = MESH.state(discrete)
    state.set_stiffness(relative)
    found, how = state.solve(discrete.loads[0])
    assert how.residual < 1e-9
    np.testing.assert_allclose(found, u[basis.nodal_dofs], atol=1e-9 * np.abs(u).max())


@pytest.mark.parametrize("gravity", [None, (0.0, -9.81)])
def test_gradients_match_finite_differences(gravity: tuple[float, ...] | None) -> None:
    loads = PROBLEM.cases[0].loads + (() if gravity is None else (tb.Load(gravity=gravity),))
    tip = Displacement(Plane("x", 2.0), axis=1)
    goal = tb.Goal("compliance", 0.4, limits=(tb.problem.model.Limit(tip, -1e-5, "at_least"),))
    problem = replace(PROBLEM, cases=(replace(PROBLEM.cases[0], loads=loads),), goal=goal)
    analysis = Analysis(discretise(problem), 1)
    rng = np.random.default_rng(2)
    x, direction, h = rng.uniform(0.3, 0.8, MESH.shape), rng.normal(size=MESH.shape), 1e-6
    found = analysis.evaluate(x, 3.0, tolerance=1e-12)
    ends = [analysis.evaluate(x + s * h * direction, 3.0, tolerance=1e-12) for s in (1, -1)]
    slope = (ends[0].objective - ends[1].objective) / (2 * h)
    assert np.sum(found.gradient * direction) == pytest.approx(slope, rel=1e-5)
    for constraint, first, second in zip(
        found.constraints, ends[0].constraints, ends[1].constraints, strict=True
    ):
        slope = (first.value - second.value) / (2 * h)
        assert np.sum(constraint.gradient * direction) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("start", ["uniform", "coarse"])
def test_a_design_on_triangles_is_certified_and_checked(start: str) -> None:
    result = tb.solve(PROBLEM, start=start, threads=1)
    assert result.converged and result.word in ("verified", "certified")
    assert not result.not_certified.startswith("no") and "KKT" not in result.not_certified
    part = result.part
    assert part is not None and part.pieces == 1 and part.held and part.loaded == 1.0
    assert part.volume == pytest.approx(0.4, abs=0.01) and part.mass > 0.0
    assert sum(force[1] for force in part.cases[0].reactions) == pytest.approx(1e3, rel=1e-8)
    certificate = result.certificate
    assert certificate.equilibrium_residual is not None and certificate.equilibrium_residual < 1e-8
    assert certificate.lower_bound is not None and certificate.gap is not None
    assert 0.0 < certificate.lower_bound < result.compliance
    used = (result.density * MESH.areas).sum() / MESH.areas.sum()
    assert result.volume == pytest.approx(0.4, rel=1e-6) and used == pytest.approx(0.4, rel=1e-5)
    found = result.check(threads=1)
    assert found.ok, [check for check in found.checks if check.verdict == "differs"]


def test_the_bound_holds_for_every_design_on_the_mesh() -> None:
    convex = replace(PROBLEM, options=replace(PROBLEM.options, penalty=1.0, filter=FilterRequest("none")))
    result = tb.solve(convex, start="uniform", threads=1)
    bound = result.certificate.lower_bound
    assert bound is not None and result.certificate.gap is not None
    assert result.certificate.gap < 0.02  # convex: the bound is sharp
    analysis = Analysis(discretise(convex), 1)
    rng = np.random.default_rng(3)
    for _ in range(20):
        x = np.clip(result.design + 0.3 * rng.normal(size=MESH.shape), 0.0, 1.0)
        x = analysis.chain.within(x, 0.4)
        assert analysis.evaluate(x, 1.0, tolerance=1e-10).objective >= bound


def test_passive_parts_own_weight_and_least_volume_work_on_triangles() -> None:
    bar = tb.Region(Range("y", 0.9, 1.0), "solid")
    heavy = replace(PROBLEM.cases[0], loads=(*PROBLEM.cases[0].loads, tb.Load(gravity=(0.0, -9.81))))
    result = tb.solve(replace(PROBLEM, regions=(bar,), cases=(heavy,)), start="uniform", threads=1)
    assert (result.density[MESH.select_elements(bar.where)] == 1.0).all()
    assert result.word == "verified" and result.check(threads=1).ok
    reference = tb.solve(PROBLEM, start="uniform", threads=1)
    light = replace(PROBLEM, goal=tb.Goal("volume", compliance=(1.2 * reference.compliance,)))
    least = tb.solve(light, start="uniform", threads=1)
    assert least.volume < reference.volume and least.check(threads=1).ok
    assert least.certificate.lower_bound is not None and least.certificate.lower_bound < least.volume


def test_a_solve_on_triangles_resumes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    whole = tb.solve(PROBLEM, start="uniform", threads=1)
    tb.solve(PROBLEM, start="uniform", threads=1, iterations=8, out=tmp_path)
    again = tb.solve(PROBLEM, start="uniform", threads=1, out=tmp_path, resume=True)
    np.testing.assert_array_equal(again.design, whole.design)


def test_what_has_no_file_form_says_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    result = tb.solve(PROBLEM, start="uniform", threads=1, iterations=5)
    with pytest.raises(ProblemError, match="no form in a problem file"):
        result.save(tmp_path / "out")
