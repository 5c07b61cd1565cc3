"""What is counted in an ONNX model, against the formulas."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.nn.profile.models import model, save, small, weight, whole
from trabecula.nn.profile import Layer
from trabecula.nn.profile.onnx_walk import (
    example_inputs,
    input_names,
    layers_of,
    read_model,
    with_shapes,
)


def walk(proto: onnx.ModelProto, *shapes: tuple[int, ...]) -> tuple[Layer, ...]:
    return layers_of(with_shapes(proto, shapes))


def only(proto: onnx.ModelProto, *shapes: tuple[int, ...]) -> Layer:
    (layer,) = walk(proto, *shapes)
    return layer


def test_a_network_is_counted_node_by_node() -> None:
    layers = walk(small(), (2, 3, 8, 8))
    assert [(each.kind, each.macs, each.parameters, each.operations) for each in layers] == [
        ("convolution", 2 * 4 * 3 * 9 * 64, 4 * 3 * 9 + 4, 0),
        ("batch_norm", 0, 8, 2 * 512),
        ("relu", 0, 0, 512),
        ("convolution", 2 * 4 * 9 * 64, 4 * 9, 0),
        ("add", 0, 0, 512),
        ("mean", 0, 0, 512),
        ("linear", 2 * 5 * 4, 25, 0),
    ]
    assert layers[3].nests[0].depthwise
    assert layers[4].reads == ("d", "r")
    assert layers[6].reads == ("g",)  # through the flattening, which is free


def test_an_unknown_batch_is_one() -> None:
    assert walk(small())[0].inputs == ((1, 3, 8, 8),)


def test_weights_behind_constants_and_transposes_are_weights() -> None:
    nodes = [
        helper.make_node("Constant", [], ["w"], value=weight("", 4, 3)),
        helper.make_node("Transpose", ["v"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "t"], ["m"], "product"),
    ]
    layer = only(model(nodes, {"x": [2, 3]}, ["m"], [weight("v", 4, 3)]))
    assert (layer.kind, layer.macs, layer.parameters, layer.weights) == ("linear", 24, 12, 12)


@pytest.mark.parametrize(
    ("shapes", "stored", "kind", "macs"),
    [
        ({"a": [2, 5, 3], "b": [2, 3, 4]}, (), "matmul", 2 * 5 * 3 * 4),
        ({"a": [2, 5, 3]}, ("b", 3, 4), "linear", 10 * 3 * 4),
        ({"b": [7, 3, 4]}, ("a", 5, 3), "linear", 7 * 4 * 3 * 5),
        ({"a": [2, 5, 3]}, ("b", 2, 3, 4), "linear", 2 * 5 * 3 * 4),
        ({"a": [3]}, ("b", 3, 4), "linear", 12),
        ({"a": [5, 3], "b": [3]}, (), "matmul", 15),
    ],
)
def test_matrix_products_of_every_kind(
    shapes: dict[str, list[int]], stored: tuple[object, ...], kind: str, macs: int
) -> None:
    kept = [weight(*stored)] if stored else []  # type: ignore[arg-type]
    layer = only(model([helper.make_node("MatMul", ["a", "b"], ["y"])], shapes, ["y"], kept))
    assert (layer.kind, layer.macs) == (kind, macs)


def test_transposed_factors() -> None:
    node = helper.make_node("Gemm", ["a", "b"], ["y"], transA=1, transB=1)
    layer = only(model([node], {"a": [3, 5], "b": [4, 3]}, ["y"]))
    assert (layer.kind, layer.macs) == ("matmul", 60)


def test_a_transposed_convolution_works_on_its_input() -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    layer = only(model([node], {"x": [1, 4, 5, 5]}, ["y"], [weight("w", 4, 3, 2, 2)]))
    assert layer.macs == 4 * 3 * 4 * 25
    assert layer.outputs == ((1, 3, 10, 10),)


def test_recurrent_nodes_are_their_matrices_once_a_step() -> None:
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=5)
    stored = [weight("w", 1, 20, 3), weight("r", 1, 20, 5), weight("b", 1, 40)]
    layer = only(model([node], {"x": [7, 2, 3]}, ["y"], stored))
    assert (layer.kind, layer.macs) == ("recurrent", 7 * 2 * 20 * 8)
    assert layer.parameters == 20 * 8 + 40


def test_pools_reductions_moves_and_lookups() -> None:
    nodes = [
        helper.make_node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("ReduceMax", ["p", "axes"], ["m"], keepdims=0),
        helper.make_node("Concat", ["m", "m"], ["c"], axis=1),
        helper.make_node("Slice", ["c", "zero", "four", "one"], ["s"]),
        helper.make_node("Clip", ["s", "low"], ["k"]),
    ]
    stored = [
        whole("axes", 2, 3),
        whole("zero", 0),
        whole("four", 4),
        whole("one", 1),
        numpy_helper.from_array(np.float32(0), "low"),
    ]
    layers = walk(model(nodes, {"x": [1, 4, 6, 6]}, ["k"], stored))
    assert [(each.kind, each.operations) for each in layers] == [
        ("max_pool", 4 * 36),
        ("reduce", 36),
        ("concat", 0),
        ("copy", 0),
        ("clip", 4),
    ]
    assert all(layer.parameters == 0 for layer in layers)
    table = model(
        [helper.make_node("Gather", ["table", "x"], ["y"])],
        {"x": [6]},
        ["y"],
        [weight("table", 100, 4)],
        TensorProto.INT64,
    )
    assert (only(table).kind, only(table).parameters, only(table).weights) == ("embedding", 400, 24)


def quantised() -> onnx.ModelProto:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["q"], "quantise"),
        helper.make_node("DequantizeLinear", ["q", "sx", "zx"], ["d"], "back"),
        helper.make_node("DequantizeLinear", ["w", "sw"], ["v"], "weights"),
        helper.make_node("Conv", ["d", "v"], ["c"], "conv"),
        helper.make_node("QuantizeLinear", ["c", "sx", "zx"], ["e"], "again"),
        helper.make_node("DequantizeLinear", ["e", "sx", "zx"], ["y"], "end"),
    ]
    stored = [
        numpy_helper.from_array(np.float32(0.1), "sx"),
        numpy_helper.from_array(np.uint8(3), "zx"),
        numpy_helper.from_array(np.ones((4, 3, 3, 3), np.int8), "w"),
        numpy_helper.from_array(np.float32(0.1), "sw"),
    ]
    return model(nodes, {"x": [1, 3, 6, 6]}, ["y"], stored)


def test_quantised_numbers_have_eight_bits_and_cost_no_layer() -> None:
    layer = only(quantised())
    assert (layer.kind, layer.weight_bits, layer.activation_bits) == ("convolution", 8, 8)
    assert layer.parameters == 108
    assert layer.bytes == 108 + 108 + 64


def test_integer_products() -> None:
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    stored = [numpy_helper.from_array(np.ones((3, 4), np.int8), "b")]
    layer = only(model([node], {"a": [2, 3]}, ["y"], stored, TensorProto.UINT8, TensorProto.INT32))
    assert (layer.kind, layer.macs, layer.weight_bits) == ("linear", 24, 8)


def test_shapes_that_inference_cannot_know_are_seen_in_a_run() -> None:
    nodes = [
        helper.make_node("NonZero", ["x"], ["n"]),
        helper.make_node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Relu", ["f"], ["y"]),
    ]
    layers = walk(model(nodes, {"x": [2, 3]}, ["y"]))
    assert layers[-1].outputs == ((2, 6),)


def test_a_model_that_does_not_run_is_one_message() -> None:
    nodes = [helper.make_node("Nonsense", ["x"], ["y"], domain="nowhere")]
    proto = model(nodes, {"x": [2, 3]}, ["y"])
    with pytest.raises(ValueError, match="cannot be found"):
        walk(proto)
    proto.opset_import.append(helper.make_opsetid("nowhere", 1))
    with pytest.raises(ValueError, match="cannot be found"):
        walk(proto)


def test_nodes_without_names_get_one_of_their_own(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Relu", ["y"], ["z"], "Relu_0")]
    read = read_model(save(model(nodes, {"x": [1]}, ["z"]), tmp_path))
    assert len({node.name for node in read.graph.node}) == 2 and all(node.name for node in read.graph.node)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(1, 3, 8)], "nx3x8x8, not 1x3x8"),
        ([(1, 4, 8, 8)], "not 1x4x8x8"),
        ([(1, 3, 8, 8), (1,)], "2 shapes for 1 inputs"),
    ],
)
def test_shapes_that_contradict_the_model_are_refused(shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_shapes(small(), shapes)


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"\x08\x07nothing")
    with pytest.raises(ValueError, match="no ONNX model"):
        read_model(wrong)
    wrong.write_bytes(b"")
    with pytest.raises(ValueError, match="no ONNX model"):
        read_model(wrong)
    with pytest.raises(OSError):
        read_model(tmp_path / "missing.onnx")


def test_without_onnx_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ValueError, match=r"trabecula\[learn\]"):
        read_model(tmp_path / "any.onnx")


def test_initializers_listed_as_inputs_are_none() -> None:
    proto = small()
    proto.graph.input.append(helper.make_tensor_value_info("w1", TensorProto.FLOAT, [4, 3, 3, 3]))
    assert input_names(proto) == ("x",)


def test_example_inputs_fit_their_types() -> None:
    ids = model([helper.make_node("Identity", ["x"], ["y"])], {"x": [2, 3]}, ["y"], kind=TensorProto.INT64)
    assert example_inputs(ids)["x"].dtype == np.int64
    floats = example_inputs(with_shapes(small(), []))["x"]
    assert floats.dtype == np.float32 and 0.5 < floats.std() < 1.5


def test_four_bit_weights_are_four_bits() -> None:
    layer = only(
        model(
            [
                helper.make_node("DequantizeLinear", ["w", "s"], ["v"]),
                helper.make_node("MatMul", ["x", "v"], ["y"]),
            ],
            {"x": [2, 4]},
            ["y"],
            [
                helper.make_tensor("w", TensorProto.INT4, [4, 2], [1] * 8),
                numpy_helper.from_array(np.float32(0.1), "s"),
            ],
        )
    )
    assert layer.weight_bits == 4 and layer.weight_bytes == 4


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.onnx")
    with pytest.raises(ValueError, match="is a pipe, not a file"):
        read_model(tmp_path / "a.onnx")
