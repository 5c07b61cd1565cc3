"""Uniform starts with penalty ramps of several lengths: few, deterministic, and often the best."""

from __future__ import annotations

from dataclasses import dataclass

from trabecula.gallery.ground import Draw, Ground
from trabecula.starts import Ramps

LENGTHS = (30, 0, 15, 60, 8, 45)
"""Iterations of the ramps."""


@dataclass(frozen=True)
class UniformRamps:
    """Ramps of different lengths from the uniform design."""

    description: str = "Uniform starts with penalty ramps of several lengths."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many of the six as are left."""
        proposals = Ramps(LENGTHS).propose(ground.discrete, ground.analysis.chain, len(LENGTHS))
        return [Draw(proposal) for proposal in list(proposals)[first : first + count]]


RAMPS = UniformRamps()
