"""Values and sensitivities of quantities, against finite differences through the whole chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.design.models import PLANE, SOLID, DenseState, directional, discrete, random_density
from tests.responses.quantities import Displacement, Roughness
from trabecula.design import DesignChain, make_interpolation
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.physics.assembled import AssembledState
from trabecula.physics.body_force import body_force, body_force_adjoint
from trabecula.problem.model import FilterOptions, Goal, Limit, Options
from trabecula.problem.where import Plane
from trabecula.responses import DesignPoint, Limited, Quantity, formulate
from trabecula.responses.compliance import CaseCompliance, Compliance, ThermalCompliance
from trabecula.responses.volume import Volume

BETA = 3.0


def measure(problem: DiscreteProblem, x: np.ndarray) -> DesignPoint:
    physical = DesignChain(problem, 1).physical(x, BETA)
    return DesignPoint(problem, AssembledState(problem), physical, make_interpolation(problem))


PROBLEMS = {
    "plain": discrete(PLANE),
    "solid block, passive parts": discrete(SOLID, passive=True),
    "several cases": discrete(PLANE, cases=3, passive=True),
    "own weight": discrete(PLANE, gravity=(1.0, -9.81), cases=2),
    "own weight in a solid, simp": discrete(
        SOLID, gravity=(0.0, -9.81, 2.0), passive=True, options=Options(interpolation="simp")
    ),
    "heat": discrete(PLANE, heat=True, goal=Goal("thermal_compliance", volume=0.4)),
    "heat in a solid": discrete(SOLID, heat=True, goal=Goal("thermal_compliance", volume=0.4)),
    "no filter": discrete(PLANE, options=Options(filter=FilterOptions("none"))),
    "helmholtz, projection": discrete(
        PLANE, passive=True, options=Options(filter=FilterOptions("helmholtz", 1.7), projection=True)
    ),
    "projection, ramp, symmetry": discrete(
        SOLID, options=Options(projection=True, interpolation="ramp", symmetry=("y",))
    ),
    "least volume": discrete(PLANE, cases=2, goal=Goal("volume", compliance=(10.0,))),
    "least volume, a limit a case": discrete(PLANE, cases=2, goal=Goal("volume", compliance=(10.0, 7.0))),
    "own quantities": discrete(
        PLANE,
        cases=2,
        gravity=(1.0, -3.0),
        goal=Goal(
            Displacement(Plane("x", 7.0), axis=1),
            limits=(Limit(Roughness(3), 0.2), Limit("compliance", 3.0, "at_least")),
        ),
    ),
}


@pytest.mark.parametrize("in_own_units", [False, True])
@pytest.mark.parametrize("name", PROBLEMS)
def test_sensitivities_match_finite_differences_through_the_chain(name: str, in_own_units: bool) -> None:
    problem = nondimensional(PROBLEMS[name]).problem if in_own_units else PROBLEMS[name]
    chain, formulation = DesignChain(problem, 1), formulate(problem)
    x = random_density(problem)
    direction = np.random.default_rng(1).normal(size=x.shape) * (problem.upper > problem.lower)
    quantities = [formulation.objective, *(limited.quantity for limited in formulation.limits)]
    for quantity in quantities:
        gradient = chain.pullback(x, BETA, quantity.gradient(measure(problem, x)))
        expected = directional(lambda v, q=quantity: q.value(measure(problem, v)), x, direction)
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_quantities_are_in_si_whatever_units_the_solver_works_in(name: str) -> None:
    problem = PROBLEMS[name]
    problem = replace(problem, material=replace(problem.material, young=2e11, density=7850.0))
    scaled, x = nondimensional(problem).problem, random_density(problem)
    ours, theirs = formulate(problem), formulate(scaled)
    pairs = zip((ours.objective, *ours.limits), (theirs.objective, *theirs.limits), strict=True)
    for one, other in pairs:
        first, second = (q.quantity if isinstance(q, Limited) else q for q in (one, other))
        a, b = measure(problem, x), measure(scaled, x)
        assert first.value(a) == pytest.approx(second.value(b), rel=1e-9)
        np.testing.assert_allclose(first.gradient(a), second.gradient(b), rtol=1e-6, atol=1e-9)
        if isinstance(one, Limited) and isinstance(other, Limited):
            assert one.limit == other.limit


def test_compliance_is_the_energy_at_equilibrium() -> None:
    problem = discrete(SOLID, cases=2)
    at = measure(problem, random_density(problem))
    sums = [float(np.sum(at.stiffness * at.energy(case)[0])) for case in range(2)]
    assert [at.compliance(case) for case in range(2)] == pytest.approx(sums, rel=1e-10)
    state = DenseState(problem)
    state.set_stiffness(at.stiffness)
    dense = [float(np.sum(load * state.solve(load)[0])) for load in problem.loads]
    assert [at.compliance(case) for case in range(2)] == pytest.approx(dense, rel=1e-9)


def test_the_weighted_compliance_is_the_sum_of_those_of_the_cases() -> None:
    problem = discrete(PLANE, cases=2)
    at = measure(problem, random_density(problem))
    parts = [CaseCompliance(case=case) for case in range(2)]
    total = sum(w * part.value(at) for w, part in zip(problem.weights, parts, strict=True))
    assert Compliance().value(at) == pytest.approx(total)
    gradient = sum(w * part.gradient(at) for w, part in zip(problem.weights, parts, strict=True))
    np.testing.assert_allclose(Compliance().gradient(at), gradient)


def test_a_problem_becomes_its_objective_and_limits() -> None:
    stiff = formulate(PROBLEMS["several cases"])
    assert isinstance(stiff.objective, Compliance) and isinstance(stiff.limits[0].quantity, Volume)
    assert stiff.limits[0].limit == 0.4
    light = formulate(PROBLEMS["least volume"])
    assert isinstance(light.objective, Volume)
    assert [limited.limit for limited in light.limits] == [10.0]
    each = formulate(PROBLEMS["least volume, a limit a case"])
    assert [limited.quantity for limited in each.limits] == [CaseCompliance(0), CaseCompliance(1)]
    assert isinstance(formulate(PROBLEMS["heat"]).objective, ThermalCompliance)


def test_a_limit_is_kept_where_its_excess_is_not_positive() -> None:
    half = Limited(Volume(), 0.5)
    assert half.excess(0.5) == 0.0 and half.excess(0.6) == pytest.approx(0.2)
    least = Limited(Volume(), 0.5, "at_least")
    assert least.excess(0.6) == pytest.approx(-0.2) and least.excess(0.4) == pytest.approx(0.2)
    below_zero = Limited(Roughness(), -2.0)
    assert below_zero.excess(-3.0) == pytest.approx(-0.5) and below_zero.excess(-1.0) == pytest.approx(0.5)
    for limited, value in ((half, 0.7), (least, 0.2), (below_zero, -1.7)):
        assert limited.value_of(limited.excess(value)) == pytest.approx(value)


@pytest.mark.parametrize("elements,gravity", [(PLANE, (1.0, -9.81)), (SOLID, (0.0, -9.81, 3.0))])
def test_own_weight_is_mass_times_gravity(elements: tuple[int, ...], gravity: tuple[float, ...]) -> None:
    problem = discrete(elements, gravity=gravity)
    physical = np.zeros(problem.grid.shape)
    physical[..., 1:] = random_density(problem)[..., 1:]  # nothing beside the held face
    load = body_force(problem, physical, 0)
    mass = 3.0 * problem.grid.element_volume * physical.sum()
    assert load.reshape(len(elements), -1).sum(axis=1) == pytest.approx(mass * np.array(gravity))


@pytest.mark.parametrize("elements,gravity", [(PLANE, (1.0, -9.81)), (SOLID, (0.0, -9.81, 3.0))])
def test_own_weight_and_its_adjoint_are_transposes_and_skip_held_nodes(
    elements: tuple[int, ...], gravity: tuple[float, ...]
) -> None:
    problem = discrete(elements, gravity=gravity)
    rng = np.random.default_rng(0)
    physical, u = rng.random(problem.grid.shape), rng.normal(size=problem.fixed.shape)
    load = body_force(problem, physical, 0)
    assert np.all(load[problem.fixed] == 0.0)
    assert np.sum(load * u) == pytest.approx(np.sum(body_force_adjoint(problem, u, 0) * physical))


def test_a_case_without_gravity_has_no_own_weight() -> None:
    problem = discrete(PLANE)
    assert not body_force(problem, np.ones(problem.grid.shape), 0).any()
    assert not body_force_adjoint(problem, np.ones(problem.fixed.shape), 0).any()


def test_a_promise_does_not_pass_on_to_what_measures_something_else() -> None:
    class Twice(Compliance):
        """Twice as much."""

        def value(self, at: DesignPoint) -> float:
            return 2.0 * super().value(at)

    class Renamed(Compliance):
        """The same by another name."""

    class Heavy(Volume):
        """Another slope."""

        def gradient(self, at: DesignPoint) -> np.ndarray:
            return 3.0 * super().gradient(at)

    problem = discrete(PLANE)
    assert Twice().compliance_weights(problem) is None
    assert Heavy().material_share(problem) is None
    assert Renamed().compliance_weights(problem) is problem.weights
    assert Quantity.material_share(Roughness(), problem) is None
