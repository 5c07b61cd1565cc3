"""One thread for small tensors, and random graphs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from trabecula.nn.graph import Graph


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Results and speed of small tests do not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def random_graph(nodes: int, edges: int, seed: int, weighted: bool = False) -> Graph:
    """Directed, without loops and without the same edge twice."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(nodes * (nodes - 1), generator=generator)[:edges]
    source, rest = chosen // (nodes - 1), chosen % (nodes - 1)
    target = rest + (rest >= source)
    weight = torch.rand(edges, generator=generator) + 0.5 if weighted else None
    return Graph(nodes, torch.stack([source, target]), weight)


def features(nodes: int, width: int, seed: int = 0) -> torch.Tensor:
    """[node, width] standard normal."""
    return torch.randn(nodes, width, generator=torch.Generator().manual_seed(seed))
