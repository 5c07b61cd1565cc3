"""Candidates that need no training: their metric is a formula of the settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from optuna.trial import BaseTrial
from torch import nn

from trabecula.nn.tune import Milliseconds
from trabecula.nn.tune.candidate import Report


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors are quickest on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def formula(trial: BaseTrial) -> Iterator[Report]:
    """Wider is better and slower; the rate has an optimum at 0.01; three epochs."""
    width = trial.suggest_int("width", 1, 64)
    rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
    yield Milliseconds(width / 8)
    end = (width / 64) ** 0.5 - 0.1 * abs(torch.log10(torch.tensor(rate / 0.01)).item()) + 0.3
    for epoch in range(1, 4):
        yield max(end, 0.0) * epoch / 3


class Line(nn.Module):
    """So many matrices after each other."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(width, width) for _ in range(depth)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, width] to [batch, width]."""
        return self.layers(x)  # type: ignore[no-any-return]
