"""The subpixel-smoothed projection that is measured against the package's own."""

from math import inf

import numpy as np
import pytest

from benchmarks.subpixel import RADIUS, SubpixelChain, SubpixelProjection
from tests.design.models import PLANE, SOLID, directional, discrete, random_density
from trabecula.problem.model import FilterOptions, Options


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("beta", [4.0, 30.0, 100.0])
@pytest.mark.parametrize("elements", [PLANE, SOLID])
@pytest.mark.parametrize("kind", ["density", "helmholtz", "none"])
def test_the_pullback_matches_finite_differences(order, beta, elements, kind):
    options = Options(filter=FilterOptions(kind, 1.7), projection=True, symmetry=("x",))
    chain = SubpixelChain(discrete(elements, passive=True, options=options), 1, order)
    x = random_density(chain.discrete)
    rng = np.random.default_rng(3)
    gradient = rng.normal(size=x.shape)
    direction = rng.normal(size=x.shape) * (chain.discrete.upper > chain.discrete.lower)
    expected = directional(lambda v: np.sum(gradient * chain.physical(v, beta)), x, direction)
    found = np.sum(chain.pullback(x, beta, gradient) * direction)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_a_straight_edge_fills_a_voxel_by_where_it_passes(order):
    places = np.linspace(-0.5, 0.5, 11)
    slope = 0.2
    for at in places:  # the middle voxel is at 0; a linear field has no Hessian
        field = 0.5 + slope * (np.arange(-3.0, 4.0) - at)
        made = SubpixelProjection(inf, order).value(np.tile(field, (5, 1)))
        t = at / RADIUS
        share = 0.5 - 15 / 16 * t + 5 / 8 * t**3 - 3 / 16 * t**5
        assert made[2, 3] == pytest.approx(share, abs=1e-12)
        assert np.all(made[:, :2] == 0.0) and np.all(made[:, 5:] == 1.0)


def test_where_two_edges_meet_the_second_order_is_differentiable_and_the_first_is_not():
    def middle(order, level):
        field = np.full((1, 7), 0.9)
        field[0, 3] = level  # a slit that closes: the slope vanishes in its middle
        return SubpixelProjection(inf, order).value(field)[0, 3]

    levels = np.linspace(0.45, 0.55, 101)
    first, second = (np.array([middle(order, level) for level in levels]) for order in (1, 2))
    assert np.abs(np.diff(first)).max() == pytest.approx(0.5)
    assert np.abs(np.diff(second)).max() < 0.01
    assert np.all(np.diff(second) >= 0.0)
