"""A problem in units of its own is the same problem, digit for digit, whatever units it was stated in."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trabecula as tb
from tests.problem.plates import BLOCK, HEATED, PLATE, bent
from trabecula.discretisation import discretise
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.optimize.analysis import Analysis
from trabecula.problem import ProblemError, parse

HEAVY = bent(PLATE, loads__1={"gravity": [0, -9.81]}, material="steel")
SEVERAL = bent(
    BLOCK,
    loads=None,
    cases=[
        {"name": "down", "weight": 2, "loads": [{"where": {"x": 4}, "force": [0, -1e6, 0]}]},
        {"name": "aside", "weight": 1e-3, "loads": [{"where": {"x": 4}, "force": [0, 0, 1e-6]}]},
    ],
    goal={"minimize": "volume", "compliance": [1.0, 1e-20]},
)
del SEVERAL["loads"]


@pytest.mark.parametrize("tree", [PLATE, BLOCK, HEATED, HEAVY, SEVERAL])
def test_it_is_the_same_problem_to_the_last_digit(tree: dict[str, Any]) -> None:
    discrete = discretise(parse(tree))
    scaled = nondimensional(discrete)
    x = np.random.default_rng(1).uniform(0.2, 1.0, discrete.grid.shape)
    given = Analysis(discrete, 1).evaluate(x, 3.0, tolerance=1e-6)
    inside = Analysis(scaled.problem, 1).evaluate(x, 3.0, tolerance=1e-6)
    assert scaled.compliance * inside.compliance == given.compliance
    assert inside.volume == given.volume
    assert [c.value for c in inside.constraints] == [c.value for c in given.constraints]
    unit = 1.0 if discrete.goal.minimize == "volume" else scaled.compliance
    np.testing.assert_array_equal(unit * inside.gradient, given.gradient)


def test_what_is_inside_is_of_the_order_of_one() -> None:
    tree = bent(PLATE, material={"young": 2e29, "poisson": 0.3}, loads__0__force=[0, -1e-25])
    tree["loads"][0]["where"] = {"x": 6e-8}
    tree["domain"] = {"size": [6e-8, 1e-8], "elements": [24, 4], "thickness": 1e8}
    inside = nondimensional(discretise(parse(tree))).problem
    assert 0.5 <= max(inside.grid.spacing) < 1.0
    assert 0.5 <= inside.grid.thickness < 1.0
    assert 0.5 <= inside.material.young < 1.0
    assert 0.5 <= float(np.abs(inside.loads).max()) < 1.0
    assert 0.5 <= float(inside.weights.max()) < 1.0


def stated_in(unit: float) -> dict[str, Any]:
    """The same steel plate with lengths in `unit` metres, stresses to match, forces in newtons."""
    per = 1.0 / unit
    return bent(
        PLATE,
        domain={"size": [2 * per, 1 * per], "elements": [32, 16], "thickness": 0.5 * per},
        material={"young": 210e9 / per**2, "poisson": 0.3},
        loads=[{"where": {"x": 2 * per, "y": 0}, "force": [0, -1000]}],
        options={"filter": {"radius": 0.12 * per}},
    )


def test_the_units_of_a_file_do_not_change_the_design() -> None:
    in_metres = tb.solve(parse(stated_in(1.0)), proposals=2, threads=1)
    in_powers = tb.solve(parse(stated_in(2.0**-10)), proposals=2, threads=1)
    np.testing.assert_array_equal(in_powers.density, in_metres.density)
    in_millimetres = tb.solve(parse(stated_in(1e-3)), proposals=2, threads=1)
    assert in_millimetres.compliance / 1e3 == pytest.approx(in_metres.compliance, rel=1e-4)


POWERS = st.integers(-29, 29)


@settings(max_examples=25, deadline=None)
@given(young=POWERS, force=POWERS, length=st.integers(-7, 7), heat=st.booleans())
def test_magnitudes_are_solved_to_1e_8(young: int, force: int, length: int, heat: bool) -> None:
    size = [2.0 * 10.0**length, 10.0**length]
    tree = bent(HEATED if heat else PLATE)
    tree["domain"] = {"size": size, "elements": [12, 6]}
    tree["material"] = {"young": 10.0**young, "conductivity": 10.0**young, "poisson": 0.3}
    tree["supports"] = [{"where": {"x": 0}, **({"temperature": 0} if heat else {"fix": ["x", "y"]})}]
    load = {"heat": 10.0**force} if heat else {"force": [0, -(10.0**force)]}
    tree["loads"] = [{"where": {"x": size[0]}, **load}]
    result = tb.solve(parse(tree), start="uniform", iterations=3, threads=1)
    residual = result.certificate.equilibrium_residual
    assert residual is not None and residual <= 1e-8
    assert 0.0 < result.compliance < math.inf
    assert result.certificate.lower_bound is not None
    assert 0.0 < result.certificate.lower_bound <= result.compliance


def test_what_no_number_can_hold_is_refused() -> None:
    discrete = discretise(parse(PLATE))
    beyond = replace(discrete, weights=np.array([1e300]))
    with pytest.raises(ProblemError, match="leaves the range of numbers"):
        nondimensional(beyond)
