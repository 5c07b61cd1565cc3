"""Heaviside projection."""

import numpy as np
import pytest

from trabecula.design import Projection


@pytest.mark.parametrize("beta", [0.01, 1.0, 8.0, 64.0])
@pytest.mark.parametrize("eta", [0.3, 0.5, 0.7])
def test_ends_stay_and_the_derivative_matches_finite_differences(beta, eta):
    projection = Projection(beta, eta)
    assert projection.value(np.array([0.0, 1.0])) == pytest.approx([0.0, 1.0], abs=1e-15)
    x = np.linspace(0.02, 0.98, 31)
    difference = (projection.value(x + 1e-6) - projection.value(x - 1e-6)) / 2e-6
    assert projection.derivative(x) == pytest.approx(difference, rel=1e-6, abs=1e-8)


def test_small_beta_is_nearly_the_identity_and_large_beta_nearly_a_step():
    x = np.linspace(0.0, 1.0, 11)
    assert Projection(1e-3).value(x) == pytest.approx(x, abs=1e-6)
    assert Projection(200.0).value(np.array([0.4, 0.6])) == pytest.approx([0.0, 1.0], abs=1e-12)


def test_arguments_are_left_alone():
    x = np.array([0.2, 0.8])
    Projection(4.0).value(x)
    Projection(4.0).derivative(x)
    assert np.array_equal(x, [0.2, 0.8])
