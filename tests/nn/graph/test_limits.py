"""What a stack of layers can see and tell apart, exactly: hops, permutations, Weisfeiler and Lehman."""

from __future__ import annotations

from collections.abc import Callable

import networkx
import pytest
import torch
from torch import Tensor, nn

from tests.nn.graph.conftest import features, random_graph
from trabecula.nn.graph import (
    GAT,
    GCN,
    GIN,
    GATv2,
    Graph,
    GraphClassifier,
    GraphEncoder,
    GraphSAGE,
    Message,
    NodeClassifier,
    RelationAttention,
    aggregate,
    both_ways,
    from_pairs,
    readout,
)

Make = Callable[[int, int], nn.Module]
LAYERS: dict[str, Make] = {
    "gcn": GCN,
    "sage": GraphSAGE,
    "gin": GIN,
    "gat": lambda i, o: GAT(i, o, heads=2),
    "gatv2": lambda i, o: GATv2(i, o, heads=2),
    "relation": lambda i, o: RelationAttention(i, o, heads=2),
    "message": Message,
}


def encoder(make: Make, hops: int, width: int = 6) -> GraphEncoder:
    """Smooth, so that no derivative within reach is zero by accident."""
    return GraphEncoder([make(3 if k == 0 else width, width) for k in range(hops)], torch.tanh)


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("name", LAYERS)
def test_k_layers_see_k_hops_and_not_one_more(name: str, hops: int) -> None:
    tree = networkx.random_labeled_tree(14, seed=3)
    distance = dict(networkx.all_pairs_shortest_path_length(tree))
    graph = from_pairs(14, list(tree.edges))
    if name == "relation":
        graph = both_ways(graph)
    net = encoder(LAYERS[name], hops)
    jacobian = torch.autograd.functional.jacobian(lambda x: net(x, graph).sum(1), features(14, 3))
    moved = jacobian.abs().sum(2)
    for to in range(14):
        for of in range(14):
            if distance[to][of] > hops:
                assert moved[to, of] == 0.0
            else:
                assert moved[to, of] > 0.0


@pytest.mark.parametrize("name", LAYERS)
def test_renumbering_the_nodes_renumbers_the_answer(name: str) -> None:
    graph, x = both_ways(random_graph(11, 35, seed=1, weighted=True)), features(11, 3)
    order = torch.randperm(11)
    place = order.argsort()  # where each node went
    renumbered = Graph(11, place[graph.edges], graph.weight, direction=graph.direction)
    nodes = NodeClassifier(encoder(LAYERS[name], 2), 6, 4)
    torch.testing.assert_close(nodes(x[order], renumbered), nodes(x, graph)[order])
    for how in ("sum", "mean", "max", "attention"):
        whole = GraphClassifier(encoder(LAYERS[name], 2), 6, 4, how)
        torch.testing.assert_close(whole(x[order], renumbered), whole(x, graph))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("how", ["sum", "mean", "max", "attention"])
def test_a_hexagon_and_two_triangles_are_the_same_to_any_layer(name: str, how: str) -> None:
    """Both are 2-regular: one-dimensional Weisfeiler-Lehman cannot tell them apart, and so no layer can."""
    hexagon = from_pairs(6, [(k, (k + 1) % 6) for k in range(6)])
    triangles = from_pairs(6, [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    if name == "relation":
        hexagon, triangles = both_ways(hexagon), both_ways(triangles)
    net = GraphClassifier(encoder(LAYERS[name], 4), 6, 4, how)  # type: ignore[arg-type]
    x = torch.ones(6, 3)
    torch.testing.assert_close(net(x, hexagon), net(x, triangles), rtol=0, atol=1e-6)
    marked = x.clone()
    marked[0] = 2.0  # with one node marked, distances to it differ
    assert not torch.allclose(net(marked, hexagon), net(marked, triangles))


def star(leaves: list[float]) -> tuple[Graph, Tensor]:
    """A centre (node 0) whose neighbours carry these features."""
    graph = Graph(len(leaves) + 1, torch.tensor([[k + 1, 0] for k in range(len(leaves))]).T)
    return graph, torch.tensor([[0.0], *([leaf] for leaf in leaves)])


def at_centre(layer: nn.Module, leaves: list[float]) -> Tensor:
    graph, x = star(leaves)
    return layer(x, graph)[0]  # type: ignore[no-any-return]


def test_a_sum_tells_multisets_apart_that_mean_and_maximum_do_not() -> None:
    """Xu et al. 2019, figure 3: {a, b} and {a, a, b, b} by mean; and {a, b} and {a, b, b} by maximum."""
    mean, largest, gin = GraphSAGE(1, 4), GraphSAGE(1, 4, "max"), GIN(1, 4)
    doubled, uneven = [1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 2.0]
    torch.testing.assert_close(at_centre(mean, [1.0, 2.0]), at_centre(mean, doubled))
    torch.testing.assert_close(at_centre(largest, [1.0, 2.0]), at_centre(largest, doubled))
    torch.testing.assert_close(at_centre(largest, [1.0, 2.0]), at_centre(largest, uneven))
    for other in (doubled, uneven):
        assert not torch.allclose(at_centre(gin, [1.0, 2.0]), at_centre(gin, other))


def test_attention_shares_are_a_mean_too() -> None:
    layer = GAT(1, 4)
    graph, x = star([1.0, 1.0])
    once, y = star([1.0])
    # the centre itself is a neighbour, so compare its share of equal messages
    x[0], y[0] = 1.0, 1.0
    torch.testing.assert_close(layer(x, graph)[0], layer(y, once)[0])


def test_mean_readout_forgets_how_many_and_sum_does_not() -> None:
    small, large = from_pairs(3, [(0, 1), (1, 2), (2, 0)]), from_pairs(4, [(0, 1), (1, 2), (2, 3), (3, 0)])
    x3, x4 = (aggregate(torch.ones(n, 2), g, "mean") for n, g in ((3, small), (4, large)))
    assert torch.equal(readout(x3, small, "mean"), readout(x4, large, "mean"))
    assert not torch.equal(readout(x3, small, "sum"), readout(x4, large, "sum"))
