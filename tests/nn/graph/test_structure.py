"""Graphs say what is wrong with them, and several are one without touching each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.nn.graph.conftest import features, random_graph
from trabecula.nn.graph import (
    GAT,
    GCN,
    GIN,
    Graph,
    GraphClassifier,
    GraphSAGE,
    aggregate,
    batch,
    both_ways,
    from_adjacency,
    from_pairs,
    with_loops,
)

EDGES = torch.tensor([[0, 1], [1, 2]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": 0}, "at least one node"),
        ({"graphs": 0}, "at least one node"),
        ({"edges": EDGES.to(torch.int32)}, "int64 of shape"),
        ({"edges": EDGES[0]}, "int64 of shape"),
        ({"edges": torch.tensor([[0], [3]])}, "nodes 0 to 2"),
        ({"edges": torch.tensor([[-1], [0]])}, "nodes 0 to 2"),
        ({"weight": torch.ones(3)}, "weight has one entry per edge"),
        ({"label": torch.zeros(2, 1, dtype=torch.int64)}, "label has one entry per edge"),
        ({"direction": torch.zeros(1, dtype=torch.int64)}, "direction has one entry per edge"),
        ({"owner": torch.zeros(2, dtype=torch.int64)}, "owner has one entry per node"),
        ({"graphs": 2}, "need the owner"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(Graph(3, EDGES), **change)  # type: ignore[arg-type]


def test_an_adjacency_matrix_comes_back_as_weights() -> None:
    matrix = torch.tensor([[0.0, 2.0, 0.0], [0.0, 0.0, 0.5], [1.0, 0.0, 0.0]])
    graph = from_adjacency(matrix)
    x = features(3, 4)
    torch.testing.assert_close(aggregate(x, graph), matrix @ x)
    torch.testing.assert_close(graph.strength(x), matrix.sum(1))
    with pytest.raises(ValueError, match="square"):
        from_adjacency(matrix[:2])


def test_undirected_edges_run_both_ways_and_loops_once() -> None:
    graph = from_pairs(3, [(0, 1), (1, 2), (2, 2)], torch.tensor([1.0, 2.0, 3.0]))
    entries = torch.zeros(3, 3)
    entries[graph.target, graph.source] = graph.weight  # type: ignore[assignment]
    expected = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 2.0], [0.0, 2.0, 3.0]])
    torch.testing.assert_close(entries, expected)
    assert graph.edges.shape[1] == 5
    assert from_pairs(2, []).edges.shape == (2, 0)


def test_loops_are_added_where_none_are() -> None:
    graph = Graph(3, torch.tensor([[0, 1], [1, 1]]), torch.tensor([1.0, 5.0]), label=torch.tensor([2, 3]))
    looped = with_loops(graph, 7.0)
    assert looped.edges.tolist() == [[0, 1, 0, 2], [1, 1, 0, 2]]
    assert looped.weight is not None and looped.weight.tolist() == [1.0, 5.0, 7.0, 7.0]
    assert looped.label is not None and looped.label.tolist() == [2, 3, 0, 0]
    assert looped.direction is None
    assert with_loops(looped).edges.shape == looped.edges.shape
    turned = with_loops(both_ways(graph))
    assert turned.direction is not None and len(turned.direction) == turned.edges.shape[1]


@pytest.mark.parametrize("layer", [GCN, GraphSAGE, GIN, GAT])
def test_a_batch_gives_what_its_graphs_give_alone(layer: type) -> None:
    graphs = [random_graph(6, 11, seed=k, weighted=k != 1) for k in range(3)]
    xs = [features(6, 5, seed=k) for k in range(3)]
    net = GraphClassifier(layer(5, 8), 8, 3, "mean").eval()
    together = net(torch.cat(xs), batch(graphs))
    alone = torch.cat([net(x, graph) for x, graph in zip(xs, graphs, strict=True)])
    torch.testing.assert_close(together, alone)


def test_batches_can_be_batched_again() -> None:
    graphs = [random_graph(4, 5, seed=k) for k in range(4)]
    once = batch(graphs)
    twice = batch([batch(graphs[:1]), batch(graphs[1:])])
    assert once.graphs == twice.graphs == 4
    assert torch.equal(once.edges, twice.edges)
    assert torch.equal(once.owners(), twice.owners())
    with pytest.raises(ValueError, match="at least one graph"):
        batch([])


def test_labels_missing_in_one_graph_of_a_batch_are_zero() -> None:
    labelled = Graph(3, EDGES, label=torch.tensor([1, 2]))
    joined = batch([labelled, Graph(3, EDGES), both_ways(Graph(1, EDGES[:, :0]))])
    assert joined.label is not None and joined.label.tolist() == [1, 2, 0, 0, 0]
    assert joined.direction is not None and joined.direction.tolist() == [0, 0, 0, 0, 2]
    assert joined.weight is None


def test_a_graph_moves_with_all_it_carries() -> None:
    graph = batch([both_ways(random_graph(4, 5, seed=0, weighted=True))])
    moved = graph.to("cpu")
    assert torch.equal(moved.edges, graph.edges) and moved.graphs == 1
    assert moved.weight is not None and moved.direction is not None and moved.owner is not None
    assert moved.label is None
