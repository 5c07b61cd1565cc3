"""Attention over labelled, directed edges (ReGAT: Li et al. 2019, arXiv 1903.12314, eq. 3-8)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from trabecula.nn.graph.attention import glorot, head_width, join_heads
from trabecula.nn.graph.gather import CHUNK, collect, softmax
from trabecula.nn.graph.structure import Graph

ALONG, AGAINST, SELF = 0, 1, 2
"""Directions a message can run, seen from the edge it came from."""


def both_ways(graph: Graph) -> Graph:
    """The graph in which messages run along every edge, against it, and from each node to itself.

    Labels are kept both ways, and directions set (along 0, against 1, to itself 2): a node knows what kind
    of edge a message came by and which way. Loops get label 0 and weight 1; the paper has one label of its
    own for them, so count labels from 1 where 0 means something.
    """
    edges, count = graph.edges, graph.edges.shape[1]
    loops = torch.arange(graph.nodes, device=edges.device).expand(2, -1)

    def twice(value: Tensor | None, loop: float) -> Tensor | None:
        return None if value is None else torch.cat([value, value, value.new_full((graph.nodes,), loop)])

    sizes = torch.tensor([count, count, graph.nodes], device=edges.device)
    return replace(
        graph,
        edges=torch.cat([edges, edges.flip(0), loops], 1),
        weight=twice(graph.weight, 1.0),
        label=twice(graph.label, 0),
        direction=torch.repeat_interleave(torch.tensor([ALONG, AGAINST, SELF], device=edges.device), sizes),
    )


class RelationAttention(nn.Module):
    """x'_v = sum over edges u -> v of alpha (W_dir x_u + b_label); no activation after it.

    alpha = softmax over u of w_uv exp((U x_v) . (V_dir x_u) + c_label), with dir the direction of the edge
    and w its weight. Explicit relations (eq. 7, 8): a labelled graph through `both_ways`. Implicit
    relations (eq. 4-6): all pairs of nodes as edges, `weight` the geometric term max(0, w . f_b), one
    direction, one label.

    Parameters
    ----------
    inputs, outputs
        Features per node before and after.
    labels
        How many kinds of edges.
    directions
        How many directions; 3 for `both_ways`.
    heads
        How many attentions; `outputs` is divided among them.
    chunk
        Edges handled at once.

    Raises
    ------
    ValueError
        Where `outputs` cannot be divided among the heads, or a graph has labels or directions beyond those
        said.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        labels: int = 1,
        directions: int = 3,
        heads: int = 1,
        chunk: int = CHUNK,
    ) -> None:
        super().__init__()
        self.labels, self.directions, self.heads, self.chunk = labels, directions, heads, chunk
        self.width = head_width(outputs, heads, concat=True)
        self.map = nn.Linear(inputs, directions * outputs, bias=False)
        self.key = nn.Linear(inputs, directions * outputs, bias=False)
        self.query = nn.Linear(inputs, outputs, bias=False)
        self.label_bias = nn.Parameter(glorot(labels, outputs))
        self.label_score = nn.Parameter(torch.zeros(labels, heads))

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, inputs] to [node, outputs]."""
        label = _within(graph.label, graph, self.labels, "label")
        direction = _within(graph.direction, graph, self.directions, "direction")
        # a row for each node and direction: projected once per node, gathered once per edge
        row = graph.source * self.directions + direction
        sent = self.map(x).view(-1, self.heads, self.width)
        key = self.key(x).view(-1, self.heads, self.width)
        query = self.query(x).view(-1, self.heads, self.width)
        bias = self.label_bias.view(-1, self.heads, self.width)

        def scores(part: slice) -> Tensor:
            product: Tensor = (query[graph.target[part]] * key[row[part]]).sum(-1)
            return product + self.label_score[label[part]]

        edges = graph.edges.shape[1]
        parts = [scores(slice(k, k + self.chunk)) for k in range(0, edges, self.chunk)]
        score = torch.cat(parts) if parts else x.new_zeros(0, self.heads)
        alpha = softmax(score, graph.target, graph.nodes, graph.weight)

        def messages(part: slice) -> Tensor:
            values: Tensor = sent[row[part]] + bias[label[part]]
            return alpha[part, :, None] * values

        out = collect(messages, graph.target, torch.zeros_like(query), "sum", chunk=self.chunk)
        return join_heads(out, concat=True)


def _within(value: Tensor | None, graph: Graph, count: int, name: str) -> Tensor:
    if value is None:
        return torch.zeros_like(graph.source)
    if value.numel() and not 0 <= int(value.min()) <= int(value.max()) < count:
        raise ValueError(f"the layer knows {count} {name}s, the graph has {name} {int(value.max())}")
    return value
