"""What follows from a goal and its limits, and that nothing follows without permission."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trabecula as tb
from tests.responses.quantities import Displacement, Liar, Roughness
from trabecula.certificate.bound import UNKNOWN_GOAL, lower_bound, reason_unbounded
from trabecula.discretisation import discretise
from trabecula.optimizers import make_optimizer
from trabecula.problem import ProblemError, dump, loads
from trabecula.problem.model import Goal, Limit
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.where import Plane
from trabecula.responses.compliance import CaseCompliance

CANTILEVER = tb.problems.cantilever(elements=(24, 12))
PLATE = replace(CANTILEVER, options=replace(CANTILEVER.options, projection=False))


def ask(goal: Goal) -> tb.Problem:
    return replace(PLATE, goal=goal)


def test_optimality_criteria_apply_where_one_side_is_material_and_the_other_a_compliance() -> None:
    def name(goal: Goal) -> str:
        return type(make_optimizer(discretise(ask(goal)), 1)).__name__

    assert name(Goal("compliance", volume=0.4)) == "OptimalityCriteria"
    assert name(Goal("volume", compliance=(90.0,))) == "OptimalityCriteria"
    assert name(Goal("compliance", 0.4, limits=(Limit(Roughness(), 1.0),))) == "MovingAsymptotes"
    assert name(Goal(Roughness(), volume=0.4)) == "MovingAsymptotes"
    assert name(Goal("compliance", 0.4, maximize=True)) == "MovingAsymptotes"
    assert name(Goal("compliance", limits=(Limit("volume", 0.4, "at_least"),))) == "MovingAsymptotes"


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1000), shift=st.floats(-3.0, 3.0), maximize=st.booleans(), limited=st.booleans())
def test_a_goal_that_is_not_known_is_never_certified(
    seed: int, shift: float, maximize: bool, limited: bool
) -> None:
    limits = (Limit(Roughness(seed + 1), 0.3),) if limited else ()
    goal = Goal(Roughness(seed, shift), volume=0.5, limits=limits, maximize=maximize)
    result = tb.solve(ask(goal), start="uniform", iterations=12, threads=1)
    assert result.word == "verified"
    assert result.certificate.lower_bound is None and result.certificate.gap is None
    assert result.check().ok, result.check().differing


def test_what_breaks_its_promise_gets_no_bound() -> None:
    result = tb.solve(ask(Goal(Liar(), volume=0.5)), start="uniform", iterations=8, threads=1)
    assert result.word == "verified" and result.certificate.lower_bound is None


def test_a_goal_without_a_rule_says_that_no_bound_is_known() -> None:
    discrete = discretise(ask(Goal(Roughness(), volume=0.5)))
    assert reason_unbounded(discrete) == UNKNOWN_GOAL == "no bound is known for this goal"
    assert lower_bound(discrete, list(discrete.loads)).value is None


def test_a_bound_ignores_limits_it_says_nothing_of() -> None:
    plain = tb.solve(PLATE, start="uniform", iterations=30, threads=1)
    more = replace(PLATE, goal=replace(PLATE.goal, limits=(Limit(Roughness(4), 0.02),)))
    result = tb.solve(more, start="uniform", threads=1)
    assert result.certificate.lower_bound == pytest.approx(plain.certificate.lower_bound, rel=1e-6)
    assert result.limits[1].met and result.limits[1].value <= 0.02 * (1 + 1e-5)
    assert result.check().ok, result.check().differing


def measure(result: tb.Result, quantity: Displacement) -> float:
    from trabecula.optimize.analysis import Analysis

    at = Analysis(discretise(result.problem), 1).measure(result.design, result.penalty, tolerance=1e-10)
    return quantity.value(at)


TIP = Displacement(PLATE.cases[0].loads[0].where, axis=1)
FORCE = -10e3


def test_a_limit_on_the_deflection_is_one_on_the_compliance_where_one_point_is_loaded() -> None:
    reference = tb.solve(PLATE, start="uniform", threads=1)
    assert FORCE * measure(reference, TIP) == pytest.approx(reference.compliance, rel=1e-6)
    allowed = 1.1 * reference.compliance
    options = replace(PLATE.options, optimizer="mma")
    by_compliance = replace(PLATE, options=options, goal=Goal("volume", compliance=(allowed,)))
    by_deflection = ask(Goal("volume", limits=(Limit(TIP, allowed / FORCE, "at_least"),)))
    known, found = (
        tb.solve(one, start="uniform", iterations=120, threads=1) for one in (by_compliance, by_deflection)
    )
    assert found.converged and found.limits[0].met
    assert found.volume == pytest.approx(known.volume, rel=2e-3)
    assert found.compliance == pytest.approx(allowed, rel=2e-3)
    assert found.volume < reference.volume
    assert found.certificate.kkt_residual is not None and found.certificate.kkt_residual < 0.05
    bounds = [one.certificate.lower_bound for one in (known, found)]
    assert bounds[0] is not None and bounds[1] is None and found.word == "verified"  # it promises nothing
    assert found.check().ok, found.check().differing


@pytest.mark.parametrize("start", ["uniform", "coarse"])
def test_an_objective_of_either_sign_is_minimised_and_maximised(start: str) -> None:
    for maximize in (False, True):
        goal = Goal(Roughness(1, -1.0), volume=0.5, maximize=maximize)
        result = tb.solve(ask(goal), start=start, iterations=60, threads=1)
        even = np.full(result.design.shape, 0.5)
        at_start = float((np.random.default_rng(1).normal(size=even.shape) * even**2).mean()) - 1.0
        assert (result.objective > at_start) if maximize else (result.objective < at_start)
        row = float(result.history[-1]["objective"])
        assert row == pytest.approx(result.objective, rel=0.05)


@pytest.fixture
def registered() -> None:
    QUANTITIES.register("mean_displacement", Displacement)


@pytest.mark.usefixtures("registered")
def test_goals_and_limits_survive_the_file() -> None:
    goal = Goal(
        Displacement(Plane("x", 2.0), axis=1),
        volume=0.4,
        limits=(Limit("compliance", 3.0), Limit(Displacement(Plane("x", 2.0)), 0.5, "at_least")),
        maximize=True,
    )
    text = dump(ask(goal))
    assert "maximize: mean_displacement" in text and "sense: at_least" in text
    assert loads(text) == ask(goal)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("limits", "where", "said"),
    [
        ([{"stress": 3}], "limits[0]", "exactly one quantity"),
        ([{"compliance": 0}], "limits[0].compliance", "not 0"),
        ([{"compliance": 3, "volume": 0.4}], "limits[0]", "names compliance and volume"),
        ([{"compliance": 3, "sense": "below"}], "limits[0].sense", "at_most, at_least"),
        ([{"mean_displacement": 3}], "limits[0].where", "missing"),
        ([{"mean_displacement": 3, "where": {"x": 0}, "axis": 7}], "limits[0].axis", "from 0 to 2"),
        ([{"compliance": 3, "axis": 0}], "limits[0].axis", "unknown key"),
        ("volume", "limits", "a list"),
        ([3], "limits[0]", "a mapping"),
    ],
)
def test_a_bad_limit_is_refused_with_its_place(limits: object, where: str, said: str) -> None:
    from trabecula.problem.write import to_tree

    with pytest.raises(ProblemError, match=r"\w") as caught:
        tb.parse({**to_tree(PLATE), "limits": limits})
    assert caught.value.where == where
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("problem", "quantity"),
    [
        (PLATE, "thermal_compliance"),
        (tb.problems.heat_sink(elements=(16, 16)), "compliance"),
        (tb.problems.heat_sink(elements=(16, 16)), CaseCompliance(0)),
    ],
    ids=["heat in a plate", "stiffness in a heat sink", "as an object"],
)
def test_a_quantity_of_another_physics_is_refused(
    problem: tb.Problem, quantity: object, tmp_path: Path
) -> None:
    limited = replace(problem, goal=replace(problem.goal, limits=(Limit(quantity, 3.0),)))
    with pytest.raises(ProblemError, match="the problem is one of"):
        tb.solve(limited, out=tmp_path / "out", threads=1)
    assert not (tmp_path / "out").exists()


def test_a_plain_limit_may_stand_in_the_list() -> None:
    from trabecula.problem.write import to_tree

    tree = to_tree(PLATE)
    volume = tree["goal"].pop("volume")
    assert tb.parse({**tree, "limits": [{"volume": volume}]}) == PLATE
    light = tb.parse({**tree, "goal": {"minimize": "volume"}, "limits": [{"compliance": 12.5}]})
    assert light.goal == Goal("volume", compliance=(12.5,))
