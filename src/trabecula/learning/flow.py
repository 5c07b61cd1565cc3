"""Training of networks that draw designs out of noise: they see designs mixed with noise and predict them.

At work the same network walks from noise to a design (`trabecula.surrogate.flow`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from trabecula.learning.batches import ExampleBatch

BLIND = 0.15
"""Share of examples that are nothing but noise, as they are when drawing begins."""


def hide_in_noise(batch: ExampleBatch, random: np.random.Generator) -> ExampleBatch:
    """The batch with its targets in noise, each as far as its own random time, in front of the fields."""
    count = batch.target.shape[0]
    times = random.random(count) * (random.random(count) >= BLIND)
    return mix_with_noise(batch, times, random)


def mix_with_noise(batch: ExampleBatch, times: np.ndarray, random: np.random.Generator) -> ExampleBatch:
    """The same at given times `[example]`: 0 is noise alone, 1 the target, -1 void to 1 solid."""
    noise = torch.from_numpy(random.standard_normal(batch.target.shape).astype(np.float32))
    time = torch.from_numpy(times.astype(np.float32)).view(-1, *[1] * (batch.target.ndim - 1))
    seen: Tensor = ((1.0 - time) * noise + time * (2.0 * batch.target - 1.0)) * batch.inside
    return replace(batch, fields=torch.cat([seen, time.expand_as(seen), batch.fields], dim=1))
