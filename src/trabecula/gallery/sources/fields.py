"""Random fields: the plainest source, and the control that others are measured against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from trabecula.design import Schedule
from trabecula.gallery.ground import Draw, Ground
from trabecula.starts import RandomFields

SEARCHED = 24
"""Fields that the plain solve may have tried already."""

RAMP = 15
"""Iterations of the penalty ramp that every second field begins with."""


@dataclass(frozen=True)
class Fields:
    """Random fields, every second one with a penalty ramp."""

    description: str = "Random fields, white or smooth."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as asked for."""
        start = SEARCHED + first
        proposer = RandomFields(ground.seed)
        fields = proposer.propose(ground.discrete, ground.analysis.chain, start + count)
        end = ground.discrete.options.penalty
        ramp = Schedule(min(1.5, end), end, RAMP)
        return [
            Draw(replace(proposal, schedule=ramp) if (first + k) % 2 else proposal)
            for k, proposal in enumerate(islice(fields, start, None))
        ]


FIELDS = Fields()
