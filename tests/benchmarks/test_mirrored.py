"""A problem and its mirror image are the same problem, and a way without branches ends alike."""

from __future__ import annotations

import numpy as np
import pytest

import trabecula as tb
from benchmarks.mirrored import NAMES, mirror
from benchmarks.runs import unprojected
from trabecula.discretisation import discretise
from trabecula.problem import problems

SMALL = {"mbb": (60, 20), "cantilever": (48, 24), "l_bracket": (45, 45), "torsion": (16, 8, 8)}


@pytest.mark.parametrize("name", NAMES)
def test_the_mirror_image_is_the_same_problem_turned_over(name: str) -> None:
    problem = problems.get(name, SMALL[name])
    one, other = discretise(problem), discretise(mirror(problem))
    assert np.array_equal(np.flip(one.fixed, -1), other.fixed)
    assert np.array_equal(np.flip(one.upper, -1), other.upper)
    turned = np.flip(one.loads, -1).copy()
    turned[:, 0] *= -1
    assert np.allclose(turned, other.loads, rtol=1e-12, atol=0)
    assert mirror(mirror(problem)).domain == problem.domain


@pytest.mark.parametrize("name", NAMES)
def test_without_a_search_and_before_any_branch_both_end_alike(name: str) -> None:
    problem = unprojected(problems.get(name, SMALL[name]))
    one, other = (tb.solve(each, start="uniform", iterations=20) for each in (problem, mirror(problem)))
    assert other.compliance == pytest.approx(one.compliance, rel=1e-3)
    assert np.abs(np.flip(one.density, -1) - other.density).mean() < 0.01
