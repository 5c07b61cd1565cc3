"""Latency of a candidate, comparable over the hours a search lasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from optuna.study import Study
from torch import nn

from trabecula.nn.profile.latency import Latency, measure_together, torch_threads
from trabecula.nn.tune.candidate import Network

YARDSTICK = "yardstick_ms"
"""The study's attribute that keeps what the yardstick took at its beginning."""


@dataclass(frozen=True)
class Timing:
    """How networks are timed.

    Attributes
    ----------
    runs, warmup
        Timed calls, and calls before them.
    threads
        Threads PyTorch may use meanwhile.
    """

    runs: int = 30
    warmup: int = 5
    threads: int = 1


@dataclass(frozen=True)
class LatencyMs:
    """Median and quartiles in ms."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, latency: Latency, factor: float = 1.0) -> LatencyMs:
        """Of seconds, times a factor."""
        scale = 1e3 * factor
        return cls(latency.median * scale, latency.low * scale, latency.high * scale)


def time_together(networks: Mapping[str, Network], timing: Timing) -> dict[str, LatencyMs]:
    """Time several networks in turn, in evaluation mode and without gradients.

    Returns
    -------
    dict[str, Milli]
        In the order given.
    """
    return {name: LatencyMs.of(latency) for name, latency in _measure(networks, timing).items()}


def steady_time(network: Network, study: Study, timing: Timing) -> LatencyMs:
    """Time a network in turn with a yardstick, a fixed small network, and correct for how slow that is today.

    The machine at the end of a search is not what it was at the beginning: warmer, or busy with something
    else. The yardstick meets the same machine in the same moments, so the latency is multiplied by what the
    yardstick took when the study began over what it takes now.
    """
    latencies = _measure({"network": network, "yardstick": yardstick()}, timing)
    now = latencies["yardstick"].median * 1e3
    kept: float | None = study.user_attrs.get(YARDSTICK)
    if kept is None:
        study.set_user_attr(YARDSTICK, now)
        kept = now
    return LatencyMs.of(latencies["network"], kept / now)


def yardstick() -> Network:
    """A small network of the operations that networks are made of: convolutions and a product."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, groups=16),
            nn.Conv2d(16, 8, 1),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(128, 128),
        )
        return Network(model, torch.randn(1, 8, 32, 32))


def _measure(networks: Mapping[str, Network], timing: Timing) -> dict[str, Latency]:
    modes = {name: network.model.training for name, network in networks.items()}
    calls: dict[str, Callable[[], object]] = {name: network.call for name, network in networks.items()}
    try:
        for network in networks.values():
            network.model.eval()
        with torch_threads(timing.threads), torch.inference_mode():
            return measure_together(calls, timing.runs, timing.warmup)
    finally:
        for name, network in networks.items():
            network.model.train(modes[name])
