"""Time measured so that two figures can be compared: warm, repeated, interleaved, with fixed threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Latency:
    """Seconds of one call over many runs.

    Parameters
    ----------
    median, low, high
        Median and quartiles.
    least
        The fastest run.
    runs
        How many there were.
    """

    median: float
    low: float
    high: float
    least: float
    runs: int

    @property
    def spread(self) -> float:
        """Distance of the quartiles, relative to the median."""
        return (self.high - self.low) / self.median if self.median > 0 else 0.0

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        """Summarise the seconds of single runs."""
        low, median, high = (float(each) for each in np.quantile(seconds, (0.25, 0.5, 0.75)))
        return cls(median, low, high, float(min(seconds)), len(seconds))


def measure(run: Callable[[], object], runs: int = 30, warmup: int = 5) -> Latency:
    """Time a call.

    Parameters
    ----------
    run
        What to call.
    runs, warmup
        Timed calls, and calls before them.
    """
    return measure_together({"": run}, runs, warmup)[""]


def measure_together(
    candidates: Mapping[str, Callable[[], object]], runs: int = 30, warmup: int = 5
) -> dict[str, Latency]:
    """Time several calls in turn, so that whatever else the machine does meets all of them alike.

    Parameters
    ----------
    candidates
        Calls by name.
    runs, warmup
        Rounds that are timed, and rounds before them. Every other round goes backwards.

    Returns
    -------
    dict[str, Latency]
        In the order given.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    order = list(candidates)
    for number in range(-warmup, runs):
        for name in order if number % 2 == 0 else order[::-1]:
            begin = time.perf_counter()
            candidates[name]()
            spent = time.perf_counter() - begin
            if number >= 0:
                seconds[name].append(spent)
    return {name: Latency.of(each) for name, each in seconds.items()}


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let PyTorch use this many threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
