"""What a machine can do at most, and what that allows a layer: the roofline.

Williams, Waterman and Patterson 2009: attainable performance = min(peak, intensity x bandwidth).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from trabecula.nn.profile.latency import measure, torch_threads
from trabecula.nn.profile.layer import Layer


@dataclass(frozen=True)
class HostMachine:
    """The two roofs.

    Parameters
    ----------
    peak
        Floating-point operations a second (a multiply-accumulate is two).
    bandwidth
        Bytes a second between processor and memory.
    measured
        Whether these were measured here, or given.
    """

    peak: float
    bandwidth: float
    measured: bool = False

    @property
    def ridge(self) -> float:
        """The intensity (operations a byte) from which on a layer can reach the peak."""
        return self.peak / self.bandwidth

    def seconds(self, layer: Layer) -> float:
        """The least time a layer can take."""
        return max(layer.flops / self.peak, layer.bytes / self.bandwidth)

    def bound(self, layer: Layer) -> str:
        """What limits a layer: `compute` or `memory`."""
        return "compute" if layer.intensity >= self.ridge else "memory"


def measure_machine(threads: int = 1, size: int = 768, megabytes: int = 64) -> HostMachine:
    """Measure the roofs of this machine: a float32 matrix product, and a copy too big for the caches.

    Parameters
    ----------
    threads
        Threads, as the network will have.
    size
        Rows of the square matrices.
    megabytes
        Size of what is copied; it is read and written.

    Returns
    -------
    Machine
        From the fastest of several runs: roofs are the best that happens. Integer arithmetic, and data that
        stay in a cache, can go through these roofs.
    """
    with torch_threads(threads), torch.no_grad():
        left, right = torch.randn(size, size), torch.randn(size, size)
        product = measure(lambda: torch.mm(left, right), runs=7, warmup=2)
        source = torch.zeros(megabytes * 2**18)
        target = torch.empty_like(source)
        copy = measure(lambda: target.copy_(source), runs=7, warmup=2)
    return HostMachine(2 * size**3 / product.least, 2 * source.numel() * 4 / copy.least, measured=True)
