"""Small networks that know nothing, or the wrong thing, as models."""

from __future__ import annotations

from pathlib import Path

import torch

from trabecula.learning.network import EncoderDecoder, Residual, Size
from trabecula.learning.ship import ship
from trabecula.learning.train import TrainingRecipe
from trabecula.surrogate import Model, load_model


def network(kind: str, dimension: int, scale: float, seed: int = 0) -> EncoderDecoder:
    """A network with random weights whose answers are of the size of `scale`."""
    made = TrainingRecipe(kind, dimension, Size(8, 1, 2), seed=seed).network()
    torch.manual_seed(seed)
    for module in made.modules():
        if isinstance(module, Residual):
            torch.nn.init.constant_(module.scale, 0.5)
    torch.nn.init.normal_(made.head.weight, std=scale / 20)
    return made


def model(folder: Path, kind: str, dimension: int, scale: float, seed: int = 0) -> Model:
    """The same, shipped and loaded."""
    recipe = TrainingRecipe(kind, dimension, Size(8, 1, 2), seed=seed)
    made = network(kind, dimension, scale, seed)
    card = ship(made, recipe, folder, {"grey": 0.2}, {"data": "none"})
    return load_model(card.name, folder)
