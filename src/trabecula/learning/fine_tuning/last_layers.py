"""A short training of a network's last layers, some old examples among the new ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path

from trabecula.learning.example import Example
from trabecula.learning.loop import TrainingProgress
from trabecula.learning.network import EncoderDecoder
from trabecula.learning.train import TrainingRecipe, train

STEPS, RATE, RISE = 200, 1e-3, 20
"""Of the training: the steps are enough for what can be gained, and the rate loses little else (measured)."""

VOXELS = 100_000
"""Voxels per batch at most, unless a single example has more."""


def freeze_all_but_last(network: EncoderDecoder) -> EncoderDecoder:
    """The same network; only the finest block of the way up and the head can be trained from here on."""
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    for part in (*list(network.up)[-1:], network.head):
        for parameter in part.parameters():
            parameter.requires_grad_(True)
    return network


def fit_last_layers(
    network: EncoderDecoder,
    recipe: TrainingRecipe,
    own: Sequence[Example],
    replay: Sequence[Example],
    unseen: Sequence[Example],
    folder: Path,
    report: Callable[[TrainingProgress], None] = lambda progress: None,
) -> EncoderDecoder:
    """Train the last layers on one's own examples and the replay, as often on the one as on the other.

    Parameters
    ----------
    network
        To begin with; changed in place.
    recipe
        Of the network; its `steps`, `rate` and `rise` are those of this training.
    own, replay
        Examples of both kinds.
    unseen
        Examples whose errors are measured on the way.
    folder
        For a checkpoint.
    """
    largest = max(example.target.size for example in (*own, *replay))
    recipe = replace(recipe, batch=max(1, min(recipe.batch, VOXELS // largest)))
    mixed = [*own, *replay]
    if replay:
        fewer, more = sorted((own, replay), key=len)
        mixed = [*more, *(list(fewer) * ceil(len(more) / len(fewer)))[: len(more)]]
    return train(recipe, mixed, unseen, folder / "checkpoint", report, freeze_all_but_last(network))
