"""The planes in which a problem is its own mirror image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.grid import Grid

Array = NDArray[np.float64]

ROUNDING = 1e-9
"""Relative difference that counts as rounding."""


def mirror_planes(discrete: DiscreteProblem) -> tuple[int, ...]:
    """Axes normal to the planes through the middle of the grid in which a problem is symmetric.

    Supports, loads, own weight and passive parts must be mirror images of themselves; of several load cases
    one may be that of another with the same weight, and a case without own weight that of its opposite.

    Returns
    -------
    tuple of int
        0, 1, 2 for x, y, z; nothing for other grids than boxes of voxels, and for problems whose goal or
        limits are more than the weighted compliance and the volume.
    """
    goal = discrete.goal
    is_known = goal.keys is None and goal.minimize in ("compliance", "volume") and not goal.limits
    if not isinstance(discrete.grid, Grid) or not is_known or len(goal.compliance or ()) > 1:
        return ()
    return tuple(axis for axis in range(discrete.grid.dimension) if _is_symmetric(discrete, axis))


def _is_symmetric(discrete: DiscreteProblem, axis: int) -> bool:
    fields = (discrete.lower, discrete.upper, discrete.fixed)
    if not all(np.array_equal(field, _flip(field, axis)) for field in fields):
        return False
    return all(_has_image(discrete, case, axis) for case in range(len(discrete.weights)))


def _flip(field: NDArray[np.generic], axis: int) -> NDArray[np.generic]:
    return np.flip(field, field.ndim - 1 - axis)


def _has_image(discrete: DiscreteProblem, case: int, axis: int) -> bool:
    """Whether one of the cases is the mirror image of a case."""
    load = np.array(_flip(discrete.loads[case], axis), dtype=np.float64)
    load[axis] *= -1.0
    gravity = discrete.gravity[case].copy()
    gravity[axis] *= -1.0
    signs = (1.0,) if gravity.any() else (1.0, -1.0)
    return any(
        discrete.weights[other] == discrete.weights[case]
        and _is_close(gravity, discrete.gravity[other])
        and any(_is_close(sign * load, discrete.loads[other]) for sign in signs)
        for other in range(len(discrete.weights))
    )


def _is_close(one: Array, other: Array) -> bool:
    return bool(np.abs(one - other).max(initial=0.0) <= ROUNDING * np.abs(other).max(initial=0.0))
