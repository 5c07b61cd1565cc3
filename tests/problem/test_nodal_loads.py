"""Nodal forces as arrays become loads that put exactly these forces on the nodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trabecula as tb
from trabecula.discretisation import discretise
from trabecula.problem.nodal_loads import MAX_LOADS

PLATE = tb.problems.cantilever((20, 10))
BLOCK = tb.problems.get("cantilever_3d", (6, 4, 3))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), solid=st.booleans(), few=st.booleans())
def test_the_nodes_get_the_forces_of_the_array(seed: int, solid: bool, few: bool) -> None:
    problem = BLOCK if solid else PLATE
    shape = discretise(problem).fixed.shape
    rng = np.random.default_rng(seed)
    values = rng.integers(-2, 3, shape) if few else rng.normal(size=shape)
    forces = np.where(rng.random(shape) < 0.5, values, 0.0)
    forces[..., 0] = 0.0  # held
    forces[0, ..., -1] = 1.5
    loads = tb.nodal_loads(problem.domain, forces)
    loaded = replace(problem, cases=(tb.LoadCase(loads),))
    np.testing.assert_allclose(discretise(loaded).loads[0], forces, rtol=1e-14)


def test_a_surface_under_one_force_is_two_loads_and_survives_a_file() -> None:
    forces = np.zeros((3, 4, 5, 7))
    forces[1, :, -1, 1:] = -3.0
    loads = tb.nodal_loads(BLOCK.domain, forces)
    assert len(loads) == 2
    problem = replace(BLOCK, cases=(tb.LoadCase(loads),))
    again = tb.problem.loads(tb.dump(problem))
    assert again == problem
    np.testing.assert_allclose(discretise(again).loads[0], forces, rtol=1e-14)


def test_heat_is_one_component() -> None:
    sink = tb.problems.get("heat_sink", (12, 12))
    heat = np.zeros((1, 13, 13))
    heat[0, 3:6, 4:8] = [1.0, 2.0, 3.0, 4.0]
    problem = replace(sink, cases=(tb.LoadCase(tb.nodal_loads(sink.domain, heat)),))
    np.testing.assert_allclose(discretise(problem).loads[0], heat, rtol=1e-14)


@pytest.mark.parametrize(
    ("forces", "said"),
    [
        (np.zeros((2, 11, 21)), "zero everywhere"),
        (np.ones((2, 10, 20)), r"the grid's nodes need \(2, 11, 21\), and for heat \(1, 11, 21\)"),
        (np.ones((11, 21)), "shape"),
        (np.full((2, 11, 21), np.inf), "no finite numbers"),
        (np.full((2, 11, 21), "x"), "they need real numbers in N"),
    ],
)
def test_what_is_no_field_of_forces_is_one_clear_error(forces: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tb.nodal_loads(PLATE.domain, forces)


def test_more_forces_than_a_file_can_hold_are_refused() -> None:
    domain = tb.Domain((1.0, 1.0), (40, 40))
    forces = np.random.default_rng(0).normal(size=(2, 41, 41))
    with pytest.raises(ValueError, match=f"at most {MAX_LOADS}"):
        tb.nodal_loads(domain, forces)
