"""Goals: values and sensitivities against finite differences through the whole chain."""

import numpy as np
import pytest

from tests.design.models import PLANE, SOLID, DenseState, directional, discrete, random_density
from trabecula.design import DesignChain, make_interpolation
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.physics.body_force import body_force, body_force_adjoint
from trabecula.problem.model import Filter, Options
from trabecula.problem.model import Goal as Asked
from trabecula.responses import (
    Compliance,
    Goal,
    Limited,
    Response,
    Volume,
    formulate,
)

BETA = 3.0


def respond(problem: DiscreteProblem, chain: DesignChain, x: np.ndarray) -> Response:
    state, scheme = DenseState(problem), make_interpolation(problem)
    physical = chain.physical(x, BETA)
    relative = scheme.value(physical)
    cases = range(len(problem.loads))
    loads = [problem.loads[case] + body_force(problem, physical, case) for case in cases]
    displacements = [state.solve(relative, load) for load in loads]
    return Response(
        physical,
        scheme.derivative(physical),
        [state.energy(u) for u in displacements],
        [float(np.sum(f * u)) for f, u in zip(loads, displacements, strict=True)],
        displacements,
    )


PROBLEMS = {
    "plain": discrete(PLANE),
    "solid block, passive parts": discrete(SOLID, passive=True),
    "several cases": discrete(PLANE, cases=3, passive=True),
    "own weight": discrete(PLANE, gravity=(1.0, -9.81), cases=2),
    "own weight in a solid, simp": discrete(
        SOLID, gravity=(0.0, -9.81, 2.0), passive=True, options=Options(interpolation="simp")
    ),
    "heat": discrete(PLANE, heat=True, goal=Asked("thermal_compliance", volume=0.4)),
    "heat in a solid": discrete(SOLID, heat=True, goal=Asked("thermal_compliance", volume=0.4)),
    "no filter": discrete(PLANE, options=Options(filter=Filter("none"))),
    "helmholtz, projection": discrete(
        PLANE, passive=True, options=Options(filter=Filter("helmholtz", 1.7), projection=True)
    ),
    "projection, ramp, symmetry": discrete(
        SOLID, options=Options(projection=True, interpolation="ramp", symmetry=("y",))
    ),
    "least volume": discrete(PLANE, cases=2, goal=Asked("volume", compliance=(10.0,))),
    "least volume, a limit a case": discrete(PLANE, cases=2, goal=Asked("volume", compliance=(10.0, 7.0))),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_sensitivities_match_finite_differences_through_the_chain(name):
    problem = PROBLEMS[name]
    chain, formulation = DesignChain(problem, 1), formulate(problem)
    x = random_density(problem)
    direction = np.random.default_rng(1).normal(size=x.shape) * (problem.upper > problem.lower)
    response = respond(problem, chain, x)
    goals: list[Goal] = [formulation.objective, *formulation.constraints]
    for goal in goals:
        gradient = chain.pullback(x, BETA, goal.sensitivity(response))
        expected = directional(lambda v, g=goal: g.value(respond(problem, chain, v)), x, direction)
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_compliance_is_the_energy_at_equilibrium():
    problem = discrete(SOLID, cases=2)
    chain = DesignChain(problem, 1)
    response = respond(problem, chain, random_density(problem))
    relative = make_interpolation(problem).value(response.physical)
    sums = [np.sum(relative * energy) for energy in response.energies]
    assert response.compliances == pytest.approx(sums, rel=1e-10)


def test_weights_count_and_zero_weight_leaves_a_case_out():
    problem = discrete(PLANE, cases=2)
    response = respond(problem, DesignChain(problem, 1), random_density(problem))
    first, second = Compliance(problem, (1.0, 0.0)), Compliance(problem, (0.0, 1.0))
    both = Compliance(problem, (2.0, 0.5))
    assert both.value(response) == pytest.approx(2.0 * first.value(response) + 0.5 * second.value(response))
    mixed = 2.0 * first.sensitivity(response) + 0.5 * second.sensitivity(response)
    assert both.sensitivity(response) == pytest.approx(mixed)


def test_a_problem_becomes_its_objective_and_constraints():
    stiff = formulate(PROBLEMS["several cases"])
    assert isinstance(stiff.objective, Compliance) and isinstance(stiff.constraints[0].goal, Volume)
    assert stiff.constraints[0].limit == 0.4
    light = formulate(PROBLEMS["least volume"])
    assert isinstance(light.objective, Volume)
    assert [c.limit for c in light.constraints] == [10.0]
    each = formulate(PROBLEMS["least volume, a limit a case"])
    assert [c.goal.weights for c in each.constraints if isinstance(c.goal, Compliance)] == [
        (1.0, 0.0),
        (0.0, 1.0),
    ]


def test_a_limit_is_met_where_the_constraint_is_not_positive():
    problem = discrete(PLANE)
    response = respond(problem, DesignChain(problem, 1), np.full((5, 7), 0.5))
    assert Limited(Volume(problem), 0.5).value(response) == pytest.approx(0.0, abs=1e-14)
    assert Limited(Volume(problem), 0.4).value(response) == pytest.approx(0.25)


@pytest.mark.parametrize("elements,gravity", [(PLANE, (1.0, -9.81)), (SOLID, (0.0, -9.81, 3.0))])
def test_own_weight_is_mass_times_gravity(elements, gravity):
    problem = discrete(elements, gravity=gravity)
    physical = np.zeros(problem.grid.shape)
    physical[..., 1:] = random_density(problem)[..., 1:]  # nothing beside the held face
    load = body_force(problem, physical, 0)
    mass = 3.0 * problem.grid.element_volume * physical.sum()
    assert load.reshape(len(elements), -1).sum(axis=1) == pytest.approx(mass * np.array(gravity))


@pytest.mark.parametrize("elements,gravity", [(PLANE, (1.0, -9.81)), (SOLID, (0.0, -9.81, 3.0))])
def test_own_weight_and_its_adjoint_are_transposes_and_skip_held_nodes(elements, gravity):
    problem = discrete(elements, gravity=gravity)
    rng = np.random.default_rng(0)
    physical, u = rng.random(problem.grid.shape), rng.normal(size=problem.fixed.shape)
    load = body_force(problem, physical, 0)
    assert np.all(load[problem.fixed] == 0.0)
    assert np.sum(load * u) == pytest.approx(np.sum(body_force_adjoint(problem, u, 0) * physical))


def test_a_case_without_gravity_has_no_own_weight():
    problem = discrete(PLANE)
    assert not body_force(problem, np.ones(problem.grid.shape), 0).any()
    assert not body_force_adjoint(problem, np.ones(problem.fixed.shape), 0).any()
