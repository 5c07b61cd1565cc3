"""Inner products in a fixed order.

The linear-algebra library behind NumPy splits long ones over its own threads: their last bits then depend
on the machine, and its waiting threads take time from the kernels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def inner(a: NDArray[np.floating | np.bool_], b: NDArray[np.floating | np.bool_]) -> float:
    """Sum of products of two real arrays of one shape."""
    return float(np.einsum("i,i->", a.ravel(), b.ravel()))
