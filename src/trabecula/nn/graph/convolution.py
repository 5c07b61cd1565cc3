"""Layers with fixed coefficients: GCN, GraphSAGE, GIN. Each is one hop."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trabecula.nn.graph.gather import CHUNK, How
from trabecula.nn.graph.steps import aggregate, combine
from trabecula.nn.graph.structure import Graph, with_loops


class GCN(nn.Module):
    """X' = D^(-1/2) (A + I) D^(-1/2) X W + b, with D the degrees of A + I.

    Kipf & Welling 2017, arXiv 1609.02907, eq. 2.

    Parameters
    ----------
    inputs, outputs
        Features per node before and after.
    chunk
        Edges handled at once.
    """

    def __init__(self, inputs: int, outputs: int, chunk: int = CHUNK) -> None:
        super().__init__()
        self.map = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.chunk = chunk

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, inputs] to [node, outputs]; edge weights are the entries of A."""
        graph = with_loops(graph)
        root = graph.strength(x).clamp_min(torch.finfo(x.dtype).tiny).rsqrt()
        weight = root[graph.source] * root[graph.target]
        if graph.weight is not None:
            weight = weight * graph.weight.to(x)
        if self.map.in_features < self.map.out_features:  # the sum runs over whichever is narrower
            out: Tensor = self.map(aggregate(x, graph, "sum", weight, self.chunk))
        else:
            out = aggregate(self.map(x), graph, "sum", weight, self.chunk)
        return out + self.bias


class GraphSAGE(nn.Module):
    """x'_v = W_own x_v + W_n mean(x_u) + b (Hamilton et al. 2017, 1706.02216, algorithm 1; no sampling).

    Parameters
    ----------
    inputs, outputs
        Features per node before and after.
    how
        `mean` as in the paper, or `sum`, `max`.
    chunk
        Edges handled at once.
    """

    def __init__(self, inputs: int, outputs: int, how: How = "mean", chunk: int = CHUNK) -> None:
        super().__init__()
        self.own = nn.Linear(inputs, outputs, bias=False)
        self.neighbours = nn.Linear(inputs, outputs)
        self.how: How = how
        self.chunk = chunk

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, inputs] to [node, outputs]."""
        collected = aggregate(x, graph, self.how, chunk=self.chunk)
        return combine(x, collected, self.own, self.neighbours)


class GIN(nn.Module):
    """x'_v = MLP((1 + eps) x_v + sum(x_u)) (Xu et al. 2019, 1810.00826, eq. 4.1).

    A sum tells multisets of neighbours apart that a mean or a maximum does not.

    Parameters
    ----------
    inputs, outputs
        Features per node before and after.
    hidden
        Width of the MLP (linear, ReLU, linear); None for `outputs`.
    eps
        Where the learned weight of the node itself begins.
    chunk
        Edges handled at once.
    """

    def __init__(
        self, inputs: int, outputs: int, hidden: int | None = None, eps: float = 0.0, chunk: int = CHUNK
    ) -> None:
        super().__init__()
        width = outputs if hidden is None else hidden
        self.mlp = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))
        self.eps = nn.Parameter(torch.tensor(eps))
        self.chunk = chunk

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, inputs] to [node, outputs]."""
        collected = aggregate(x, graph, "sum", chunk=self.chunk)
        both = combine(x, collected, lambda own: (1 + self.eps) * own, lambda sent: sent)
        return self.mlp(both)  # type: ignore[no-any-return]
