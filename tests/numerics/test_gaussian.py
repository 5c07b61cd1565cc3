"""The Gaussian blur against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from trabecula.numerics.gaussian import blur


@pytest.mark.parametrize("shape", [(12,), (7, 9), (30, 40), (6, 7, 8), (1, 30)], ids=str)
@pytest.mark.parametrize("width", [0.7, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_is_the_blur_scipy_knows(shape: tuple[int, ...], width: float, dtype: type) -> None:
    values = np.random.default_rng(3).standard_normal(shape).astype(dtype)
    close = {"rtol": 0.0, "atol": 1e-14 if dtype is np.float64 else 1e-6}
    np.testing.assert_allclose(blur(values, width), gaussian_filter(values, width), **close)
    expected = gaussian_filter(values, width, mode="nearest")
    np.testing.assert_allclose(blur(values, width, beyond="edge"), expected, **close)
    assert blur(values, width).dtype == dtype
