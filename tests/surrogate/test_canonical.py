"""One small grid for designs of any: averages keep the material, moves are all there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trabecula.surrogate.canonical import (
    SIDE,
    aspects,
    average_onto,
    canonical,
    interpolate_onto,
    moves,
)


@given(
    st.lists(st.integers(1, 7), min_size=2, max_size=3),
    st.lists(st.integers(1, 7), min_size=3, max_size=3),
    st.integers(0, 99),
)
def test_averages_keep_the_amount_of_material(old: list[int], new: list[int], seed: int) -> None:
    density = np.random.default_rng(seed).random(old)
    found = average_onto(density, tuple(new[: len(old)]))
    assert found.shape == tuple(new[: len(old)])
    assert found.mean() == pytest.approx(density.mean())
    assert found.min() >= density.min() - 1e-12 and found.max() <= density.max() + 1e-12


def test_halving_averages_blocks_and_doubling_repeats() -> None:
    density = np.random.default_rng(0).random((4, 6))
    np.testing.assert_allclose(average_onto(density, (2, 3)), density.reshape(2, 2, 3, 2).mean(axis=(1, 3)))
    np.testing.assert_array_equal(average_onto(density, (8, 6)), density.repeat(2, axis=0))


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_design_comes_to_the_small_grid_with_its_material(dimension: int) -> None:
    density = np.random.default_rng(1).random((7, 30, 50)[-dimension:]).astype(np.float32)
    small = canonical(density)
    assert small.shape == (SIDE[dimension],) * dimension
    assert small.dtype == np.float32
    assert small.mean() == pytest.approx(density.mean(), rel=1e-5)


def test_values_between_centres_are_linear_and_constant_beyond() -> None:
    ramp = (np.arange(6) + 0.5) / 6
    found = interpolate_onto(np.tile(ramp, (2, 1)), (3, 24))
    wanted = np.clip((np.arange(24) + 0.5) / 24, ramp[0], ramp[-1])
    np.testing.assert_allclose(found, np.tile(wanted, (3, 1)), atol=1e-12)
    np.testing.assert_array_equal(interpolate_onto(np.array([[2.0]]), (2, 1)), np.full((2, 1), 2.0))


def test_aspects_know_no_unit() -> None:
    found = aspects((4.0, 2.0, 1.0))
    np.testing.assert_allclose(found, np.log([0.5, 1.0, 2.0]), atol=1e-6)
    np.testing.assert_allclose(found, aspects((400.0, 200.0, 100.0)), atol=1e-6)


@pytest.mark.parametrize(("dimension", "turned", "count"), [(2, False, 4), (2, True, 8), (3, True, 48)])
def test_moves_are_all_different_and_begin_with_none(dimension: int, turned: bool, count: int) -> None:
    field = np.random.default_rng(0).random((2,) * dimension)
    made = {np.flip(field.transpose(order), flip).tobytes() for order, flip in moves(dimension, turned)}
    assert len(made) == len(moves(dimension, turned)) == count
    order, flip = moves(dimension, turned)[0]
    np.testing.assert_array_equal(np.flip(field.transpose(order), flip), field)
