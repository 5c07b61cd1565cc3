"""Designs that were given: of problems like this one that were solved before, or drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass

from trabecula.gallery.ground import Draw, Ground
from trabecula.starts import PastDesigns


@dataclass(frozen=True)
class Past:
    """Given designs, half grey."""

    description: str = "Designs that were given, as the nearest of the history."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as are left of those that were given."""
        proposer, given = PastDesigns(ground.past), len(ground.past)
        proposals = list(proposer.propose(ground.discrete, ground.analysis.chain, given))
        return [Draw(proposal) for proposal in proposals[first : first + count]]


PAST = Past()
