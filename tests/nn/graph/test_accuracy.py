"""Layers learn real labelled graphs that ship in packages; thresholds are means over several seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import networkx
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch_geometric.datasets import KarateClub

from trabecula.nn.graph import (
    GAT,
    GCN,
    GIN,
    Graph,
    GraphClassifier,
    GraphEncoder,
    GraphSAGE,
    NodeClassifier,
    batch,
    from_pairs,
)

Layer = Callable[[int, int], nn.Module]


def node_accuracy(
    layer: Layer, x: Tensor, graph: Graph, classes: Tensor, known: Tensor, seed: int, steps: int = 100
) -> float:
    """Share of the nodes nobody labelled that two layers, trained on the `known` ones, label right."""
    torch.manual_seed(seed)
    count = int(classes.max()) + 1
    net = NodeClassifier(GraphEncoder([layer(x.shape[1], 16), layer(16, 16)], dropout=0.3), 16, count)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02, weight_decay=5e-4)
    for _ in range(steps):
        optimiser.zero_grad()
        cross_entropy(net(x, graph)[known], classes[known]).backward()
        optimiser.step()
    net.eval()
    right = net(x, graph).argmax(1) == classes
    hidden = torch.ones(len(classes), dtype=torch.bool)
    hidden[known] = False
    return right[hidden].double().mean().item()


def mean_accuracy(layer: Layer, x: Tensor, graph: Graph, classes: Tensor, known: list[int]) -> float:
    return statistics.mean(
        node_accuracy(layer, x, graph, classes, torch.tensor(known), seed) for seed in range(5)
    )


@pytest.mark.parametrize(("layer", "least"), [(GCN, 0.9), (GAT, 0.9), (GIN, 0.85), (GraphSAGE, 0.8)])
def test_the_karate_club_splits_where_it_did(layer: Layer, least: float) -> None:
    """Zachary 1977: two clubs, learned from the instructor (0) and the president (33) alone."""
    club = networkx.karate_club_graph()
    classes = torch.tensor([int(club.nodes[k]["club"] != "Mr. Hi") for k in club])
    graph = from_pairs(34, list(club.edges))
    assert mean_accuracy(layer, torch.eye(34), graph, classes, [0, 33]) >= least


@pytest.mark.parametrize(("layer", "least"), [(GCN, 0.65), (GAT, 0.75)])
def test_four_communities_of_the_karate_club_from_four_members(layer: Layer, least: float) -> None:
    data = KarateClub()[0]
    known = data.train_mask.nonzero()[:, 0].tolist()
    assert len(known) == 4
    graph = Graph(34, data.edge_index)
    assert mean_accuracy(layer, torch.eye(34), graph, data.y, known) >= least


def test_handwritten_digits_from_a_hundred_labels_through_their_nearest_neighbours() -> None:
    """scikit-learn's digits, the first 800: ten classes, 100 labels, edges to the eight nearest images."""
    digits = load_digits()
    pixels = digits.data[:800]
    near = kneighbors_graph(pixels, 8).tocoo()
    edges = torch.stack([torch.from_numpy(near.col).long(), torch.from_numpy(near.row).long()])
    x, classes = torch.from_numpy(pixels / 16).float(), torch.from_numpy(digits.target[:800]).long()
    known = torch.arange(100)
    accuracy = [node_accuracy(GCN, x, Graph(800, edges), classes, known, seed, 60) for seed in range(3)]
    alone = [node_accuracy(GCN, x, Graph(800, edges[:, :0]), classes, known, seed, 60) for seed in range(3)]
    assert statistics.mean(accuracy) >= 0.8
    assert statistics.mean(accuracy) >= statistics.mean(alone) + 0.1  # the graph is worth something


@pytest.mark.parametrize("how", ["sum", "mean", "max", "attention"])
def test_whole_graphs_are_told_apart(how: str) -> None:
    """Random trees and random graphs of as many nodes and edges, from nothing but their shape."""
    graphs, classes = [], []
    for seed in range(60):
        nodes = 8 + seed % 5
        tree = networkx.random_labeled_tree(nodes, seed=seed)
        other = networkx.gnm_random_graph(nodes, nodes - 1, seed=seed)
        graphs += [from_pairs(nodes, list(tree.edges)), from_pairs(nodes, list(other.edges))]
        classes += [0, 1]
    train, test = batch(graphs[:80]), batch(graphs[80:])
    y = torch.tensor(classes)
    torch.manual_seed(0)
    net = GraphClassifier(GraphEncoder([GIN(1, 16), GIN(16, 16)]), 16, 2, how)  # type: ignore[arg-type]
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(120):
        optimiser.zero_grad()
        cross_entropy(net(torch.ones(train.nodes, 1), train), y[:80]).backward()
        optimiser.step()
    right = net(torch.ones(test.nodes, 1), test).argmax(1) == y[80:]
    assert right.double().mean().item() >= 0.85
