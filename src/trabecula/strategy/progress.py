"""What a solve tells while it works."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Progress:
    """One step of a solve.

    Attributes
    ----------
    stage
        What is being done: a grid, a search, the proof.
    iteration
        Of the run under way, from 1.
    compliance
        Weighted compliance of the last analysed design, in J (W K for heat).
    change
        Largest change of a density in the step.
    volume
        Used fraction of the domain.
    seconds
        Since the start.
    fraction
        Rough share of the way that is done, 0 to 1.
    density
        float64 `[z, y, x]`: design variables of the grid under way; a copy.
    done
        Whether this design is finished already: it comes out unless the rest of the way finds a better one.
        Once at most, with `start="learned"` where a search follows what a network drew.
    """

    stage: str
    iteration: int
    compliance: float
    change: float
    volume: float
    seconds: float
    fraction: float
    density: Array
    done: bool = False
