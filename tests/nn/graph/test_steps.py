"""Aggregate, combine and readout against loops over nodes, and chunks against the whole."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

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
    batch,
    both_ways,
    combine,
    readout,
)
from trabecula.nn.graph.gather import collect, softmax

How = Literal["sum", "mean", "max"]
HOWS: tuple[How, ...] = ("sum", "mean", "max")


def looped(x: torch.Tensor, graph: Graph, how: How) -> np.ndarray:
    """The same by a loop over the nodes, in NumPy."""
    edges = graph.edges.numpy()
    weight = np.ones(edges.shape[1]) if graph.weight is None else graph.weight.numpy()
    out = np.zeros(x.shape)
    for node in range(graph.nodes):
        here = edges[1] == node
        sent = x.numpy()[edges[0, here]] * weight[here, None]
        if len(sent):
            out[node] = {
                "sum": sent.sum(0),
                "mean": sent.sum(0) / weight[here].sum(),
                "max": sent.max(0),
            }[how]
    return out


@given(st.integers(2, 9), st.integers(0, 30), st.sampled_from(HOWS), st.booleans(), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_aggregate_is_a_loop_over_neighbours(
    nodes: int, edges: int, how: How, weighted: bool, chunk: int
) -> None:
    graph = random_graph(nodes, min(edges, nodes * (nodes - 1)), seed=edges, weighted=weighted)
    x = features(nodes, 3, seed=nodes)
    found = aggregate(x, graph, how, chunk=chunk)
    np.testing.assert_allclose(found.numpy(), looped(x, graph, how), atol=1e-6)


def test_combine_is_the_same_two_maps_at_every_node() -> None:
    own, neighbours = nn.Linear(3, 2), nn.Linear(3, 2)
    x, collected = features(5, 3), features(5, 3, seed=1)
    expected = x @ own.weight.T + own.bias + collected @ neighbours.weight.T + neighbours.bias
    torch.testing.assert_close(combine(x, collected, own, neighbours), expected)


def test_readouts_are_by_graph() -> None:
    graph = batch([random_graph(3, 2, seed=0), random_graph(2, 1, seed=1)])
    x = features(5, 4)
    score = features(5, 1, seed=1)
    torch.testing.assert_close(readout(x, graph, "sum"), torch.stack([x[:3].sum(0), x[3:].sum(0)]))
    torch.testing.assert_close(readout(x, graph), torch.stack([x[:3].mean(0), x[3:].mean(0)]))
    torch.testing.assert_close(readout(x, graph, "max"), torch.stack([x[:3].amax(0), x[3:].amax(0)]))
    weighed = [(part.softmax(0) * rows).sum(0) for part, rows in ((score[:3], x[:3]), (score[3:], x[3:]))]
    torch.testing.assert_close(readout(x, graph, "attention", score), torch.stack(weighed))
    with pytest.raises(ValueError, match="score"):
        readout(x, graph, "attention")


def test_softmax_sums_to_one_where_something_ends_and_survives_large_scores() -> None:
    score = torch.tensor([[1000.0], [999.0], [-1000.0]], requires_grad=True)
    into = torch.tensor([0, 0, 2])
    weight = softmax(score, into, rows=3)
    torch.testing.assert_close(weight[:2, 0], torch.tensor([1.0, 0.0]).softmax(0))
    assert weight[2].item() == 1.0
    weight.sum().backward()
    assert score.grad is not None and torch.isfinite(score.grad).all()
    prior = torch.tensor([1.0, 3.0, 0.0])
    weighed = softmax(torch.zeros(3, 1), into, rows=3, weight=prior)
    assert weighed[:, 0].tolist() == [0.25, 0.75, 0.0]


@pytest.mark.parametrize("how", HOWS)
def test_gradients_are_right(how: How) -> None:
    graph = random_graph(5, 12, seed=3)
    x = features(5, 2).double().requires_grad_()
    weight = (torch.rand(12, generator=torch.Generator().manual_seed(1)).double() + 0.5).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, w: aggregate(x, graph, how, w, chunk=5), (x, weight))


LAYERS = {
    "gcn": lambda chunk: GCN(4, 6, chunk),
    "sage": lambda chunk: GraphSAGE(4, 6, chunk=chunk),
    "sage max": lambda chunk: GraphSAGE(4, 6, "max", chunk),
    "gin": lambda chunk: GIN(4, 6, chunk=chunk),
    "gat": lambda chunk: GAT(4, 6, 2, chunk=chunk),
    "gatv2": lambda chunk: GATv2(4, 6, 2, chunk=chunk),
    "relation": lambda chunk: RelationAttention(4, 6, heads=2, chunk=chunk),
    "message": lambda chunk: Message(4, 6, chunk=chunk),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_the_same_in_chunks_and_whole(name: str) -> None:
    graph = both_ways(random_graph(12, 50, seed=2, weighted=True))
    results = []
    for chunk in (7, 10**6):
        torch.manual_seed(0)
        layer = LAYERS[name](chunk)
        x = features(12, 4).requires_grad_()
        out = layer(x, graph)
        out.square().sum().backward()
        results.append((out, x.grad, *(parameter.grad for parameter in layer.parameters())))
    for small, whole in zip(*results, strict=True):
        torch.testing.assert_close(small, whole, rtol=1e-4, atol=1e-5)


def test_no_chunk_and_no_other_collection() -> None:
    x, into = torch.ones(2, 1), torch.tensor([0, 0])
    with pytest.raises(ValueError, match="at least one edge"):
        collect(lambda part: x[part], into, torch.zeros(1, 1), "sum", chunk=0)
    with pytest.raises(ValueError, match="not by 'median'"):
        collect(lambda part: x[part], into, torch.zeros(1, 1), "median")  # type: ignore[arg-type]
