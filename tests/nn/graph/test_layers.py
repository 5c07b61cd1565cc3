"""Layers against PyTorch Geometric with copied weights, and against the papers' formulas, dense."""

from __future__ import annotations

import pytest
import torch
import torch_geometric.nn as pyg
from torch import Tensor, nn

from tests.nn.graph.conftest import features, random_graph
from trabecula.nn.graph import (
    GAT,
    GCN,
    GIN,
    GATv2,
    Graph,
    GraphSAGE,
    Message,
    RelationAttention,
    aggregate,
    both_ways,
    with_loops,
)

CLOSE = {"rtol": 0.0, "atol": 1e-5}
SEEDS = range(4)


def dense(graph: Graph) -> Tensor:
    """A[target, source]."""
    matrix = torch.zeros(graph.nodes, graph.nodes)
    matrix[graph.target, graph.source] = 1.0 if graph.weight is None else graph.weight
    return matrix


def copied(pairs: dict[Tensor, Tensor]) -> None:
    """Write our parameters into the other library's."""
    with torch.no_grad():
        for theirs, ours in pairs.items():
            theirs.copy_(ours.reshape(theirs.shape))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("inputs", "outputs"), [(5, 7), (7, 5)])
def test_gcn_is_that_of_pyg_and_of_the_paper(seed: int, inputs: int, outputs: int) -> None:
    graph, x = random_graph(20, 70, seed, weighted=True), features(20, inputs, seed)
    ours, theirs = GCN(inputs, outputs), pyg.GCNConv(inputs, outputs)
    nn.init.normal_(ours.bias)
    copied({theirs.lin.weight: ours.map.weight, theirs.bias: ours.bias})
    torch.testing.assert_close(ours(x, graph), theirs(x, graph.edges, graph.weight), **CLOSE)
    looped = dense(graph) + torch.eye(20)
    root = torch.diag(looped.sum(1).rsqrt())
    torch.testing.assert_close(ours(x, graph), root @ looped @ root @ ours.map(x) + ours.bias, **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", ["mean", "max", "sum"])
def test_graphsage_is_that_of_pyg(seed: int, how: str) -> None:
    graph, x = random_graph(20, 70, seed), features(20, 5, seed)
    ours, theirs = GraphSAGE(5, 7, how), pyg.SAGEConv(5, 7, aggr=how)  # type: ignore[arg-type]
    copied(
        {
            theirs.lin_l.weight: ours.neighbours.weight,
            theirs.lin_l.bias: ours.neighbours.bias,
            theirs.lin_r.weight: ours.own.weight,
        }
    )
    torch.testing.assert_close(ours(x, graph), theirs(x, graph.edges), **CLOSE)


def test_graphsage_takes_the_mean_of_the_neighbours() -> None:
    graph, x = random_graph(12, 40, seed=1, weighted=True), features(12, 5)
    layer = GraphSAGE(5, 7)
    matrix = dense(graph)
    mean = matrix / matrix.sum(1, keepdim=True).clamp_min(1e-12)
    expected = layer.own(x) + layer.neighbours(mean @ x)
    torch.testing.assert_close(layer(x, graph), expected, **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
def test_gin_is_that_of_pyg_and_of_the_paper(seed: int) -> None:
    graph, x = random_graph(20, 70, seed), features(20, 5, seed)
    ours = GIN(5, 7, hidden=9, eps=0.3)
    theirs = pyg.GINConv(ours.mlp, eps=0.3)
    torch.testing.assert_close(ours(x, graph), theirs(x, graph.edges), **CLOSE)
    torch.testing.assert_close(ours(x, graph), ours.mlp(1.3 * x + dense(graph) @ x), **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("concat", [True, False])
def test_gat_is_that_of_pyg(seed: int, concat: bool) -> None:
    graph, x = random_graph(20, 70, seed), features(20, 5, seed)
    ours = GAT(5, 6, heads=3, concat=concat)
    theirs = pyg.GATConv(5, 2 if concat else 6, heads=3, concat=concat)
    nn.init.normal_(ours.bias)
    copied(
        {
            theirs.lin.weight: ours.map.weight,
            theirs.att_src: ours.score_source,
            theirs.att_dst: ours.score_target,
            theirs.bias: ours.bias,
        }
    )
    torch.testing.assert_close(ours(x, graph), theirs(x, graph.edges), **CLOSE)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("concat", [True, False])
def test_gatv2_is_that_of_pyg(seed: int, concat: bool) -> None:
    graph, x = random_graph(20, 70, seed), features(20, 5, seed)
    ours = GATv2(5, 6, heads=3, concat=concat)
    theirs = pyg.GATv2Conv(5, 2 if concat else 6, heads=3, concat=concat)
    copied(
        {
            theirs.lin_l.weight: ours.map_source.weight,
            theirs.lin_l.bias: ours.map_source.bias,
            theirs.lin_r.weight: ours.map_target.weight,
            theirs.lin_r.bias: ours.map_target.bias,
            theirs.att: ours.score,
            theirs.bias: ours.bias,
        }
    )
    torch.testing.assert_close(ours(x, graph), theirs(x, graph.edges), **CLOSE)


def test_gat_is_the_formula_of_the_paper() -> None:
    graph, x = random_graph(9, 30, seed=5), features(9, 4)
    layer = GAT(4, 6)
    sent = layer.map(x)
    score = (sent @ layer.score_target[0])[:, None] + (sent @ layer.score_source[0])[None, :]
    score = torch.where(score > 0, score, 0.2 * score)
    score[(dense(graph) + torch.eye(9)) == 0] = -torch.inf
    torch.testing.assert_close(layer(x, graph), score.softmax(1) @ sent + layer.bias, **CLOSE)


@pytest.mark.parametrize("weighted", [False, True])
def test_gat_with_equal_scores_is_the_mean_over_the_weighted_neighbours(weighted: bool) -> None:
    graph, x = random_graph(15, 50, seed=6, weighted=weighted), features(15, 4)
    layer = GAT(4, 6, heads=2)
    nn.init.zeros_(layer.score_source)
    nn.init.zeros_(layer.score_target)
    torch.testing.assert_close(layer(x, graph), aggregate(layer.map(x), with_loops(graph), "mean"), **CLOSE)


def test_attention_coefficients_are_shares() -> None:
    graph, x = random_graph(15, 50, seed=7), features(15, 4)
    looped, alpha = GAT(4, 6, heads=2).coefficients(x, graph)
    total = torch.zeros(15, 2).index_add(0, looped.target, alpha)
    torch.testing.assert_close(total, torch.ones(15, 2))
    assert (alpha > 0).all()


def test_relation_attention_is_the_formula_of_regat() -> None:
    """Eq. 7 and 8 by loops over nodes and their relations."""
    drawn, x = random_graph(8, 20, seed=8, weighted=True), features(8, 4)
    label = torch.randint(0, 3, (20,), generator=torch.Generator().manual_seed(0))
    graph = both_ways(Graph(8, drawn.edges, drawn.weight, label))
    layer = RelationAttention(4, 6, labels=3)
    nn.init.normal_(layer.label_score)
    sent = layer.map(x).view(8, 3, 6)
    key = layer.key(x).view(8, 3, 6)
    out = layer(x, graph)
    for node in range(8):
        found = [(node, 2, 0, 1.0)]
        for (source, target), kind, weight in zip(
            drawn.edges.T.tolist(),
            label.tolist(),
            drawn.weight.tolist(),
            strict=True,  # type: ignore[union-attr]
        ):
            found += [(source, 0, kind, weight)] * (target == node)
            found += [(target, 1, kind, weight)] * (source == node)
        query = layer.query(x[node])
        score = torch.stack([query @ key[u, way] + layer.label_score[kind, 0] for u, way, kind, _ in found])
        alpha = score.exp() * torch.tensor([weight for *_, weight in found])
        alpha = alpha / alpha.sum()
        values = torch.stack([sent[u, way] + layer.label_bias[kind] for u, way, kind, _ in found])
        torch.testing.assert_close(out[node], alpha @ values, **CLOSE)


def test_relation_attention_sees_labels_and_directions() -> None:
    x = features(2, 4)
    layer = RelationAttention(4, 6, labels=2)
    nn.init.normal_(layer.label_score)
    one, other = (
        both_ways(Graph(2, torch.tensor([[0], [1]]), label=torch.tensor([kind]))) for kind in (0, 1)
    )
    turned = both_ways(Graph(2, torch.tensor([[1], [0]]), label=torch.tensor([0])))
    assert not torch.allclose(layer(x, one), layer(x, other))
    assert not torch.allclose(layer(x, one), layer(x, turned))
    with pytest.raises(ValueError, match="knows 2 labels"):
        layer(x, Graph(2, torch.tensor([[0], [1]]), label=torch.tensor([2])))
    with pytest.raises(ValueError, match="knows 1 directions"):
        RelationAttention(4, 6, directions=1)(x, one)


def test_the_implicit_relation_is_attention_over_all_pairs_with_a_geometric_prior() -> None:
    """Eq. 4 to 6: alpha ~ max(0, b_ij) exp((U x_i) . (V x_j))."""
    x, prior = features(5, 4), features(5, 5, seed=1).relu() + torch.eye(5)
    pairs = torch.cartesian_prod(torch.arange(5), torch.arange(5)).T
    layer = RelationAttention(4, 6, directions=1)
    nn.init.zeros_(layer.label_bias)
    graph = Graph(5, pairs, prior[pairs[1], pairs[0]])
    alpha = prior * (layer.query(x) @ layer.key(x).T).exp()
    expected = alpha / alpha.sum(1, keepdim=True) @ layer.map(x)
    torch.testing.assert_close(layer(x, graph), expected, **CLOSE)


def test_relation_attention_without_edges_says_nothing() -> None:
    out = RelationAttention(4, 6)(features(3, 4), Graph(3, torch.zeros(2, 0, dtype=torch.int64)))
    assert torch.equal(out, torch.zeros(3, 6))


@pytest.mark.parametrize("weighted", [False, True])
def test_a_factorised_message_is_the_textbook_mlp_of_both_ends_and_the_edge(weighted: bool) -> None:
    graph, x, edge = random_graph(10, 40, seed=9, weighted=weighted), features(10, 4), features(40, 3)
    layer = Message(4, 6, edge=3, hidden=5)
    assert layer.of_edge is not None
    first = torch.cat([layer.of_target.weight, layer.of_source.weight, layer.of_edge.weight], 1)
    both = torch.cat([x[graph.target], x[graph.source], edge], 1)
    sent = torch.relu(both @ first.T + layer.of_target.bias) @ layer.neighbours.weight.T
    if graph.weight is not None:
        sent = sent * graph.weight[:, None]
    summed = torch.zeros(10, 6).index_add(0, graph.target, sent)
    expected = layer.own(x) + summed + layer.neighbours.bias
    torch.testing.assert_close(layer(x, graph, edge), expected, **CLOSE)
    with pytest.raises(ValueError, match="edge features"):
        layer(x, graph)
    with pytest.raises(ValueError, match="edge features"):
        Message(4, 6)(x, graph, edge)


def test_heads_must_divide_the_features() -> None:
    with pytest.raises(ValueError, match="7 features"):
        GAT(4, 7, heads=2)
    assert GATv2(4, 7, heads=2, concat=False)(features(3, 4), random_graph(3, 2, 0)).shape == (3, 7)
