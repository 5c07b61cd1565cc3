"""The comparison of projections steps and measures as the package does, where signs are usual."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.projection_steps import FullSteps, ProjectedMetric, SignedCriteria, stationarity
from benchmarks.projections import WAYS, Begun, measure
from benchmarks.subpixel import SubpixelChain
from trabecula.discretisation import discretise
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.optimize.analysis import Analysis
from trabecula.optimizers import OC, OptimalityCriteria
from trabecula.problem import problems
from trabecula.problem.model import FilterOptions
from trabecula.responses import optimality_residual


def analysis() -> Analysis:
    problem = problems.mbb((30, 10))
    problem = replace(problem, options=replace(problem.options, projection=True))
    return Analysis(discretise(problem), 1)


def evaluated(of: Analysis, beta: float, seed: int = 1):
    x = np.clip(np.random.default_rng(seed).normal(0.5, 0.2, of.discrete.grid.shape), 0.0, 1.0)
    return x, of.evaluate(x, 3.0, beta, tolerance=1e-8)


def with_unusual_signs(order: int):
    """Coin flips under a narrow filter, projected by a step: some densities take material away."""
    problem = problems.mbb((30, 10))
    options = replace(problem.options, projection=True, filter=FilterOptions("density"))
    of = Analysis(discretise(replace(problem, options=options)), 1)
    of.chain = SubpixelChain(of.discrete, 1, order)
    x = np.where(np.random.default_rng(1).random(of.discrete.grid.shape) > 0.4, 0.95, 0.05)
    return of, x, of.evaluate(x, 3.0, 100.0, tolerance=1e-8)


@pytest.mark.parametrize("beta", [0.0, 4.0, 30.0])
def test_the_residual_is_the_packages_where_more_density_is_never_less_material(beta):
    of = analysis()
    x, found = evaluated(of, beta)
    expected = optimality_residual(of.formulation, of.discrete, x, found.gradient, found.constraints)
    assert stationarity(of, x, found) == pytest.approx(expected, rel=1e-6)


def test_the_residual_of_a_projection_that_takes_material_away_is_finite_and_falls_to_zero():
    of, x, found = with_unusual_signs(2)
    assert (found.constraints[0].gradient < 0.0).any()
    assert 0.0 < stationarity(of, x, found) < 10.0
    balanced = replace(found, gradient=-2.0 * found.constraints[0].gradient)  # every voxel worth its price
    assert stationarity(of, x, balanced) == pytest.approx(0.0, abs=1e-8)


def test_signed_criteria_are_optimality_criteria_where_all_signs_are_usual():
    of = analysis()
    x, found = evaluated(of, 4.0)
    lower, upper = of.discrete.lower, of.discrete.upper
    plain, signed = OptimalityCriteria(OC.adapting(0.2)), SignedCriteria(move=0.2)
    memories = plain.start(), signed.start()
    for share in (1.0, 0.5):
        (a, first), (b, second) = (
            optimizer.step(memory, x, found, lower, upper, True, share)
            for optimizer, memory in zip((plain, signed), memories, strict=True)
        )
        np.testing.assert_allclose(a, b, atol=1e-6)
        x, memories = a, (first, second)


def test_signed_criteria_keep_the_linear_volume_whatever_the_signs():
    of, x, found = with_unusual_signs(1)
    (limit,) = found.constraints
    limit = replace(limit, value=0.0)
    found = replace(found, constraints=(limit,))
    new, _ = SignedCriteria().step(
        SignedCriteria().start(), x, found, of.discrete.lower, of.discrete.upper, True, 1.0
    )
    assert np.abs(new - x).max() > 0.01
    assert np.sum(limit.gradient * (new - x)) == pytest.approx(0.0, abs=1e-7)


def test_full_steps_do_not_shorten_and_the_projected_metric_bounds_what_is_projected():
    of = analysis()
    x, found = evaluated(of, 50.0)
    lower, upper = of.discrete.lower, of.discrete.upper
    plain = OptimalityCriteria(OC.adapting(0.2))
    full, _ = FullSteps(plain).step(plain.start(), x, found, lower, upper, True, 0.1)
    assert np.abs(full - x).max() == pytest.approx(0.2)
    bounded = ProjectedMetric(OC.adapting(0.2), of.chain, 0.2)
    short, _ = bounded.step(bounded.start(), x, found, lower, upper, True, 0.1)
    edge = np.abs(of.chain.filter.forward(x) - 0.5) < 0.01
    assert edge.any() and np.abs(short - x)[edge].max() < 0.02
    assert np.abs(short - x).max() <= 0.2 + 1e-12


@pytest.mark.parametrize("way", ["tanh", "SSP2"])
def test_a_way_is_taken_from_a_coarse_design_to_a_part(way):
    problem = problems.mbb((30, 10))
    problem = replace(problem, options=replace(problem.options, projection=True))
    scaled = nondimensional(discretise(problem)).problem
    found = measure("mbb", way, Begun(problem, scaled, np.full((5, 15), 0.5), 1.0), WAYS[way])
    assert found.way == way and found.solves >= found.iterations > 0
    assert found.part > 0.0 and found.gap == pytest.approx(found.part - 1.0)
    assert 0.0 <= found.grey < 0.1
