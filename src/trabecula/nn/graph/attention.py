"""Layers whose coefficients are learned from the two ends of an edge: GAT and GATv2.

The scores of an edge are sums of terms of its two ends, so the products with the weight matrices are made
once per node and only gathered per edge. An edge weight multiplies exp(score): a prior that attention then
redistributes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from trabecula.nn.graph.gather import CHUNK, softmax
from trabecula.nn.graph.steps import aggregate
from trabecula.nn.graph.structure import Graph, with_loops

SLOPE = 0.2
"""Of the LeakyReLU, as in both papers."""


class GAT(nn.Module):
    """Graph attention (Velickovic et al. 2018, 1710.10903, eq. 3-6), every node its own neighbour too.

    x'_v = sum over u of alpha_vu W x_u + b, alpha = softmax over u of LeakyReLU(a_t . W x_v + a_s . W x_u).
    With a_t = a_s = 0 it is the (weighted) mean over the neighbours and the node.

    Parameters
    ----------
    inputs, outputs
        Features per node before and after.
    heads
        How many attentions beside each other.
    concat
        Whether the heads stand beside each other (`outputs` is divided among them) or are averaged.
    chunk
        Edges handled at once.

    Raises
    ------
    ValueError
        Where `outputs` cannot be divided among the heads.
    """

    def __init__(
        self, inputs: int, outputs: int, heads: int = 1, concat: bool = True, chunk: int = CHUNK
    ) -> None:
        super().__init__()
        self.heads, self.concat, self.chunk = heads, concat, chunk
        self.width = head_width(outputs, heads, concat)
        self.map = nn.Linear(inputs, heads * self.width, bias=False)
        self.score_source = nn.Parameter(glorot(heads, self.width))
        self.score_target = nn.Parameter(glorot(heads, self.width))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def coefficients(self, x: Tensor, graph: Graph) -> tuple[Graph, Tensor]:
        """The graph with loops, and alpha [edge, head] on its edges."""
        graph = with_loops(graph)
        return graph, self._alpha(self._messages(x), graph)

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, inputs] to [node, outputs]."""
        graph = with_loops(graph)
        sent = self._messages(x)
        out = aggregate(sent, graph, "sum", self._alpha(sent, graph), self.chunk)
        return join_heads(out, self.concat) + self.bias

    def _messages(self, x: Tensor) -> Tensor:
        return self.map(x).view(-1, self.heads, self.width)  # type: ignore[no-any-return]

    def _alpha(self, sent: Tensor, graph: Graph) -> Tensor:
        of_source, of_target = (sent * self.score_source).sum(-1), (sent * self.score_target).sum(-1)
        score = leaky_relu(of_source[graph.source] + of_target[graph.target], SLOPE)
        return softmax(score, graph.target, graph.nodes, graph.weight)


class GATv2(nn.Module):
    """Graph attention whose ranking of the neighbours depends on the node (2105.14491, eq. 7).

    alpha = softmax over u of a . LeakyReLU(W_s x_u + W_t x_v); x'_v = sum over u of alpha_vu W_s x_u + b.
    Parameters as of `GAT`.
    """

    def __init__(
        self, inputs: int, outputs: int, heads: int = 1, concat: bool = True, chunk: int = CHUNK
    ) -> None:
        super().__init__()
        self.heads, self.concat, self.chunk = heads, concat, chunk
        self.width = head_width(outputs, heads, concat)
        self.map_source = nn.Linear(inputs, heads * self.width)
        self.map_target = nn.Linear(inputs, heads * self.width)
        self.score = nn.Parameter(glorot(heads, self.width))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, inputs] to [node, outputs]."""
        graph = with_loops(graph)
        sent = self.map_source(x).view(-1, self.heads, self.width)
        asked = self.map_target(x).view(-1, self.heads, self.width)

        def scores(part: slice) -> Tensor:
            both = leaky_relu(sent[graph.source[part]] + asked[graph.target[part]], SLOPE)
            return (both * self.score).sum(-1)

        edges = graph.edges.shape[1]
        score = torch.cat([scores(slice(k, k + self.chunk)) for k in range(0, edges, self.chunk)])
        alpha = softmax(score, graph.target, graph.nodes, graph.weight)
        return join_heads(aggregate(sent, graph, "sum", alpha, self.chunk), self.concat) + self.bias


def head_width(outputs: int, heads: int, concat: bool) -> int:
    """Features of one head."""
    if concat and outputs % heads:
        raise ValueError(f"{outputs} features cannot be divided among {heads} heads")
    return outputs // heads if concat else outputs


def glorot(*shape: int) -> Tensor:
    """Uniform start of Glorot & Bengio 2010."""
    return nn.init.xavier_uniform_(torch.empty(*shape))


def join_heads(heads: Tensor, concat: bool) -> Tensor:
    """[node, head, feature] to [node, feature]."""
    return heads.flatten(1) if concat else heads.mean(1)
