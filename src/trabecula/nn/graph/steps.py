"""The three steps of every graph network: aggregate the neighbours, combine with the node, read out.

`Gilmer et al. 2017, Neural message passing for quantum chemistry, arXiv 1704.01212`; the names are those of
`Xu et al. 2019, How powerful are graph neural networks, arXiv 1810.00826, eq. 2.1 and 2.4`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from trabecula.nn.graph.gather import (
    CHUNK,
    How,
    collect,
    softmax,
    trailing,
)
from trabecula.nn.graph.structure import Graph

Map = Callable[[Tensor], Tensor]


def aggregate(
    x: Tensor, graph: Graph, how: How = "sum", weight: Tensor | None = None, chunk: int = CHUNK
) -> Tensor:
    """What each node collects from its neighbours: m_v = sum (or mean, max) over edges u -> v of w_uv x_u.

    Parameters
    ----------
    x
        [node, ...] float: features.
    graph
        Where messages run.
    how
        `sum`, `mean` (weights are divided by their sum) or `max`, by feature.
    weight
        [edge], or [edge, head] for x of shape [node, head, feature]; None for the graph's own.
    chunk
        Edges handled at once.

    Returns
    -------
    Tensor
        As `x`; zero where no edge ends.
    """
    weight = graph.weight if weight is None else weight

    def messages(part: slice) -> Tensor:
        sent = x[graph.source[part]]
        return sent if weight is None else sent * trailing(weight[part].to(x), sent)

    return collect(messages, graph.target, torch.zeros_like(x), how, weight, chunk)


def combine(x: Tensor, collected: Tensor, own: Map, neighbours: Map) -> Tensor:
    """The node's update: h_v = own(x_v) + neighbours(m_v), with the same two maps at every node.

    Parameters
    ----------
    x
        [node, in] float: what the nodes were.
    collected
        [node, in] float: what `aggregate` gave.
    own, neighbours
        Maps from `in` to `out` features, such as `torch.nn.Linear`.

    Returns
    -------
    Tensor
        [node, out].
    """
    return own(x) + neighbours(collected)


def readout(
    x: Tensor,
    graph: Graph,
    how: Literal["sum", "mean", "max", "attention"] = "mean",
    score: Tensor | None = None,
) -> Tensor:
    """One vector a graph: the sum, mean, maximum or attention-weighted sum of its nodes.

    Parameters
    ----------
    x
        [node, feature] float.
    graph
        Says which node belongs to which graph (`owner`).
    how
        `attention` weighs nodes by the softmax of their scores over their graph.
    score
        [node, 1] float, for `attention` alone.

    Returns
    -------
    Tensor
        [graph, feature].

    Raises
    ------
    ValueError
        Where `attention` has no score.
    """
    owner = graph.owners()
    empty = x.new_zeros(graph.graphs, x.shape[1])
    if how != "attention":
        return collect(lambda part: x[part], owner, empty, how)
    if score is None:
        raise ValueError("attention needs a score a node")
    weight = softmax(score, owner, graph.graphs)
    return collect(lambda part: x[part] * weight[part], owner, empty, "sum")
