"""Small ONNX models, written node by node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(0)
Sizes = Sequence[int | str]


def weight(name: str, *shape: int, dtype: str = "float32") -> onnx.TensorProto:
    return numpy_helper.from_array(RNG.standard_normal(shape).astype(dtype), name)


def whole(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, Sizes],
    outputs: Sequence[str],
    stored: Sequence[onnx.TensorProto] = (),
    kind: int = TensorProto.FLOAT,
    made_kind: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    given = [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in inputs.items()]
    made = [onnx.ValueInfoProto(name=name) for name in outputs]
    for each in made:
        each.type.tensor_type.elem_type = made_kind
    graph = helper.make_graph(list(nodes), "test", given, made, list(stored))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def small() -> onnx.ModelProto:
    """Convolution, normalisation, activation, residual sum, pooling, linear layer; any batch."""
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c"], "conv", pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c", "scale", "bias", "mean", "var"], ["n"], "norm"),
        helper.make_node("Relu", ["n"], ["r"], "relu"),
        helper.make_node("Conv", ["r", "w2"], ["d"], "depthwise", pads=[1] * 4, group=4),
        helper.make_node("Add", ["d", "r"], ["s"]),
        helper.make_node("GlobalAveragePool", ["s"], ["g"], "pool"),
        helper.make_node("Flatten", ["g"], ["f"], "flat"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["y"], "gemm", transB=1),
    ]
    stored = [
        weight("w1", 4, 3, 3, 3),
        weight("b1", 4),
        *(weight(name, 4) for name in ("scale", "bias", "mean")),
        numpy_helper.from_array(np.ones(4, np.float32), "var"),
        weight("w2", 4, 1, 3, 3),
        weight("w3", 5, 4),
        weight("b3", 5),
    ]
    return model(nodes, {"x": ["n", 3, 8, 8]}, ["y"], stored)


def save(proto: onnx.ModelProto, folder: Path, name: str = "small") -> Path:
    path = folder / f"{name}.onnx"
    onnx.save(proto, str(path))
    return path
