"""Networks that draw whole designs: proposals for the coarsest grid, and leaps to where a run will end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.design import DesignChain, Schedule
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.starts.propose import Proposal
from trabecula.starts.volume import (
    SHARPNESS,
    fill,
    log_odds,
    target_volume,
)
from trabecula.surrogate import Model, channels, draw

Array = NDArray[np.float64]
Pull = NDArray[np.float32]

GREY = 0.75
"""Mixed into a proposal: it says which way to go, and the search has to go it (docs/decisions)."""


@dataclass(frozen=True)
class ProposalNetwork:
    """A network that has seen the winners of wide searches, and draws what might win, out of noise.

    Attributes
    ----------
    model
        Sees the convex design and the pulls of it and of the uniform one.
    grey
        Share of grey mixed into each.
    """

    model: Model
    grey: float = GREY

    @classmethod
    def of(cls, model: Model) -> ProposalNetwork:
        """With the settings of its card."""
        return cls(model, grey=model.card.settings["grey"])

    def propose(
        self,
        convex: Array,
        pulls: Sequence[Pull],
        discrete: DiscreteProblem,
        chain: DesignChain,
        count: int,
    ) -> Iterator[Proposal]:
        """Different designs as proposals; the same ones for the same seed.

        Parameters
        ----------
        convex
            float64 `[z, y, x]`: a design of penalty 1.
        pulls
            Of the uniform and the convex design at penalty 1, and of the convex one at the full penalty.
        count
            How many.
        """
        volume = target_volume(convex, discrete, chain)
        fields, inside = channels(discrete, volume, [convex], pulls), ~discrete.void
        seed, end = discrete.options.seed, discrete.options.penalty
        found = draw(self.model, fields, inside, count, seed)
        for k, logits in enumerate(found):
            design = fill(logits, volume, discrete, chain)
            x = np.clip((1.0 - self.grey) * design + self.grey * volume, discrete.lower, discrete.upper)
            yield Proposal(f"drawn-{k}", "drawn", x, Schedule(end, end))


@dataclass(frozen=True)
class ExtrapolationNetwork:
    """A network that sees two designs of an iteration and draws the one it will end with.

    Attributes
    ----------
    model
        Sees both designs and both pulls.
    first, apart
        Iterations at the full penalty before the first of the two, and from it to the second.
    sharpness
        Of what is drawn.  No grey is mixed in, it would cost more than a leap can win: a place the network is
        not sure of is grey by itself, and never void for certain.
    """

    model: Model
    first: int = 4
    apart: int = 4
    sharpness: float = SHARPNESS

    def draw(
        self,
        designs: Sequence[Array],
        pulls: Sequence[Pull],
        discrete: DiscreteProblem,
        chain: DesignChain,
    ) -> Array:
        """Where the iteration will end, float64 `[z, y, x]`, with the volume of the later design.

        Parameters
        ----------
        designs, pulls
            The earlier and the later one, each `[z, y, x]`.
        """
        late = designs[-1]
        volume = target_volume(late, discrete, chain)
        correction = self.model.logits(channels(discrete, volume, designs, pulls))[0]
        return fill(self.sharpness * (log_odds(late) + correction), volume, discrete, chain)
