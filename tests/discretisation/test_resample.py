from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.discretisation.resample import resample

SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=3)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(0, 100))
def test_every_voxel_takes_the_density_its_centre_lies_in(sizes: list[tuple[int, int]], seed: int) -> None:
    old, new = (tuple(pair[k] for pair in sizes) for k in (0, 1))
    density = np.random.default_rng(seed).random(old)
    taken = resample(density, new)
    assert taken.shape == new
    assert taken.flags.c_contiguous
    for index in np.ndindex(*new):
        home = tuple(int((i + 0.5) * o / n) for i, n, o in zip(index, new, old, strict=True))
        assert taken[index] == density[home]


def test_the_same_grid_and_whole_refinements_change_nothing() -> None:
    density = np.random.default_rng(0).random((3, 4))
    np.testing.assert_array_equal(resample(density, (3, 4)), density)
    fine = resample(density, (6, 12))
    np.testing.assert_array_equal(fine, np.kron(density, np.ones((2, 3))))
    np.testing.assert_array_equal(resample(fine, (3, 4)), density)
