from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trabecula.discretisation import DiscreteProblem, discretise
from trabecula.optimize.analysis import Analysis
from trabecula.problem import LoadCase, Problem, problems
from trabecula.strategy.learned_steps import ratio_of
from trabecula.surrogate import channels, count, log_sensitivity_ratio
from trabecula.surrogate.features import RANGE, site


def fields_of(problem: Problem) -> np.ndarray:
    discrete = discretise(problem)
    analysis = Analysis(discrete, 1)
    x = analysis.chain.uniform(0.4)
    found = analysis.evaluate(x, 3.0, tolerance=1e-10)
    return channels(discrete, 0.4, [x], [ratio_of(analysis, x, found, 0.4)])


@pytest.mark.parametrize("name", ["mbb", "hook"])
def test_units_stiffness_and_the_size_of_loads_drop_out(name: str) -> None:
    problem = problems.get(name, (24, 8) if name == "mbb" else (8, 4, 10))
    loads = tuple(
        replace(load, force=tuple(1e3 * f for f in load.force)) if load.force is not None else load
        for load in problem.cases[0].loads
    )
    other = replace(
        problem,
        cases=(replace(problem.cases[0], loads=loads), *problem.cases[1:]),
        material=replace(problem.material, young=7.0 * problem.material.young),
    )
    assert isinstance(other.cases[0], LoadCase)
    np.testing.assert_allclose(fields_of(problem), fields_of(other), atol=2e-4)


def test_the_pull_is_above_the_water_line_on_as_much_as_the_volume() -> None:
    random = np.random.default_rng(0)
    gradient = -np.exp(random.standard_normal((20, 30)))
    found = log_sensitivity_ratio(gradient, np.ones((20, 30)), 0.3, np.ones((20, 30), bool))
    assert np.mean(found > 0) == pytest.approx(0.3, abs=0.01)
    assert np.abs(found).max() <= RANGE


def test_the_pull_outside_the_domain_is_the_lowest() -> None:
    inside = np.ones((4, 5), bool)
    inside[:, 2] = False
    found = log_sensitivity_ratio(-np.ones((4, 5)), np.where(inside, 1.0, 0.0), 0.5, inside)
    assert np.all(found[~inside] == -RANGE)
    assert np.all(found[inside] == 0)


def site_of(name: str, elements: tuple[int, ...]) -> tuple[DiscreteProblem, np.ndarray, np.ndarray]:
    discrete = discretise(problems.get(name, elements))
    return discrete, *site(discrete, 0.4)


def test_supports_are_seen_along_their_axes_and_loads_relative_to_the_largest() -> None:
    _, scalars, axes = site_of("mbb", (12, 4))
    assert scalars.shape == (4, 4, 12)
    assert axes.shape == (4, 4, 12)
    held_x, held_y, load_x, load_y = axes
    assert np.all(held_x[:, 0] > 0)  # symmetry: the left edge rolls
    assert np.all(held_x[:, 1:] == 0)
    assert np.count_nonzero(held_y) == 1
    assert np.all(load_x == 0)
    assert load_y.max() == 1.0


def test_passive_parts_are_seen() -> None:
    discrete, scalars, _ = site_of("l_bracket", (20, 20))
    assert np.array_equal(scalars[0] == 0, discrete.void)


def test_heat_gives_the_same_number_of_channels() -> None:
    _, scalars, axes = site_of("heat_sink", (12, 12))
    assert scalars.shape[0] + axes.shape[0] + 2 == count(2, 2)
