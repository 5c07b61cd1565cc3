"""Of which numbers the arrays of a saved result are: single or double precision, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.storage.reading import UnreadableError

KINDS = {
    "density": np.float32,
    "part": np.uint8,
    "design": np.float64,
    "relaxed": np.float32,
    "penalty": np.float64,
    "beta": np.float64,
}
"""Numbers of the saved arrays."""


def refuse_other(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays of other numbers than a result is saved with.

    Parameters
    ----------
    path
        File they were read from.
    arrays
        By name, as in `KINDS`.

    Raises
    ------
    UnreadableError
        One is of another kind.
    """
    for name, array in arrays.items():
        if array.dtype != KINDS[name]:
            wanted = np.dtype(KINDS[name]).name
            raise UnreadableError(path, f"{name!r} holds {array.dtype.name} where {wanted} belongs")
