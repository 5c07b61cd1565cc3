from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.surrogate import pack, unpack


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 3), st.data())
def test_unpacking_gives_back_what_was_packed_on_any_grid(dimension: int, data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(dimension))
    fields = np.random.default_rng(0).standard_normal((3, *shape)).astype(np.float32)
    packed = pack(fields, patch=2, multiple=2)
    assert packed.shape[0] == 3 * 2**dimension
    assert all(n % 2 == 0 for n in packed.shape[1:])
    assert np.array_equal(unpack(packed, 2, shape), fields)


def test_a_patch_holds_neighbours() -> None:
    fields = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    packed = pack(fields, patch=2, multiple=1)
    assert packed[:, 0, 0].tolist() == [0, 1, 4, 5]
    assert packed[:, 1, 1].tolist() == [10, 11, 14, 15]


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 7)])
def test_what_is_added_is_outside(shape: tuple[int, ...]) -> None:
    packed = pack(np.ones((1, *shape), np.float32), patch=2, multiple=4)
    assert packed.sum() == np.prod(shape)
