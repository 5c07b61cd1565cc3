"""A message that depends on both ends and on the edge, at the price of a gather."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trabecula.nn.graph.gather import CHUNK, How, collect
from trabecula.nn.graph.structure import Graph


class Message(nn.Module):
    """x'_v = W_own x_v + W_2 sum over u -> v of ReLU(W_t x_v + W_s x_u + W_e e_uv + b) + b_2, factorised.

    The textbook form (Battaglia et al. 2018, 1806.01261; MeshGraphNet, 2010.03409) makes an MLP of [x_v,
    x_u, e_uv] on every edge. A linear map of a concatenation is a sum of linear maps, so W_t x and W_s x
    are made once per node and only gathered per edge; the second map is linear, so it comes after the sum.
    With E edges, N nodes and H features E H (3 H + e) multiply-adds become 3 N H^2 + E H e. (With `how`
    other than `sum`, the second map is applied to the mean or maximum.)

    Parameters
    ----------
    inputs, outputs
        Features per node before and after.
    edge
        Features per edge; 0 for none.
    hidden
        Width of the message; None for `outputs`.
    how
        How messages are collected.
    chunk
        Edges handled at once.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        edge: int = 0,
        hidden: int | None = None,
        how: How = "sum",
        chunk: int = CHUNK,
    ) -> None:
        super().__init__()
        width = outputs if hidden is None else hidden
        self.width, self.chunk = width, chunk
        self.how: How = how
        self.of_target = nn.Linear(inputs, width)
        self.of_source = nn.Linear(inputs, width, bias=False)
        self.of_edge = nn.Linear(edge, width, bias=False) if edge else None
        self.own = nn.Linear(inputs, outputs, bias=False)
        self.neighbours = nn.Linear(width, outputs)

    def forward(self, x: Tensor, graph: Graph, edge: Tensor | None = None) -> Tensor:
        """[node, inputs] and [edge, edge features] to [node, outputs]; messages are times the edge weights.

        Raises
        ------
        ValueError
            Where the layer has edge features and none are given, or the other way round.
        """
        if (edge is None) is not (self.of_edge is None):
            raise ValueError("edge features are given where the layer was made for them, and only there")
        of_target, of_source = self.of_target(x), self.of_source(x)

        def messages(part: slice) -> Tensor:
            sent = of_target[graph.target[part]] + of_source[graph.source[part]]
            if self.of_edge is not None and edge is not None:
                sent = sent + self.of_edge(edge[part])
            sent = torch.relu_(sent)
            return sent if graph.weight is None else sent * graph.weight[part, None].to(x)

        empty = x.new_zeros(graph.nodes, self.width)
        collected = collect(messages, graph.target, empty, self.how, graph.weight, self.chunk)
        return self.own(x) + self.neighbours(collected)  # type: ignore[no-any-return]
