"""What an adversarial generator draws: a network asked once per design, after two solves of the grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.gallery.ground import Draw, Ground
from trabecula.optimize.analysis import Analysis
from trabecula.starts import Proposal, fill, volume_of
from trabecula.strategy.learned_steps import TOLERANCE, ratio_of
from trabecula.surrogate import channels, model_in_use
from trabecula.surrogate.generator import generate_designs
from trabecula.surrogate.model import Model

Channels = NDArray[np.float32]

FIELDS = 3
"""Designs and log sensitivity ratios among the channels of `generator_fields`."""


@dataclass(frozen=True)
class Generator:
    """Designs of the generator that ships, or of the user's own, mixed with grey.

    Attributes
    ----------
    model
        The network for a dimension; None: the one in use, and nothing is drawn where there is none.
    """

    description: str = "What the adversarial generator draws."
    model: Model | None = None

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as asked for; none where no network knows the dimension."""
        analysis = ground.analysis
        discrete, chain = ground.discrete, analysis.chain
        model = self.model or model_in_use("generator", len(discrete.grid.shape))
        if model is None:
            return []
        fields, volume = generator_fields(analysis), volume_of(discrete)
        numbers = range(first, first + count)
        found = generate_designs(model, fields, ~discrete.void, numbers, ground.seed)
        grey, sharpness = (model.card.settings[name] for name in ("grey", "sharpness"))
        end = discrete.options.penalty
        draws = []
        for k, logits in zip(numbers, found, strict=True):
            design = fill(sharpness * logits, volume, discrete, chain)
            x = np.clip((1.0 - grey) * design + grey * volume, discrete.lower, discrete.upper)
            draws.append(Draw(Proposal(f"generated-{k}", "generated", x, Schedule(end, end))))
        return draws


def generator_fields(analysis: Analysis) -> Channels:
    """What a generator is shown of a problem on a grid, which takes two solves.

    Those are the log sensitivity ratio of the uniform design at penalty 1, the design that has it for its
    logits (much like the first step of optimality criteria), and that one's ratio at the full penalty.

    Returns
    -------
    NDArray[np.float32]
        `[channel, z, y, x]` with `trabecula.surrogate.count(dimension, FIELDS)` channels.
    """
    discrete, chain = analysis.discrete, analysis.chain
    volume = volume_of(discrete)
    even = chain.uniform(volume)
    first = ratio_of(analysis, even, analysis.evaluate(even, 1.0, tolerance=TOLERANCE), volume)
    step = fill(first, volume, discrete, chain)
    found = analysis.evaluate(step, discrete.options.penalty, tolerance=TOLERANCE)
    return channels(discrete, volume, [step], [first, ratio_of(analysis, step, found, volume)])


GENERATOR = Generator()
