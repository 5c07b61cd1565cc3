"""Stochastic depth (Huang et al. 2016, arXiv 1603.09382): residual branches that are sometimes left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """While training, drops the branch of a whole example with chance `drop` and scales the others up.

    `y = b x / (1 - drop)` with `b` Bernoulli(1 - drop) per example, so the mean is `x`; the identity in
    evaluation. No parameters.

    Parameters
    ----------
    drop
        Chance in [0, 1).

    Raises
    ------
    ValueError
        `drop` outside [0, 1).
    """

    def __init__(self, drop: float) -> None:
        if not 0 <= drop < 1:
            raise ValueError(f"drop is {drop}; it is a chance from 0 up to, not including, 1")
        super().__init__()
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        """`x` with the branches of some examples set to zero."""
        if not self.training or self.drop == 0:
            return x
        keep = 1 - self.drop
        alive = torch.empty(x.shape[0], *(1 for _ in x.shape[1:]), dtype=x.dtype, device=x.device)
        return x * alive.bernoulli_(keep) / keep

    def extra_repr(self) -> str:
        """The chance, for printing."""
        return f"drop={self.drop:g}"
