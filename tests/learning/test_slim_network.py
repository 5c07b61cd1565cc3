"""A slim network is its large one with less inside, and ships like it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from trabecula.learning.network import EncoderDecoder, Size
from trabecula.learning.slim_network import Middle, SlimNetwork, upsample_twofold

MIDDLES: tuple[Middle, ...] = ("convolution", "depthwise", "shift")


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("middle", MIDDLES)
def test_it_takes_and_gives_what_its_large_one_does_between_blocks(dimension: int, middle: Middle) -> None:
    size = Size(16, 1)
    large, small = (
        EncoderDecoder(dimension, 12, size),
        SlimNetwork(dimension, 12, size, inner=4, middle=middle),
    )
    x = torch.randn(1, 12 * 2**dimension, *(8,) * dimension)
    assert small(x).shape == large(x).shape
    assert [f.shape for f in small.features(x)] == [f.shape for f in large.features(x)]
    assert {name for name, _ in small.named_children()} == {name for name, _ in large.named_children()}


def test_the_students_of_the_benchmark_are_ten_times_smaller() -> None:
    large, small = EncoderDecoder(3, 12, Size(16)), SlimNetwork(3, 12, Size(16), inner=8)
    assert sum(p.numel() for p in large.parameters()) > 10 * sum(p.numel() for p in small.parameters())


def test_it_begins_by_saying_nothing() -> None:
    assert not SlimNetwork(2, 10, Size(8))(torch.randn(1, 40, 8, 8)).any()


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 2, 3, 4, 5)])
def test_twice_is_the_nearest_neighbour(shape: tuple[int, ...]) -> None:
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(shape))
    torch.testing.assert_close(
        upsample_twofold(x), F.interpolate(x, scale_factor=2.0, mode="nearest"), rtol=0, atol=0
    )
