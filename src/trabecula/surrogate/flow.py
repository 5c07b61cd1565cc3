"""Designs drawn out of noise: different ones for the same problem, each of them sharp.

A network that says what is likely everywhere hedges where designs differ. This one is shown a design half
hidden in noise and says what it was; begun with nothing but noise and asked a few times, it ends at one of
the designs that are likely, and which one the noise decides (Lipman et al. 2023, "Flow matching for
generative modeling", with straight paths; the network's answer is the design at the end of the path).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trabecula.surrogate.model import Model
from trabecula.surrogate.packing import pack, unpack

Channels = NDArray[np.float32]

EXTRA = 2
"""Channels in front of all others: the design in its noise, and the time."""

TIMES = 5
"""How often a network is asked on the way from noise to a design."""


def draw(
    model: Model,
    fields: Channels,
    inside: NDArray[np.bool_],
    count: int,
    seed: int = 0,
) -> Channels:
    """Different designs for the same fields, as logits.

    Parameters
    ----------
    model
        Takes `EXTRA` channels beside the fields, any number of examples at once.
    fields
        float32 `[channel, z, y, x]` of `trabecula.surrogate.features`.
    inside
        bool `[z, y, x]`: voxels that are part of the domain; there is noise nowhere else.
    count
        How many.
    seed
        Of the noise: the same designs for the same seed.

    Returns
    -------
    NDArray[np.float32]
        `[count, z, y, x]`.

    Raises
    ------
    ValueError
        If the model takes another number of channels.
    """
    card = model.card
    if len(fields) + EXTRA != card.channels:
        raise ValueError(f"model {card.name} takes {card.channels} channels, not {len(fields) + EXTRA}")

    known = np.repeat(pack(fields, card.patch, card.multiple)[None], count, axis=0)
    domain = pack(inside[None].astype(np.float32), card.patch, card.multiple)[None]
    random = np.random.default_rng(seed)
    x = random.standard_normal((count, *domain.shape[1:])).astype(np.float32) * domain
    for time, later in pairwise(np.linspace(0.0, 1.0, TIMES + 1)):
        shown = np.concatenate([x, np.full_like(x, time), known], axis=1)
        logits = model.run({"fields": shown})
        x = x + (later - time) / (1.0 - time) * (np.tanh(logits / 2.0) * domain - x)
        x = x.astype(np.float32)
    return np.stack([unpack(each, card.patch, fields.shape[1:])[0] for each in logits])
