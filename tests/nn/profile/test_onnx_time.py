"""Times of nodes, whatever ONNX Runtime makes of them."""

from __future__ import annotations

import pytest
from onnx import helper

from tests.nn.profile.models import model, small
from trabecula.nn.profile import Latency, Layer, Nest
from trabecula.nn.profile.onnx_time import (
    _node_seconds,
    _share_out,
    session,
    time_model,
)
from trabecula.nn.profile.onnx_walk import layers_of, with_shapes

WHOLE = Latency.of([1.0])


def layer(name: str, kind: str, read: str, written: str) -> Layer:
    nests = (Nest(1, 1, 1, 1),) if kind == "convolution" else ()
    return Layer(name, kind, ((1,),), ((1,),), (read,), (written,), nests=nests)


CHAIN = [
    layer("conv", "convolution", "x", "c"),
    layer("norm", "batch_norm", "c", "n"),
    layer("act", "relu", "n", "r"),
    layer("end", "relu", "r", "y"),
]


def shared(nodes: dict[str, float]) -> tuple[list[float], float]:
    found = _share_out(WHOLE, CHAIN, {name: [seconds] for name, seconds in nodes.items()}, 1)
    return [each[0] for each in found.layers], found.other[0]


@pytest.mark.parametrize(
    ("nodes", "layers", "other"),
    [
        ({"conv": 1, "norm": 2, "act": 3, "end": 4}, [1, 2, 3, 4], 0),
        ({"r_nchwc": 5, "end": 4}, [5, 0, 0, 4], 0),
        ({"InsertedPrecisionFreeCast_r_nchwc": 5}, [5, 0, 0, 0], 0),
        ({"conv_token_7": 5, "ReorderOutput": 2}, [5, 0, 0, 0], 2),
        ({"conv": 1, "act/duplicated": 3}, [1, 0, 3, 0], 0),
        ({"conv": 1, "norm": 1, "act": 1, "y": 6}, [1, 1, 1, 6], 0),
    ],
    ids=["plain", "fused", "cast", "quantised", "duplicated", "tail"],
)
def test_a_fused_node_is_paid_by_the_layer_that_multiplies(
    nodes: dict[str, float], layers: list[float], other: float
) -> None:
    assert shared(nodes) == (layers, other)


def test_a_chain_whose_start_is_fused_elsewhere_pays_for_itself() -> None:
    moved = [layer("a", "relu", "x", "a"), layer("b", "relu", "a", "b")]
    found = _share_out(WHOLE, moved, {"b": [2.0]}, 1)
    assert found.layers == [[0.0], [2.0]]
    found = _share_out(WHOLE, moved, {"b_nchwc": [2.0], "a": [1.0]}, 1)
    assert found.layers == [[1.0], [2.0]]


def test_warm_up_runs_are_left_out() -> None:
    events = [
        {"cat": "Node", "name": "conv_kernel_time", "dur": 9},
        {"cat": "Node", "name": "conv_fence_before", "dur": 9},
        {"cat": "Session", "name": "model_run", "dur": 9},
        {"cat": "Node", "name": "conv_kernel_time", "dur": 4},
    ]
    assert _node_seconds(events, warmup=1) == {"conv": [pytest.approx(4e-6)]}


def test_every_run_of_a_real_model_is_seen() -> None:
    proto = with_shapes(small(), [(1, 3, 8, 8)])
    for number, node in enumerate(proto.graph.node):
        node.name = node.name or f"node{number}"
    times = time_model(proto, layers_of(proto), threads=1, runs=3, warmup=1)
    assert times.whole.runs == 3
    assert all(len(each) == 3 for each in (*times.layers, times.other))
    assert sum(map(sum, times.layers)) > 0


def test_models_that_cannot_be_loaded_or_run_are_one_message() -> None:
    unknown = model([helper.make_node("Nonsense", ["x"], ["y"], domain="nowhere")], {"x": [1]}, ["y"])
    with pytest.raises(ValueError, match="refuses"):
        session(unknown, 1)
    reshape = model([helper.make_node("Reshape", ["x", "to"], ["y"])], {"x": [6], "to": [2]}, ["y"])
    reshape.graph.input[1].type.tensor_type.elem_type = 7
    with pytest.raises(ValueError, match="cannot run"):
        time_model(reshape, (), 1, 1, 0)
