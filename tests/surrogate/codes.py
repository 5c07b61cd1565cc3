"""Small auto-encoders that know nothing, shipped and loaded."""

from __future__ import annotations

from pathlib import Path

import torch

from trabecula.learning.latent.network import AutoEncoder, Build
from trabecula.learning.latent.ship import ship
from trabecula.surrogate import Latent


def latent(folder: Path, dimension: int, numbers: int = 6, seed: int = 0) -> Latent:
    """One with random weights."""
    torch.manual_seed(seed)
    network = AutoEncoder(Build(dimension, numbers, width=4, patch=8))
    torch.nn.init.normal_(network.encoder.head.weight, std=0.05)
    ship(network.half().float(), folder, {"data": "none"})
    return Latent.load(dimension, folder)
