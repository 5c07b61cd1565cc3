"""What a generator draws is given by its seed, problem and number."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.surrogate import shipped_model
from trabecula.surrogate.generator import NOISE, generate_designs, make_noise
from trabecula.surrogate.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    found = shipped_model("generator", 2)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def fields(model: Model) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.standard_normal((model.card.channels - NOISE, 13, 22)).astype(np.float32)


@pytest.mark.parametrize("shape", [(13, 22), (5, 9, 14), (2, 40)])
def test_noise_is_nowhere_but_in_the_domain_and_coarse_where_it_says_so(shape: tuple[int, ...]) -> None:
    inside = np.ones(shape, bool)
    inside[0] = False
    noise = make_noise(inside, np.random.default_rng(3))
    assert noise.shape == (NOISE, *shape)
    assert noise.dtype == np.float32
    assert not noise[:, 0].any()
    rough = [np.abs(np.diff(layer[1:], axis=-1)).mean() / layer[1:].std() for layer in noise]
    assert rough[0] > rough[1]
    assert rough[0] > rough[2]


def test_a_design_is_the_same_whatever_others_are_asked_for(model: Model, fields: np.ndarray) -> None:
    inside = np.ones((13, 22), bool)
    all_of_them = generate_designs(model, fields, inside, range(4), seed=5)
    later = generate_designs(model, fields, inside, range(2, 4), seed=5)
    np.testing.assert_array_equal(later, all_of_them[2:])
    again = generate_designs(model, fields, inside, range(4), seed=5)
    np.testing.assert_array_equal(again, all_of_them)
    other = generate_designs(model, fields, inside, range(4), seed=6)
    assert np.abs(other - all_of_them).max() > 1e-3
    assert np.abs(all_of_them[0] - all_of_them[1]).max() > 1e-3
    assert generate_designs(model, fields, inside, range(0)).shape == (0, 13, 22)


def test_fields_of_another_number_of_channels_are_refused(model: Model, fields: np.ndarray) -> None:
    with pytest.raises(ValueError, match="takes 14 channels, not 13"):
        generate_designs(model, fields[:-1], np.ones((13, 22), bool), range(1))
