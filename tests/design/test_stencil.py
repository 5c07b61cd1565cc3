"""The compiled convolution against SciPy, in every instruction set this machine has."""

import importlib
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from trabecula.physics.compiled_core import core

KERNELS = [importlib.import_module(f"trabecula._core_{name}") for name in core.instruction_sets()]


def whole(octant: np.ndarray) -> np.ndarray:
    offsets = [np.abs(np.arange(1 - n, n)) for n in octant.shape]
    return octant[np.ix_(*offsets)]


@pytest.mark.parametrize("kernels", KERNELS, ids=lambda k: k.__name__)
@settings(max_examples=40, deadline=None)
@given(
    st.tuples(*[st.integers(1, 9)] * 2, st.integers(1, 40)),
    st.tuples(*[st.integers(1, 4)] * 2, st.integers(1, 6)),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.booleans(),
)
def test_convolution_matches_scipy(kernels: ModuleType, shape, reach, seed, with_before, with_after):
    rng = np.random.default_rng(seed)
    voxels, octant = rng.normal(size=shape), rng.random(reach)
    octant[rng.random(reach) < 0.3] = 0.0
    before = rng.random(shape) if with_before else None
    after = rng.random(shape) if with_after else None
    out = np.full(shape, np.nan)
    kernels.convolve(voxels, octant, out, before, after, 2)
    given_ = voxels if before is None else before * voxels
    expected = ndimage.convolve(given_, whole(octant), mode="constant")
    expected = expected if after is None else after * expected
    assert np.allclose(out, expected, rtol=0.0, atol=1e-12 * max(1.0, octant.sum()))


@pytest.mark.parametrize("kernels", KERNELS, ids=lambda k: k.__name__)
def test_the_number_of_threads_does_not_change_a_bit(kernels: ModuleType):
    rng = np.random.default_rng(0)
    voxels, octant = rng.random((7, 11, 37)), rng.random((3, 3, 4))
    results = []
    for threads in (1, 2, 3, 16):
        out = np.empty(voxels.shape)
        kernels.convolve(voxels, octant, out, voxels, None, threads)
        results.append(out)
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_arrays_that_do_not_fit_are_refused():
    voxels, octant = np.zeros((2, 3, 4)), np.ones((1, 1, 1))
    with pytest.raises(ValueError, match="same shape"):
        core.convolve(voxels, octant, np.zeros((2, 3, 5)))
    with pytest.raises(ValueError, match="same shape"):
        core.convolve(voxels, octant, np.zeros((2, 3, 4)), before=np.zeros((1, 3, 4)))
    with pytest.raises(ValueError, match="empty"):
        core.convolve(voxels, np.ones((0, 1, 1)), np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="in place"):
        core.convolve(voxels, octant, voxels)
    with pytest.raises(ValueError, match="positive"):
        core.convolve(voxels, octant, np.zeros((2, 3, 4)), threads=0)
