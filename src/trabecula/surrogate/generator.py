"""Designs that a generator makes out of noise in one go: different ones for the same problem.

A generator of an adversarial training (Goodfellow et al. 2014, "Generative adversarial nets") is asked once
per design. Part of the noise is as coarse as the box, so that it can decide which way the members run, and
part as fine as a voxel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.surrogate.canonical import interpolate_onto
from trabecula.surrogate.model import Model

Channels = NDArray[np.float32]

NOISE = 3
"""Channels of noise in front of the fields: by the voxel, by `CELL` voxels, and by a third of the box."""

CELL, PARTS = 6, 3
"""Voxels of a cell of the middle noise, and cells of the coarsest one along every axis."""


def make_noise(inside: NDArray[np.bool_], random: np.random.Generator) -> Channels:
    """The noise of one design, zero outside the domain.

    Parameters
    ----------
    inside
        bool `[z, y, x]`: voxels that are part of the domain.

    Returns
    -------
    NDArray[np.float32]
        `[NOISE, z, y, x]`.
    """
    shape = inside.shape
    cells = (shape, tuple(max(1, n // CELL) for n in shape), (PARTS,) * len(shape))
    layers = [interpolate_onto(random.standard_normal(grid), shape) for grid in cells]
    return np.where(inside, np.stack(layers), 0.0).astype(np.float32)


def generate_designs(
    model: Model, fields: Channels, inside: NDArray[np.bool_], numbers: range, seed: int = 0
) -> Channels:
    """Different designs for the same fields, as logits.

    Parameters
    ----------
    model
        Takes `NOISE` channels in front of the fields.
    fields
        float32 `[channel, z, y, x]` of `trabecula.surrogate.features`.
    inside
        bool `[z, y, x]`: voxels that are part of the domain.
    numbers
        Which designs of the endless row that a seed gives.
    seed
        Of the noise: design k is the same for the same seed, whatever others are asked for.

    Returns
    -------
    NDArray[np.float32]
        `[design, z, y, x]`.

    Raises
    ------
    ValueError
        If the model takes another number of channels.
    """
    card = model.card
    if len(fields) + NOISE != card.channels:
        raise ValueError(f"model {card.name} takes {card.channels} channels, not {len(fields) + NOISE}")
    found = np.zeros((len(numbers), *inside.shape), np.float32)
    for place, k in enumerate(numbers):  # one at a time: its last digits depend on no other
        noise = make_noise(inside, np.random.default_rng([seed, k]))
        found[place] = model.logits(np.concatenate([noise, fields]))[0]
    return found
