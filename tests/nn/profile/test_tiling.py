"""Traffic between memories: known limits, a lower bound, and what was measured on a chip."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nn.profile.shapes import ALEXNET_CONVOLUTIONS, VGG16_CONVOLUTIONS
from trabecula.nn.profile import Layer, Nest, traffic

HUGE = 1e12


def product(rows: int, inner: int, columns: int) -> Nest:
    return Nest(rows, 1, inner, columns)


def test_what_fits_moves_once() -> None:
    nest = Nest(2, 3, 4, 5, (7, 9), (3, 3), (1, 1))
    found = traffic(nest, HUGE)
    assert found.weights == 3 * 4 * 5 * 9
    assert found.outputs == 2 * 3 * 5 * 7 * 9
    assert found.inputs == 2 * 3 * 4 * (7 + 2) * (9 + 2)


def test_a_memory_of_three_words_reuses_only_the_sum() -> None:
    nest = product(4, 5, 6)
    found = traffic(nest, 3 * 2)
    assert (found.inputs, found.weights, found.outputs) == (nest.macs, nest.macs, 24)


def test_a_memory_of_nothing_fetches_everything() -> None:
    nest = product(4, 5, 6)
    found = traffic(nest, 1)
    assert (found.inputs, found.weights, found.outputs) == (nest.macs, nest.macs, 2 * nest.macs)


def test_groups_are_independent_layers() -> None:
    one = Nest(1, 1, 8, 16, (10, 10), (3, 3), (1, 1))
    four = replace(one, groups=4)
    assert traffic(four, 2000).bits(16, 16) == 4 * traffic(one, 2000).bits(16, 16)


def test_weights_are_fetched_once_a_batch_where_the_rest_fits() -> None:
    nest = product(48, 4096, 1000)
    assert traffic(nest, 108e3).weights == 4096 * 1000


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 12),
    st.sampled_from([1, 3]),
    st.sampled_from([64, 512, 4096, 1e5]),
)
def test_more_memory_never_moves_more(
    images: int, groups: int, inputs: int, outputs: int, size: int, kernel: int, capacity: float
) -> None:
    nest = Nest(images, groups, inputs, outputs, (size, size), (kernel, kernel), (1, 1))
    small, large = (traffic(nest, bytes_) for bytes_ in (capacity, 4 * capacity))
    least = traffic(nest, HUGE)
    assert least.bits(16, 16) <= large.bits(16, 16) <= small.bits(16, 16)


@pytest.mark.parametrize("words", [64, 1024, 16384])
def test_a_matrix_product_comes_near_the_lower_bound(words: int) -> None:
    """Smith et al. 2019 (arXiv 1702.02017): at least 2 n^3 / sqrt(S) - 2 S words."""
    nest = product(512, 512, 512)
    found = traffic(nest, 2 * words)
    moved = found.inputs + found.weights + found.outputs
    bound = 2 * nest.macs / math.sqrt(words) - 2 * words
    assert bound <= moved <= 2 * bound


@pytest.mark.parametrize(
    ("layers", "images", "published"), [(ALEXNET_CONVOLUTIONS, 4, 0.0029), (VGG16_CONVOLUTIONS, 3, 0.0035)]
)
def test_dram_accesses_come_near_those_of_eyeriss(layers: list[Layer], images: int, published: float) -> None:
    """Chen et al. 2017 (JSSC 52:127): DRAM accesses a MAC, measured, with zeros compressed; ours are not."""
    nests = [replace(layer.nests[0], images=images) for layer in layers]
    words = sum(traffic(nest, 108e3).bits(16, 16) / 16 for nest in nests)
    assert published < words / sum(nest.macs for nest in nests) < 1.6 * published


def test_a_stride_beyond_the_kernel_skips_inputs() -> None:
    nest = Nest(1, 1, 1, 1, (8,), (1,), (2,))
    assert traffic(nest, HUGE).inputs == 8
