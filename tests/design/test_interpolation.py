"""SIMP and RAMP."""

from dataclasses import replace

import numpy as np
import pytest

from tests.design.models import SOLID, discrete
from trabecula.certificate.history import last_penalty
from trabecula.design import Polynomial, Ramp, Simp, final_penalty, make_interpolation
from trabecula.problem.model import FilterOptions, Options

SCHEMES = [
    scheme(p, m)
    for scheme in (Simp, Ramp, Polynomial)
    for p in (1.0, 1.7, 2.0, 3.0, 4.0)
    for m in (0.0, 1e-3)
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_derivative_matches_finite_differences(scheme: Simp | Ramp | Polynomial):
    x = np.linspace(0.01, 0.99, 23)
    difference = (scheme.value(x + 1e-6) - scheme.value(x - 1e-6)) / 2e-6
    assert scheme.derivative(x) == pytest.approx(difference, rel=1e-7)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_void_has_the_minimum_and_solid_has_one(scheme: Simp | Ramp | Polynomial):
    assert scheme.value(np.array([0.0, 1.0])) == pytest.approx([scheme.minimum, 1.0], abs=1e-15)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_slightly_negative_densities_keep_the_stiffness_positive(scheme: Simp | Ramp | Polynomial):
    x = np.array([-1e-3, -1e-17])
    assert scheme.value(x) == pytest.approx([scheme.minimum] * 2)
    assert np.all(np.isfinite(scheme.derivative(x)))
    assert np.array_equal(x, [-1e-3, -1e-17]), "arguments are left alone"


def test_penalty_one_is_linear_in_all():
    x = np.linspace(0.0, 1.0, 11)
    assert Simp(1.0, 0.0).value(x) == pytest.approx(x)
    assert Ramp(1.0, 0.0).value(x) == pytest.approx(x)
    assert Polynomial(1.0, 0.0).value(x) == pytest.approx(x)


@pytest.mark.parametrize("penalty", [1.0, 1.5, 3.0, 4.0])
def test_the_same_penalty_makes_half_density_equally_stiff_in_both(penalty: float):
    half = np.array([0.5])
    assert Ramp(penalty).value(half) == pytest.approx(Simp(penalty).value(half))


def test_with_penalty_changes_only_the_penalty():
    assert Simp(3.0, 1e-6).with_penalty(1.5) == Simp(1.5, 1e-6)
    assert Ramp(3.0, 1e-6).with_penalty(1.5) == Ramp(1.5, 1e-6)
    assert Polynomial(3.0, 1e-6).with_penalty(1.5) == Polynomial(1.5, 1e-6)


def test_the_polynomial_is_simp_with_a_hundredth_of_the_linear_law():
    x = np.array([0.0, 0.1, 0.5, 1.0])
    assert Polynomial(3.0, 0.0).value(x) == pytest.approx(0.01 * x + 0.99 * x**3)
    assert Polynomial(3.0, 0.0).derivative(np.zeros(1)) == pytest.approx(0.01)


def test_a_problem_gets_simp_unless_it_has_own_weight_or_says_otherwise():
    assert make_interpolation(discrete()) == Simp(3.0, 1e-9)
    grey = discrete(gravity=(0.0, -9.81), options=Options(projection=False))
    assert make_interpolation(grey) == Ramp(3.0, 1e-9)
    crisp = discrete(gravity=(0.0, -9.81), options=Options(projection=True))
    assert make_interpolation(crisp) == Polynomial(3.0, 1e-9)
    assert make_interpolation(discrete(options=Options(projection=True))) == Simp(3.0, 1e-9)
    named = discrete(gravity=(0.0, -9.81), options=Options(interpolation="simp", penalty=2.0))
    assert make_interpolation(named) == Simp(2.0, 1e-9)
    assert make_interpolation(discrete(options=Options(interpolation="ramp"))) == Ramp(3.0, 1e-9)


@pytest.mark.parametrize(
    "options, radius, everywhere, heat, ends",
    [
        (Options(projection=True), 1.8, True, True, 8.0),
        (Options(projection=True, penalty=9.0), 1.8, True, True, 9.0),
        (Options(projection=True, penalty=1.0), 1.8, True, True, 1.0),  # convex, and meant to be
        (Options(projection=False), 1.8, True, True, 3.0),
        (Options(projection=True), 2.5, True, True, 3.0),  # a filter under which no twig is thin
        (Options(projection=True), 1.8, False, True, 3.0),  # a source in one place grows no tree
        (Options(projection=True), 1.8, True, False, 3.0),
    ],
)
def test_only_crisp_trees_of_conductors_end_with_a_higher_penalty(options, radius, everywhere, heat, ends):
    problem = discrete(SOLID, spacing=(1.0, 1.0, 1.0), heat=heat)
    loads = np.zeros_like(problem.loads)
    loads[..., (slice(None) if everywhere else 0)] = 1.0
    options = replace(options, filter=FilterOptions("density", radius))
    problem = replace(problem, loads=loads, options=options)
    assert final_penalty(problem) == ends == last_penalty(problem)
    assert make_interpolation(problem).penalty == ends
