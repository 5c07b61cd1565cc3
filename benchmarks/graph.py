"""Claim: messages that are factorised and made in chunks take a third of the textbook's time and memory.

The textbook form makes an MLP of both ends and the edge on every edge, all edges at once. Factorised, the
first map is made once a node and gathered an edge, and the second comes after the sum; the result is the
same. Measured: eight rounds on a triangle mesh's graph (50,000 nodes, six neighbours each), 64 features,
float32, inference and a training step, the variants in turn; each variant's peak of memory in a process of
its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.report import Cell, Figure, Table, arguments, finish, peak_megabytes
from trabecula.nn.graph import (
    GAT,
    GCN,
    Graph,
    GraphSAGE,
    Message,
)
from trabecula.nn.profile.latency import measure_together, torch_threads

WIDTH, EDGE, ROUNDS = 64, 4, 8
NODES, QUICK = 50_000, 3_000
ALL = 10**9
"""A chunk that no graph fills: all edges at once."""


class Textbook(nn.Module):
    """The same result as `Message`, made of its weights the way textbooks write it."""

    def __init__(self, message: Message) -> None:
        super().__init__()
        self.message = message

    def forward(self, x: Tensor, graph: Graph, edge: Tensor) -> Tensor:
        """[node, feature] and [edge, feature] to [node, feature]."""
        own = self.message
        assert own.of_edge is not None
        first = torch.cat([own.of_target.weight, own.of_source.weight, own.of_edge.weight], 1)
        both = torch.cat([x[graph.target], x[graph.source], edge], 1)
        hidden = torch.relu(nn.functional.linear(both, first, own.of_target.bias))
        sent = nn.functional.linear(hidden, own.neighbours.weight)
        summed = torch.zeros_like(x).index_add_(0, graph.target, sent)
        return own.own(x) + summed + own.neighbours.bias  # type: ignore[no-any-return]


class Rounds(nn.Module):
    """Several layers, each added to what it was given."""

    def __init__(self, layers: list[nn.Module], takes_edges: bool) -> None:
        super().__init__()
        self.layers, self.takes_edges = nn.ModuleList(layers), takes_edges

    def forward(self, x: Tensor, graph: Graph, edge: Tensor) -> Tensor:
        """[node, feature] to [node, feature]."""
        for layer in self.layers:
            x = x + (layer(x, graph, edge) if self.takes_edges else torch.relu(layer(x, graph)))
        return x


def mesh(nodes: int) -> Graph:
    """A sheet of triangles: each inner node has six neighbours."""
    side = round(nodes**0.5)
    place = torch.arange(side * side).view(side, side)
    ends = [(place[:, :-1], place[:, 1:]), (place[:-1], place[1:]), (place[:-1, :-1], place[1:, 1:])]
    pairs = torch.stack([torch.cat([pair[k].reshape(-1) for pair in ends]) for k in (0, 1)])
    return Graph(side * side, torch.cat([pairs, pairs.flip(0)], 1))


def variants() -> dict[str, Rounds]:
    """What is compared; those of messages have the same weights."""
    torch.manual_seed(0)
    messages = [Message(WIDTH, WIDTH, EDGE, chunk=ALL) for _ in range(ROUNDS)]
    chunked = [Message(WIDTH, WIDTH, EDGE) for _ in range(ROUNDS)]
    for one, other in zip(messages, chunked, strict=True):
        other.load_state_dict(one.state_dict())
    return {
        "textbook": Rounds([Textbook(message) for message in messages], True),
        "factorised": Rounds(list(messages), True),
        "factorised, in chunks": Rounds(list(chunked), True),
        "GCN": Rounds([GCN(WIDTH, WIDTH) for _ in range(ROUNDS)], False),
        "GraphSAGE": Rounds([GraphSAGE(WIDTH, WIDTH) for _ in range(ROUNDS)], False),
        "GAT, 4 heads": Rounds([GAT(WIDTH, WIDTH, 4) for _ in range(ROUNDS)], False),
    }


def inputs(nodes: int) -> tuple[Tensor, Graph, Tensor]:
    """Features, graph, features of the edges."""
    graph = mesh(nodes)
    torch.manual_seed(1)
    return torch.randn(graph.nodes, WIDTH), graph, torch.randn(graph.edges.shape[1], EDGE)


def infer(net: Rounds, given: tuple[Tensor, Graph, Tensor]) -> Tensor:
    """Without gradients."""
    with torch.inference_mode():
        return net(*given)  # type: ignore[no-any-return]


def step(net: Rounds, given: tuple[Tensor, Graph, Tensor]) -> None:
    """Forward and backward."""
    net.zero_grad()
    net(*given).square().mean().backward()


def peak(name: str, nodes: int, threads: int) -> float:
    """Megabytes that one inference of a variant adds, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.graph", "--peak", name, "--nodes", str(nodes)]
    done = subprocess.run([*command, "--threads", str(threads)], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def own_peak(name: str, nodes: int) -> float:
    """What `peak` runs."""
    net, given = variants()[name], inputs(nodes)
    infer(net, inputs(100))  # what the library itself allocates once
    before = peak_megabytes()
    infer(net, given)
    return peak_megabytes() - before


def measure(asked: argparse.Namespace) -> tuple[list[Figure], Table]:
    """Seconds and megabytes of every variant, and their ratios to the textbook."""
    nodes = asked.nodes or (QUICK if asked.quick else NODES)
    nets, given = variants(), inputs(nodes)
    wanted = infer(nets["textbook"], given)
    for name in ("factorised", "factorised, in chunks"):
        torch.testing.assert_close(infer(nets[name], given), wanted, rtol=1e-3, atol=1e-3)
    runs = 3 if asked.quick else 7

    def timed(act: Callable[[Rounds, tuple[Tensor, Graph, Tensor]], object]) -> dict[str, float]:
        calls = {name: lambda net=net: act(net, given) for name, net in nets.items()}
        return {name: found.median for name, found in measure_together(calls, runs, 1).items()}

    inference, training = timed(infer), timed(step)
    memory = {name: peak(name, nodes, asked.threads) for name in nets}
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            inference[name],
            inference["textbook"] / inference[name],
            training[name],
            training["textbook"] / training[name],
            memory[name],
        )
        for name in nets
    ]
    edges = given[1].edges.shape[1]
    best = "factorised, in chunks"
    table = Table(
        f"{ROUNDS} rounds, {given[1].nodes} nodes, {edges} edges, {WIDTH} features",
        ("layer", "inference s", "times quicker", "training step s", "times quicker", "peak MB"),
        tuple(rows),
    )
    figures = [
        Figure(
            "inference, factorised and in chunks", inference["textbook"] / inference[best], "x", 3.0, True
        ),
        Figure("training step, the same", training["textbook"] / training[best], "x", 2.0, True),
        Figure(
            "peak memory of inference, the same", memory["textbook"] / max(memory[best], 1e-3), "x", 3.0, True
        ),
    ]
    return figures, table


def main() -> None:
    """Measure, print, save."""
    assert __doc__
    parser = arguments(__doc__)
    parser.add_argument("--nodes", type=int, help="about so many nodes")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with torch_threads(asked.threads):
        if asked.peak:
            print(json.dumps(own_peak(asked.peak, asked.nodes)))
            return
        figures, table = measure(asked)
    finish("graph", __doc__, asked, figures, [table])


if __name__ == "__main__":
    main()
