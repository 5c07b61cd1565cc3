"""A graph, or several as one: edges as two rows of node numbers, with what they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes and directed edges; an edge runs from its source to its target, and messages run along it.

    A weighted adjacency matrix A is kept as its entries: edge (u, v) of weight w is A[v, u] = w.

    Attributes
    ----------
    nodes
        How many; at least one.
    edges
        [2, edge] int64: sources in row 0, targets in row 1.
    weight
        [edge] float; None where every edge counts as one.
    label
        [edge] int64: the kind of each edge; None where there is one kind.
    direction
        [edge] int64: which way a message runs against the edge it came from (`both_ways`); None for along it.
    owner
        [node] int64: the graph each node belongs to; None for one graph.
    graphs
        How many graphs.

    Raises
    ------
    ValueError
        Where a shape or a number does not fit.
    """

    nodes: int
    edges: Tensor
    weight: Tensor | None = None
    label: Tensor | None = None
    direction: Tensor | None = None
    owner: Tensor | None = None
    graphs: int = 1

    def __post_init__(self) -> None:
        if self.nodes < 1 or self.graphs < 1:
            raise ValueError("a graph has at least one node")
        if self.edges.ndim != 2 or self.edges.shape[0] != 2 or self.edges.dtype != torch.int64:
            raise ValueError(f"edges are int64 of shape [2, edge], not {_shape(self.edges)}")
        if self.edges.numel() and not 0 <= int(self.edges.min()) <= int(self.edges.max()) < self.nodes:
            raise ValueError(f"edges name nodes 0 to {self.nodes - 1}")
        for name in ("weight", "label", "direction"):
            value: Tensor | None = getattr(self, name)
            if value is not None and value.shape != (self.edges.shape[1],):
                raise ValueError(
                    f"{name} has one entry per edge ({self.edges.shape[1]}), not {_shape(value)}"
                )
        if self.owner is None and self.graphs != 1:
            raise ValueError("several graphs need the owner of each node")
        if self.owner is not None and self.owner.shape != (self.nodes,):
            raise ValueError(f"owner has one entry per node ({self.nodes}), not {_shape(self.owner)}")

    @property
    def source(self) -> Tensor:
        """[edge] int64: where each edge begins."""
        return self.edges[0]

    @property
    def target(self) -> Tensor:
        """[edge] int64: where each edge ends."""
        return self.edges[1]

    def strength(self, like: Tensor) -> Tensor:
        """[node]: the sum of the weights of the edges that end at each node, in the type of `like`."""
        weight = like.new_ones(self.edges.shape[1]) if self.weight is None else self.weight.to(like)
        return like.new_zeros(self.nodes).index_add(0, self.target, weight)

    def owners(self) -> Tensor:
        """[node] int64: the graph each node belongs to, zeros for one graph."""
        return self.edges.new_zeros(self.nodes) if self.owner is None else self.owner

    def to(self, device: torch.device | str) -> Graph:
        """The same graph on another device."""
        moved = {
            name: value.to(device)
            for name in ("edges", "weight", "label", "direction", "owner")
            if isinstance(value := getattr(self, name), Tensor)
        }
        return replace(self, **moved)  # type: ignore[arg-type]


def from_pairs(nodes: int, pairs: Tensor | Sequence[tuple[int, int]], weight: Tensor | None = None) -> Graph:
    """The graph in which every pair is an edge both ways.

    Parameters
    ----------
    nodes
        How many nodes.
    pairs
        [2, pair] int64, or pairs of node numbers; each pair once.
    weight
        [pair] float.
    """
    if not isinstance(pairs, Tensor):
        pairs = torch.tensor(list(pairs), dtype=torch.int64).reshape(-1, 2).T
    loop = pairs[0] == pairs[1]
    edges = torch.cat([pairs, pairs[:, ~loop].flip(0)], 1)
    return Graph(nodes, edges, None if weight is None else torch.cat([weight, weight[~loop]]))


def from_adjacency(matrix: Tensor) -> Graph:
    """The graph of a weighted adjacency matrix [target, source]; zeros are no edges."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"an adjacency matrix is square, not {_shape(matrix)}")
    target, source = matrix.nonzero(as_tuple=True)
    return Graph(matrix.shape[0], torch.stack([source, target]), matrix[target, source])


def with_loops(graph: Graph, weight: float = 1.0) -> Graph:
    """The graph with an edge of `weight` from every node that has none to itself.

    Labels and directions of the new edges are 0.
    """
    has = torch.zeros(graph.nodes, dtype=torch.bool, device=graph.edges.device)
    has[graph.source[graph.source == graph.target]] = True
    new = (~has).nonzero()[:, 0]
    zeros = torch.zeros_like(new)
    return replace(
        graph,
        edges=torch.cat([graph.edges, new.expand(2, -1)], 1),
        weight=_extend(graph.weight, new, weight),
        label=None if graph.label is None else torch.cat([graph.label, zeros]),
        direction=None if graph.direction is None else torch.cat([graph.direction, zeros]),
    )


def batch(graphs: Sequence[Graph]) -> Graph:
    """Several graphs as one without edges between them; node features are concatenated in the same order.

    Where some graphs have weights, labels or directions and others none, those get 1, 0 and 0.
    """
    if not graphs:
        raise ValueError("a batch holds at least one graph")
    shifts = [0]
    for graph in graphs:
        shifts.append(shifts[-1] + graph.nodes)
    owners, count = [], 0
    for graph in graphs:
        owners.append(graph.owners() + count)
        count += graph.graphs
    return Graph(
        nodes=shifts[-1],
        edges=torch.cat([graph.edges + shift for graph, shift in zip(graphs, shifts, strict=False)], 1),
        weight=_join(graphs, "weight", 1.0),
        label=_join(graphs, "label", 0),
        direction=_join(graphs, "direction", 0),
        owner=torch.cat(owners),
        graphs=count,
    )


def _join(graphs: Sequence[Graph], name: str, default: float) -> Tensor | None:
    found: list[Tensor | None] = [getattr(graph, name) for graph in graphs]
    first = next((value for value in found if value is not None), None)
    if first is None:
        return None
    return torch.cat(
        [
            first.new_full((graph.edges.shape[1],), default) if value is None else value
            for graph, value in zip(graphs, found, strict=True)
        ]
    )


def _extend(weight: Tensor | None, new: Tensor, value: float) -> Tensor | None:
    return None if weight is None else torch.cat([weight, weight.new_full((len(new),), value)])


def _shape(value: Tensor) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} of shape {list(value.shape)}"
