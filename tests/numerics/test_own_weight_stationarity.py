"""The KKT residual with own weight: zero at stationary designs, the usual one without."""

from math import inf

import numpy as np
import pytest

from trabecula.numerics.own_weight_stationarity import gain_and_burden, own_weight_residual
from trabecula.numerics.stationarity import kkt_residual

SHAPE = (6, 9)
ZEROS, ONES = np.zeros(SHAPE), np.ones(SHAPE)


def stationary(price: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A design with void, grey and solid voxels, and gradients for which it is stationary at a price."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 0.9, SHAPE)
    x[:2], x[2:4] = 0.0, 1.0
    volume, burden = rng.uniform(0.5, 1.5, SHAPE), rng.uniform(0.2, 3.0, SHAPE)
    ratio = np.where(x == 0.0, rng.uniform(0.0, 1.0, SHAPE), np.where(x == 1.0, 1.0 + rng.random(SHAPE), 1.0))
    gain = ratio * (burden + price * volume)
    return x, burden - gain, burden, volume


@pytest.mark.parametrize("price", [0.0, 0.01, 1.0, 100.0])
def test_it_is_zero_at_a_stationary_design_whatever_its_price(price: float):
    x, gradient, own, volume = stationary(price)
    assert own_weight_residual(x, gradient, own, volume, ZEROS, ONES) < 1e-7
    moved = np.where((x > 0.0) & (x < 1.0), 2.0 * gradient - 1.0, gradient)
    assert own_weight_residual(x, moved, own, volume, ZEROS, ONES) > 0.1


def test_a_limit_that_does_not_bind_has_no_price():
    x, gradient, own, volume = stationary(0.0)
    assert own_weight_residual(x, gradient, own, volume, ZEROS, ONES, price=0.0) < 1e-12
    x, gradient, own, volume = stationary(2.0)
    assert own_weight_residual(x, gradient, own, volume, ZEROS, ONES, price=0.0) > 0.1


def test_least_volume_without_a_binding_compliance_wants_no_material():
    x, gradient, own, volume = stationary(1.0)
    assert own_weight_residual(x, gradient, own, volume, ZEROS, ONES, price=inf) > 0.5
    assert own_weight_residual(ZEROS, gradient, own, volume, ZEROS, ONES, price=inf) == 0.0


def test_without_own_weight_it_is_the_usual_residual_at_stationary_designs_and_near_them():
    x, gradient, own, volume = stationary(1.0)
    gain = gradient - own
    for noise in (0.0, 0.02):
        bent = gain * (1.0 + noise * np.sin(np.arange(x.size)).reshape(SHAPE))
        usual = kkt_residual(x, bent, volume + own, ZEROS, ONES)
        assert own_weight_residual(x, bent, ZEROS, volume + own, ZEROS, ONES) == pytest.approx(
            usual, rel=0.05, abs=1e-8
        )


def test_it_knows_no_units_and_leaves_passive_voxels_out():
    x, gradient, own, volume = stationary(1.0)
    bent = gradient * 1.1
    known = own_weight_residual(x, bent, own, volume, ZEROS, ONES)
    assert own_weight_residual(x, 1e6 * bent, 1e6 * own, 1e-3 * volume, ZEROS, ONES) == pytest.approx(known)
    bent[0], own[0] = 1e9, 1e9
    upper = ONES.copy()
    upper[0] = 0.0
    assert own_weight_residual(x, bent, own, volume, ZEROS, upper) < 1.0
    assert own_weight_residual(x, bent, own, volume, x, x) == 0.0


def test_what_lifts_counts_as_gain():
    gain, burden = gain_and_burden(np.array([-3.0, 1.0, -2.0]), np.array([1.0, 1.5, -0.5]))
    np.testing.assert_allclose(gain, [4.0, 0.5, 2.0])
    np.testing.assert_allclose(burden, [1.0, 1.5, 0.0])


def test_the_residual_is_the_same_in_any_unit() -> None:
    random = np.random.default_rng(5)
    x, low, high = random.random(200), np.zeros(200), np.ones(200)
    weight, stiffness, volume = random.random(200), 2.0 * random.random(200), random.random(200) * 1e-3
    expected = own_weight_residual(x, weight - stiffness, weight, volume, low, high)
    for energy, share in ((1e6, 1.0), (1.0, 1e6), (1e-9, 1e3)):
        found = own_weight_residual(
            x, energy * (weight - stiffness), energy * weight, share * volume, low, high
        )
        assert found == pytest.approx(expected, rel=1e-9)
