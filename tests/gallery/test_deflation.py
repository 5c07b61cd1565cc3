"""Deflation: its penalty is differentiated rightly, and what comes out is what the problem alone rests at."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.discretisation import prepare
from trabecula.gallery.difference import Comparison
from trabecula.gallery.ground import SOURCES, Ground
from trabecula.gallery.sources.deflation import DeflatedAnalysis
from trabecula.gallery.sources.loads import perturb
from trabecula.optimize.analysis import Analysis
from trabecula.problem import problems

DISCRETE = prepare(problems.get("mbb", (12, 4)))[0]


def known() -> np.ndarray:
    return np.random.default_rng(1).random((4, 12)) < 0.5


def test_the_penalised_gradient_agrees_with_finite_differences() -> None:
    analysis = DeflatedAnalysis(DISCRETE, 1, [known()], 1.0, 0.5)
    x = np.random.default_rng(2).uniform(0.3, 0.9, (4, 12))
    found = analysis.evaluate(x, 3.0, 2.0, tolerance=1e-10)
    for place in ((0, 0), (1, 5), (3, 11)):
        step = np.zeros_like(x)
        step[place] = 1e-5
        ends = [analysis.evaluate(x + s * step, 3.0, 2.0, tolerance=1e-10).objective for s in (1.0, -1.0)]
        assert found.gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3)


def test_near_a_known_design_the_objective_is_larger_and_far_from_it_the_same() -> None:
    mask = known()
    deflated = DeflatedAnalysis(DISCRETE, 1, [mask], 1.0)
    assert deflated.factor(mask.astype(float))[0] == 2.0
    assert deflated.factor((~mask).astype(float))[0] == pytest.approx(1.0, abs=1e-3)
    grey = deflated.factor(np.full(mask.shape, 0.5))[0]
    assert 1.0 < grey < 1.5


@pytest.mark.parametrize("name", SOURCES.built_in)
def test_a_source_draws_the_same_again_and_goes_on_where_it_was(name: str) -> None:
    comparison = Comparison.of(DISCRETE)
    past = (np.full((4, 12), 0.5),) * 3
    ground = Ground(Analysis(DISCRETE, 1), comparison, (known(),), past, 3)
    source = SOURCES[name]
    once = [draw.proposal for draw in source.draw(ground, 0, 3)]
    parts = [draw.proposal for first in range(3) for draw in source.draw(ground, first, 1)]
    assert [each.name for each in once] == [each.name for each in parts]
    assert len({each.name for each in once}) == len(once)
    for one, other in zip(once, parts, strict=True):
        assert np.array_equal(one.density, other.density)
        assert ((one.density >= DISCRETE.lower) & (one.density <= DISCRETE.upper)).all()


def test_perturbed_loads_keep_off_supports_and_the_sum_of_the_weights() -> None:
    other = perturb(DISCRETE, (1, 2))
    assert not other.loads[0][DISCRETE.fixed].any()
    assert not np.allclose(other.loads, DISCRETE.loads)
    assert other.weights.sum() == pytest.approx(DISCRETE.weights.sum())
