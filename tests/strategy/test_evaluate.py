"""Any density, measured: against finite elements written here, finite differences, and results of solves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import trabecula as tb
from tests.responses.quantities import Displacement, Liar, Roughness
from trabecula.discretisation import discretise
from trabecula.problem import ProblemError
from trabecula.problem.model import Limit
from trabecula.strategy import evaluate as room

Array = NDArray[np.float64]
W = tb.where

PLATE = tb.Problem(
    domain=tb.Domain((1.2, 0.6), (8, 4), thickness=0.02),
    material=tb.Material(young=70e9, poisson=0.33, density=2700.0),
    supports=(tb.Support(W.Plane("x", 0.0), ("x", "y")),),
    cases=(
        tb.LoadCase((tb.Load(W.Nodes(((1.2, 0.3),)), force=(0.0, -1000.0)),), "down", 0.7),
        tb.LoadCase((tb.Load(W.Nodes(((1.2, 0.6),)), force=(300.0, 0.0)),), "along", 2.0),
    ),
    goal=tb.Goal("compliance", volume=0.6),
    name="plate",
)
SHAPE = (4, 8)


def draw(seed: int = 0, low: float = 0.2) -> Array:
    return np.random.default_rng(seed).uniform(low, 1.0, SHAPE)


def strain_matrix(h: float, r: float, s: float) -> Array:
    """B of a square with corners counted row by row, at (r, s) in -1 to 1: xx, yy, xy."""
    b = np.zeros((3, 8))
    for a, (i, j) in enumerate([(-1, -1), (1, -1), (-1, 1), (1, 1)]):
        dx, dy = i * (1 + j * s) / (2 * h), j * (1 + i * r) / (2 * h)
        b[0, 2 * a], b[1, 2 * a + 1], b[2, 2 * a], b[2, 2 * a + 1] = dx, dy, dy, dx
    return b


def reference(problem: tb.Problem, density: Array) -> tuple[list[Array], list[float], list[Array]]:
    """Displacements `[node, axis]`, compliances and von Mises stresses, by a dense matrix."""
    discrete = discretise(problem)
    rows, columns = density.shape
    h, t = problem.domain.spacing[0], problem.domain.thickness
    e, nu = problem.material.young, problem.material.poisson
    d = e / (1 - nu**2) * np.array([[1, nu, 0], [nu, 1, 0], [0, 0, (1 - nu) / 2]])
    g = 1 / np.sqrt(3)
    k0 = sum(
        strain_matrix(h, r, s).T @ d @ strain_matrix(h, r, s) * t * h**2 / 4 for r in (-g, g) for s in (-g, g)
    )
    m = problem.options.minimum_stiffness
    scale = m + (1 - m) * density**problem.options.penalty
    dofs = {}
    k = np.zeros((2 * (rows + 1) * (columns + 1),) * 2)
    for i in range(rows):
        for j in range(columns):
            nodes = [(i + a) * (columns + 1) + j + b for a in (0, 1) for b in (0, 1)]
            dofs[i, j] = [2 * n + axis for n in nodes for axis in (0, 1)]
            k[np.ix_(dofs[i, j], dofs[i, j])] += scale[i, j] * k0
    free = ~discrete.fixed.transpose(1, 2, 0).ravel()
    us, compliances, stresses = [], [], []
    for load in discrete.loads:
        f = load.transpose(1, 2, 0).ravel()
        u = np.zeros(len(f))
        u[free] = np.linalg.solve(k[np.ix_(free, free)], f[free])
        us.append(u.reshape(rows + 1, columns + 1, 2))
        compliances.append(float(f @ u))
        stress = np.zeros(density.shape)
        for place, own in dofs.items():
            x, y, xy = scale[place] * d @ strain_matrix(h, 0, 0) @ u[own]
            stress[place] = np.sqrt(x**2 + y**2 - x * y + 3 * xy**2)
        stresses.append(stress)
    return us, compliances, stresses


def test_it_agrees_with_finite_elements_written_here() -> None:
    density = draw()
    found = tb.evaluate(PLATE, density)
    us, compliances, stresses = reference(PLATE, density)
    assert list(found.compliances) == list(found.displacements) == ["down", "along"]
    np.testing.assert_allclose(list(found.compliances.values()), compliances, rtol=1e-8)
    assert found.compliance == pytest.approx(0.7 * compliances[0] + 2.0 * compliances[1], rel=1e-8)
    assert found.objective == found.compliance
    assert found.volume == pytest.approx(density.mean(), rel=1e-12)
    for name, u, stress in zip(found.displacements, us, stresses, strict=True):
        np.testing.assert_allclose(found.displacements[name].transpose(1, 2, 0), u, atol=1e-8 * abs(u).max())
        np.testing.assert_allclose(found.von_mises[name], stress, rtol=1e-6)
    assert found.word == "verified"
    assert found.certificate.equilibrium_residual is not None
    assert found.certificate.equilibrium_residual < 1e-8
    assert found.certificate.kkt_residual is None and found.certificate.lower_bound is None


def test_sensitivities_are_those_of_finite_differences() -> None:
    quantities = [Displacement(W.Plane("x", 1.2), axis=1), Roughness(seed=3), "volume"]
    problem = replace(
        PLATE, goal=tb.Goal("compliance", 0.6, limits=(Limit(Displacement(W.Plane("y", 0.6)), 1.0),))
    )
    density, step = draw(1), 1e-5
    found = tb.evaluate(problem, density, quantities)
    assert list(found.values) == list(found.sensitivities) == ["mean_displacement", "roughness", "volume"]

    def figures(at: tb.DesignEvaluation) -> Array:
        return np.array([at.objective, *(limit.value for limit in at.limits), *at.values.values()])

    slopes = np.stack(
        [found.objective_sensitivity, *found.limit_sensitivities, *found.sensitivities.values()]
    )
    for place in [(0, 0), (2, 5), (3, 7)]:
        shift = np.zeros(SHAPE)
        shift[place] = step
        up, down = (tb.evaluate(problem, density + s * shift, quantities) for s in (-1, 1))
        measured = (figures(down) - figures(up)) / (2 * step)
        np.testing.assert_allclose(slopes[(slice(None), *place)], measured, rtol=2e-5, atol=1e-12)


@pytest.mark.parametrize("name", ["cantilever", "heat_sink", "cantilever_3d"])
def test_the_density_of_a_result_measures_as_the_result_says(name: str) -> None:
    elements = (8, 4, 4) if name == "cantilever_3d" else (16, 16)
    result = tb.solve(tb.problems.get(name, elements), start="uniform", iterations=15)
    found = tb.evaluate(result.problem, result.density, bound=True)
    assert found.compliance == pytest.approx(result.compliance, rel=1e-6)
    assert found.volume == pytest.approx(result.volume, rel=1e-6)
    assert found.fits_passive and found.limits[0].met and found.status is None
    ours, its = found.certificate, result.certificate
    assert ours.lower_bound == pytest.approx(its.lower_bound, rel=0.01)
    assert ours.gap == pytest.approx(found.objective / ours.lower_bound - 1.0)  # type: ignore[operator]
    assert (ours.connected, found.word) == (its.connected, "verified")
    assert found.von_mises if name != "heat_sink" else found.fluxes


def test_the_flux_of_heat_leaves_through_the_support() -> None:
    problem = tb.Problem(
        domain=tb.Domain((1.0, 0.5), (8, 4), thickness=0.1),
        material=tb.Material(conductivity=2.0),
        supports=(tb.Support(W.Plane("x", 0.0), temperature=0.0),),
        cases=(tb.LoadCase((tb.Load(W.Plane("x", 1.0), heat=5.0),)),),
        goal=tb.Goal("thermal_compliance", volume=0.9),
    )
    found = tb.evaluate(problem, np.ones((4, 8)))
    flux = found.fluxes["load"]
    np.testing.assert_allclose(flux[0], -5.0 / (0.5 * 0.1), rtol=1e-7)
    np.testing.assert_allclose(flux[1], 0.0, atol=1e-6)
    assert found.displacements["load"].max() == pytest.approx(5.0 / (2.0 * 0.05), rel=1e-8)
    with pytest.raises(ValueError, match="no stresses in a problem of conduction"):
        found.stresses  # noqa: B018
    with pytest.raises(ValueError, match="no flux of heat"):
        tb.evaluate(PLATE, np.ones(SHAPE)).fluxes  # noqa: B018


def test_a_missed_limit_and_passive_parts_that_do_not_fit_are_said() -> None:
    problem = replace(PLATE, regions=(tb.Region(W.Range("x", 0.9, 1.2), "solid"),))
    found = tb.evaluate(problem, np.full(SHAPE, 0.7), bound=True)
    assert found.status is tb.Status.INFEASIBLE and not found.limits[0].met
    assert not found.fits_passive and found.word == "verified"
    assert found.certificate.lower_bound is not None and found.certificate.gap is None
    assert "infeasible" in repr(found) and "passive parts do not fit" in repr(found)


def test_an_empty_domain_is_measured_and_is_not_connected() -> None:
    found = tb.evaluate(PLATE, np.zeros(SHAPE, dtype=bool))
    assert found.volume == 0.0 and found.certificate.connected is False
    assert found.compliance > 1e6 * tb.evaluate(PLATE, np.ones(SHAPE, dtype=int)).compliance


def test_what_is_not_solved_is_only_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        """A state equation that gives back nothing."""

        def set_stiffness(self, relative: Array) -> None:
            pass

        def solve(self, load: Array, guess: object, tolerance: float) -> tuple[Array, Any]:
            from trabecula.physics.state import Solve

            return np.zeros_like(load), Solve(1, 1.0)

        def bilinear(self, u: Array, v: Array) -> Array:
            return np.zeros(SHAPE)

    monkeypatch.setattr(room, "solvers", lambda analysis: [Idle()])
    found = tb.evaluate(PLATE, np.ones(SHAPE))
    assert found.word == "predicted" and found.status is tb.Status.NOT_SOLVABLE


@pytest.mark.parametrize("penalty", [1.0, 3.0])
def test_the_bound_holds_for_densities_that_no_filter_makes(penalty: float) -> None:
    problem = replace(PLATE, options=replace(PLATE.options, penalty=penalty))
    bound = tb.evaluate(problem, np.full(SHAPE, 0.6), bound=True).certificate.lower_bound
    for seed in range(5):
        density = draw(seed, 0.0)
        found = tb.evaluate(problem, density * min(1.0, 0.6 / density.mean()))
        assert bound is not None and 0.0 < bound < found.objective


def test_no_bound_is_claimed_without_permission() -> None:
    unknown = tb.evaluate(replace(PLATE, goal=tb.Goal(Roughness(), 0.6)), np.full(SHAPE, 0.5), bound=True)
    assert unknown.certificate.lower_bound is None and "no bound is known" in unknown.unbounded
    liar = tb.evaluate(replace(PLATE, goal=tb.Goal(Liar(), 0.6)), np.full(SHAPE, 0.5), bound=True)
    assert liar.certificate.lower_bound is None and liar.unbounded


@pytest.mark.parametrize(
    ("density", "said"),
    [
        (np.ones((8, 4)), r"shape \(8, 4\); the problem's grid needs \(4, 8\), indexed \[y, x\]; turn it"),
        (np.ones(3), r"shape \(3,\)"),
        (np.full(SHAPE, 1.2), "from 1.2 to 1.2; they must be between 0 and 1"),
        (np.full(SHAPE, np.nan), "from nan to nan"),
        (np.full(SHAPE, "a"), "it needs real numbers"),
        (np.ones(SHAPE, dtype=complex), "it needs real numbers"),
    ],
)
def test_what_is_no_density_is_one_clear_error(density: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tb.evaluate(PLATE, density)


@pytest.mark.parametrize(
    ("quantities", "said"),
    [
        (["nonsense"], "there is no quantity 'nonsense'"),
        ([3], "it needs names and objects"),
        (["thermal_compliance"], "belongs to conduction; the problem is one of elasticity"),
        (["volume", "volume"], "holds 'volume' twice"),
    ],
)
def test_what_is_no_quantity_is_one_clear_error(quantities: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tb.evaluate(PLATE, np.ones(SHAPE), quantities)


def test_a_meaningless_problem_is_refused_and_so_are_no_threads() -> None:
    with pytest.raises(ProblemError, match="supports"):
        tb.evaluate(replace(PLATE, supports=(tb.Support(W.Plane("x", 0.0), ("x",)),)), np.ones(SHAPE))
    with pytest.raises(ValueError, match="threads is 0"):
        tb.evaluate(PLATE, np.ones(SHAPE), threads=0)


def test_labels_tell_quantities_of_one_name_apart_and_the_density_is_a_copy() -> None:
    given = np.full(SHAPE, 0.5)
    edges = {side: Displacement(W.Plane("y", at), axis=1) for side, at in (("bottom", 0.0), ("top", 0.6))}
    found = tb.evaluate(PLATE, given, edges)
    assert list(found.values) == ["bottom", "top"] and found.values["top"] < 0.0
    given[:] = 0.0
    assert found.density.min() == 0.5
    assert len(repr(found)) < 200
    assert found.to_json()["values"] == found.values
