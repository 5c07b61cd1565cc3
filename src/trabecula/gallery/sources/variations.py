"""Known designs, half grey and disturbed by random fields: near the best, and different in their details."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.gallery.ground import Draw, Ground
from trabecula.starts import Proposal, volume_of

Array = NDArray[np.float64]

GREY = 0.5
"""Share of the uniform density that is mixed in."""

AMPLITUDE = 1.0
"""Standard deviation of the logarithm of what the density is multiplied by."""

WIDTHS = (2.0, 4.0, 1.0, 3.0)
"""Of the random fields, in voxels, one after the other."""

RAMP = 10
"""Iterations of the penalty ramp."""

MOST = 4
"""Known designs that are varied, best first."""


@dataclass(frozen=True)
class Variations:
    """Starts near known designs."""

    description: str = "Known designs, half grey and disturbed by random fields."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as asked for; none as long as nothing is known."""
        if not ground.known:
            return []
        end = ground.discrete.options.penalty
        schedule = Schedule(end, end)
        return [
            Draw(Proposal(f"variation-{k}", "variation", vary(ground, k), schedule))
            for k in range(first, first + count)
        ]


def vary(ground: Ground, k: int) -> Array:
    """Variation k of the best known designs in turn, float64 `[z, y, x]`."""
    discrete, known = ground.discrete, ground.known[:MOST]
    volume = volume_of(discrete)
    random = np.random.default_rng([ground.seed, 77, k])
    field = discrete.grid.blur(random.standard_normal(discrete.grid.shape), WIDTHS[k % len(WIDTHS)])
    field /= float(field.std()) or 1.0
    even = (1.0 - GREY) * known[k % len(known)] + GREY * volume
    density = np.clip(even * np.exp(AMPLITUDE * field), 1e-3, 1.0)
    density = np.clip(density, discrete.lower, discrete.upper)
    return np.asarray(ground.analysis.chain.symmetrise(density))


VARIATIONS = Variations()
