"""How much of a part is too thin for its surface to be as stiff as its voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.numerics.member_size import find_thick, grow

_MOST_OFF = 8
"""Per cent of compliance by which voxel elements were too stiff at most in parts of thin members. The
smooth surface, which is stiffer than stairs, gives most of it back (docs/decisions/surface.md)."""

_WORTH_SAYING = 0.05


def measure_thin_share(part: NDArray[np.bool_]) -> float:
    """Share of a part's cells that belong to members thinner than three voxels.

    They are what an opening takes away: what no ball of three voxels within the part covers, the same balls
    that measure the thinnest member of a part (`trabecula.numerics.member_size`). Cells next to
    what it covers do not count, for they are edges and corners of thick members.

    Parameters
    ----------
    part
        bool `[z, y, x]` or `[y, x]`: the cells of the part. Outside of the array there is nothing.

    Returns
    -------
    float
        0 to 1; 0 for an empty part.

    Examples
    --------
    >>> bar = np.zeros((9, 9, 30), dtype=bool)
    >>> bar[2:5, 2:5] = True
    >>> measure_thin_share(bar)
    0.0
    >>> bar[4] = False
    >>> measure_thin_share(bar)
    1.0
    """
    count = int(np.count_nonzero(part))
    if not count:
        return 0.0
    thick = grow(find_thick(part, 3.0, (1.0,) * part.ndim), range(part.ndim)) & part
    return 1.0 - int(np.count_nonzero(thick)) / count


def describe_thin_share(share: float) -> str:
    """A sentence that says beforehand where a surface cannot be trusted; empty where nothing is worth it.

    Parameters
    ----------
    share
        Share of the part that is thinner than three voxels, 0 to 1.
    """
    if share < _WORTH_SAYING:
        return ""
    return (
        f"{100 * share:.0f} % of the part is thinner than three voxels: its surface may be up to"
        f" {_MOST_OFF} % off in stiffness; use a larger filter radius or finer voxels"
    )
