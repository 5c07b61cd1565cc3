"""Pieces of masks and graphs, against SciPy and NetworkX."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from trabecula.numerics.components import boxes, components, label

SHAPES = [(5,), (1, 1), (7, 9), (30, 40), (6, 7, 8), (15, 11, 13)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("diagonal", [False, True])
def test_pieces_are_numbered_as_scipy_numbers_them(shape: tuple[int, ...], diagonal: bool) -> None:
    random = np.random.default_rng(len(shape))
    around = ndimage.generate_binary_structure(len(shape), len(shape) if diagonal else 1)
    for share in (0.0, 0.1, 0.3, 0.5, 0.7, 1.0):
        mask = random.random(shape) < share
        labels, count = label(mask, diagonal)
        expected, number = ndimage.label(mask, around)
        assert count == number
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, expected)
        assert boxes(labels, count) == ndimage.find_objects(expected)


def test_a_long_winding_piece_is_one() -> None:
    mask = np.zeros((81, 60), dtype=bool)
    mask[::2] = True
    mask[1::4, 0] = mask[3::4, -1] = True
    assert label(mask)[1] == 1


def test_no_cells_make_no_pieces() -> None:
    labels, count = label(np.zeros((0, 3), dtype=bool))
    assert labels.shape == (0, 3)
    assert count == 0 and boxes(labels, count) == []


def test_the_mask_is_left_as_it_is() -> None:
    mask = np.array([[True, True, False]])
    label(mask)
    np.testing.assert_array_equal(mask, [[True, True, False]])


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))
    )
)
def test_components_are_those_of_networkx(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    number, found = components(count, np.array(edges, dtype=np.int64).reshape(-1, 2))
    other = networkx.Graph(edges)
    other.add_nodes_from(range(count))
    expected = sorted(map(sorted, networkx.connected_components(other)))
    assert [np.flatnonzero(number == k).tolist() for k in range(found)] == expected
