"""Designs that are there already, of this problem or of one like it, as proposals for the coarsest grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.starts.hand_over import HalfGrey, HandOver
from trabecula.starts.propose import Proposal
from trabecula.surrogate.canonical import average_onto

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PastDesigns:
    """Given designs, handed over as a coarser design would be.

    Attributes
    ----------
    designs
        float64 `[z, y, x]` each, of any resolution: the box is the problem's.
    hand_over
        Draws the start: half grey, so that what is different this time can be decided again.
    """

    designs: tuple[Array, ...]
    hand_over: HandOver = field(default_factory=HalfGrey)

    def propose(self, discrete: DiscreteProblem, chain: DesignChain, count: int) -> Iterator[Proposal]:
        """One proposal per design, at most `count`."""
        for k, design in enumerate(self.designs[:count]):
            even = average_onto(design, discrete.grid.shape)
            density, schedule = self.hand_over.start(even, discrete, chain)
            yield Proposal(f"past-{k}", "past", density, schedule)
