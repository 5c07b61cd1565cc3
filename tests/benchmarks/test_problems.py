"""Random problems are well-posed and the same everywhere; the ways count their iterations."""

from __future__ import annotations

import pytest

from benchmarks import random_problems
from benchmarks.multigrid import off_plane
from benchmarks.runs import unprojected
from benchmarks.travelled import travel
from benchmarks.ways import METHODS
from trabecula.discretisation import prepare
from trabecula.problem import Problem, problems


@pytest.mark.parametrize("number", range(random_problems.COUNT))
def test_random_problems_are_well_posed_on_any_grid(number: int) -> None:
    problem, half = random_problems.get(number), random_problems.get(number, 0.5)
    assert random_problems.get(number) == problem
    assert half.supports == problem.supports
    assert half.cases == problem.cases
    for one in (problem, half):
        discrete, _ = prepare(one)
        assert discrete.loads.any()


def test_random_problems_differ() -> None:
    found: list[Problem] = [random_problems.get(k) for k in range(random_problems.COUNT)]
    assert {p.domain.dimension for p in found} == {2, 3}
    assert len({p.goal.volume for p in found}) > 15


def test_supports_off_the_coarse_planes_hold() -> None:
    prepare(off_plane((32, 16, 16)))


@pytest.mark.parametrize("method", ["cold", "default"])
def test_a_way_is_watched_to_its_end(method: str) -> None:
    discrete, _ = prepare(unprojected(problems.get("cantilever", (32, 16))))
    run = travel(method, discrete, 1)
    assert method in METHODS
    assert run.iterations > 5
    assert run.equivalents >= run.iterations
    assert run.track[-1][2] == run.iterations
    assert run.compliance == run.track[-1][3]
    assert run.compliance == pytest.approx(min(moment[3] for moment in run.track), rel=0.01)
