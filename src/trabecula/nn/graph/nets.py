"""Stacks of layers with a head: a class for every node, or one for every graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from trabecula.nn.graph.steps import readout
from trabecula.nn.graph.structure import Graph


class GraphEncoder(nn.Module):
    """Layers one after the other, each one hop: k layers see exactly what is within k hops.

    Parameters
    ----------
    layers
        Modules called as `layer(x, graph)`.
    activation
        After every layer.
    dropout
        Share of the features set to zero before every layer, in training.
    residual
        Whether a layer's input is added to its output where their widths agree.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        activation: Callable[[Tensor], Tensor] = torch.relu,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.activation = activation
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, in] to [node, out]."""
        for layer in self.layers:
            out = self.activation(layer(self.dropout(x), graph))
            x = x + out if self.residual and x.shape == out.shape else out
        return x


class NodeClassifier(nn.Module):
    """An encoder and a linear head: logits for every node.

    Parameters
    ----------
    encoder
        Called as `encoder(x, graph)`.
    width
        Features the encoder gives.
    classes
        Logits per node.
    """

    def __init__(self, encoder: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, in] to [node, class]."""
        return self.head(self.encoder(x, graph))  # type: ignore[no-any-return]


class AttentionReadout(nn.Module):
    """Weighs nodes by the softmax of a learned score over their graph (Li et al. 2016, 1511.05493, eq. 7).

    Parameters
    ----------
    width
        Features per node.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, feature] to [graph, feature]."""
        return readout(x, graph, "attention", self.score(x))


class GraphClassifier(nn.Module):
    """An encoder, a readout and a linear head: logits for every graph.

    Parameters
    ----------
    encoder
        Called as `encoder(x, graph)`.
    width
        Features the encoder gives.
    classes
        Logits per graph.
    how
        The readout.
    """

    def __init__(
        self,
        encoder: nn.Module,
        width: int,
        classes: int,
        how: Literal["sum", "mean", "max", "attention"] = "sum",
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.how: Literal["sum", "mean", "max", "attention"] = how
        self.attention = AttentionReadout(width) if how == "attention" else None
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor, graph: Graph) -> Tensor:
        """[node, in] to [graph, class]."""
        x = self.encoder(x, graph)
        whole = readout(x, graph, self.how) if self.attention is None else self.attention(x, graph)
        return self.head(whole)  # type: ignore[no-any-return]
