"""The layers of an ONNX model, by walking its graph with all shapes known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trabecula.nn.profile import onnx_nodes
from trabecula.nn.profile.layer import PRODUCTS, Layer, Shape
from trabecula.nn.profile.onnx_nodes import Node
from trabecula.onnx_runtime import onnx_runtime
from trabecula.storage.reading import UnreadableError, open_regular

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

LARGEST = 1 << 31
"""Bytes of an ONNX file at most: protobuf holds no more."""

FOUR_BITS = ("INT4", "UINT4", "FLOAT4E2M1")
# Nodes whose constant inputs say how, not what; and inputs that were counted, not learned.
NO_WEIGHTS = frozenset({"Clip", "DynamicQuantizeLinear", "Pad", "Resize", "Upsample"})
STATISTICS = {"BatchNormalization": (3, 4)}


def read_model(path: Path) -> ModelProto:
    """Read an ONNX file; every node gets a name.

    Raises
    ------
    ValueError
        Where the file is no ONNX model, or the package `onnx` is missing: one message.
    OSError
        Where there is no such file.
    UnreadableError
        Where it cannot be read, is no regular file, or is too large.
    """
    try:
        import onnx
    except ImportError:
        raise ValueError("ONNX files need onnx: pip install 'trabecula[learn]'") from None
    path.stat()
    try:
        with open_regular(path, LARGEST) as file:
            content = file.read()
        model = onnx.load_from_string(content)
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
    except UnreadableError:
        raise
    except Exception as error:
        raise ValueError(f"{path}: no ONNX model ({type(error).__name__})") from None
    if not model.graph.node:
        raise ValueError(f"{path}: no ONNX model, or one without a single node")
    taken = {node.name for node in model.graph.node}
    for number, node in enumerate(model.graph.node):
        if not node.name:
            node.name = next(
                name for name in (f"{node.op_type}_{n}" for n in range(number, 10**9)) if name not in taken
            )
            taken.add(node.name)
    return model


def input_names(model: ModelProto) -> tuple[str, ...]:
    """Inputs that must be given (initializers are listed as inputs in old files)."""
    known = {each.name for each in model.graph.initializer}
    return tuple(each.name for each in model.graph.input if each.name not in known)


def with_shapes(model: ModelProto, given: Sequence[Shape]) -> ModelProto:
    """The model at fixed input shapes.

    Parameters
    ----------
    model
        A model; not changed.
    given
        Shapes of the first inputs, in order. Inputs without one keep their own, unknown sizes become 1.

    Raises
    ------
    ValueError
        Where a shape contradicts the model.
    """
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    names = input_names(model)
    if len(given) > len(names):
        raise ValueError(f"{len(given)} shapes for {len(names)} inputs ({', '.join(names)})")
    for value in fixed.graph.input:
        if value.name in names:
            place = names.index(value.name)
            _fix(value, given[place] if place < len(given) else None)
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    return fixed


def _fix(value: object, shape: Shape | None) -> None:
    own = value.type.tensor_type.shape.dim  # type: ignore[attr-defined]
    name = value.name  # type: ignore[attr-defined]
    shape = shape or tuple(size.dim_value or 1 for size in own)
    said = "x".join(str(size.dim_value or size.dim_param or "?") for size in own)
    if len(shape) != len(own) or any(s.dim_value not in (0, n) for s, n in zip(own, shape, strict=True)):
        raise ValueError(f"input '{name}' is {said}, not {'x'.join(map(str, shape))}")
    for size, number in zip(own, shape, strict=True):
        size.dim_value = number


def example_inputs(model: ModelProto, seed: int = 0) -> dict[str, NDArray[np.generic]]:
    """Random inputs of a model with fixed shapes: normal numbers, zeros for whole ones."""
    import onnx

    rng = np.random.default_rng(seed)
    made: dict[str, NDArray[np.generic]] = {}
    for value in model.graph.input:
        if value.name in input_names(model):
            shape = tuple(size.dim_value for size in value.type.tensor_type.shape.dim)
            dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            floating = np.issubdtype(dtype, np.floating)
            made[value.name] = (rng.standard_normal(shape) if floating else np.zeros(shape)).astype(dtype)
    return made


def layers_of(model: ModelProto) -> tuple[Layer, ...]:
    """Every node that computes or moves something, in order.

    Reshapes and quantisation steps are free: a runtime fuses the latter, and the numbers behind them have
    8 bits.

    Parameters
    ----------
    model
        With fixed input shapes (`with_shapes`).

    Raises
    ------
    ValueError
        Where a shape cannot be found, not even by running the model.
    """
    graph = _Graph(model)
    return tuple(layer for node in model.graph.node if (layer := graph.layer(node)) is not None)


class _Graph:
    """Shapes, bits, constants and names of a model's tensors."""

    def __init__(self, model: ModelProto) -> None:
        self.shapes, self.bits = _tensors(model)
        self.sizes = {each.name: math.prod(each.dims) for each in model.graph.initializer}
        floating = _stored_numbers(model.graph)
        self.constant: dict[str, tuple[str, ...]] = {
            each.name: (each.name,) if each.name in floating and each.dims else ()
            for each in model.graph.initializer
        }
        self.fresh = {name: self.sizes[name] for name in floating}
        self.alias: dict[str, str] = {}

    def layer(self, proto: NodeProto) -> Layer | None:
        """The layer of a node; None where it is free or constant."""
        read = [name for name in proto.input if name]
        if all(name in self.constant for name in read):
            roots = read[:1] if proto.op_type == "DequantizeLinear" else read
            found = tuple(dict.fromkeys(root for name in roots for root in self.constant[name]))
            self.constant.update(dict.fromkeys(proto.output, found))
            return None
        if proto.op_type in onnx_nodes.FREE:
            self.alias[proto.output[0]] = self._name(read[0])
            if proto.op_type == "QuantizeLinear":
                self.bits[self.alias[proto.output[0]]] = self.bits.get(proto.output[0], 8)
            return None
        return self._build_layer(Node(proto, self.shapes, self.constant))

    def _build_layer(self, node: Node) -> Layer:
        proto = node.proto
        kind = onnx_nodes.kind_of(node)
        given = [
            name for name in proto.input if name and name not in self.constant and self.shapes.get(name, ())
        ]
        made = [name for name in proto.output if name and name in self.shapes]
        made = made if proto.op_type == "Split" else made[:1]
        weights = self._weights(node)
        elements = sum(self.sizes[name] for name in weights)
        inputs = tuple(self.shapes[name] for name in given)
        outputs = tuple(self.shapes[name] for name in made)
        read, written = (sum(map(math.prod, shapes)) for shapes in (inputs, outputs))
        names = tuple(map(self._name, given))
        activation_bits = self.bits.get(names[0], 32) if names else 32
        return Layer(
            name=proto.name,
            kind=kind,
            inputs=inputs,
            outputs=outputs,
            reads=names,
            writes=tuple(made),
            parameters=self._first(node, weights),
            weights=written if kind == "embedding" else elements,
            nests=onnx_nodes.nests_of(node),
            operations=onnx_nodes.operations_of(node, kind, read, written),
            weight_bits=(self.bits[weights[0]] if weights and kind not in PRODUCTS else activation_bits),
            activation_bits=activation_bits,
        )

    def _weights(self, node: Node) -> list[str]:
        """Stored tensors behind a node's constant inputs."""
        if node.proto.op_type in NO_WEIGHTS:
            return []
        names = [name for name in node.proto.input if name]
        return list(dict.fromkeys(root for name in names for root in self.constant.get(name, ())))

    def _first(self, node: Node, weights: Sequence[str]) -> int:
        skipped = {
            node.proto.input[place]
            for place in STATISTICS.get(node.proto.op_type, ())
            if place < len(node.proto.input)
        }
        return sum(self.fresh.pop(name, 0) for name in weights if name not in skipped)

    def _name(self, name: str) -> str:
        return self.alias.get(name, name)


def _stored_numbers(graph: GraphProto) -> set[str]:
    """Initializers that hold numbers of the network: not indices, shapes, scales or zero points."""
    import onnx

    whole = {onnx.TensorProto.INT64, onnx.TensorProto.BOOL, onnx.TensorProto.STRING}
    scales = {
        name
        for node in graph.node
        for place, name in enumerate(node.input)
        if (node.op_type in ("QuantizeLinear", "DequantizeLinear") and place in (1, 2))
        or (node.op_type in ("ConvInteger", "MatMulInteger") and place in (2, 3))
        or (node.op_type.startswith("QLinear") and place in (1, 2, 4, 5, 6, 7))
    }
    return {each.name for each in graph.initializer if each.data_type not in whole} - scales


def _tensors(model: ModelProto) -> tuple[dict[str, Shape], dict[str, int]]:
    """Shape and bits of every tensor: inferred, and where inference gives up, seen in a run."""
    import onnx

    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:
        raise ValueError(f"the shapes of this model cannot be found: {_message(error)}") from None
    shapes: dict[str, Shape] = {each.name: tuple(each.dims) for each in graph.initializer}
    bits = {each.name: _bits(each.data_type) for each in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        bits[value.name] = _bits(kind.elem_type)
        sizes = kind.shape.dim
        if kind.HasField("shape") and all(size.HasField("dim_value") for size in sizes):
            shapes[value.name] = tuple(size.dim_value for size in sizes)
    missing = [name for node in graph.node for name in node.output if name and name not in shapes]
    if missing:
        shapes.update(_run_shapes(model, missing))
    return shapes, bits


def _bits(elem_type: int) -> int:
    import onnx

    if elem_type == onnx.TensorProto.UNDEFINED:
        return 32
    if onnx.TensorProto.DataType.Name(elem_type) in FOUR_BITS:
        return 4
    return 8 * int(onnx.helper.tensor_dtype_to_np_dtype(elem_type).itemsize)


def _run_shapes(model: ModelProto, names: Sequence[str]) -> Mapping[str, Shape]:
    """Shapes of tensors in a run with random inputs."""
    import onnx

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    there = {value.name for value in watched.graph.output}
    wanted = [name for name in names if name not in there]
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted)
    try:
        session = onnx_runtime().InferenceSession(
            watched.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        found = session.run(list(names), example_inputs(model))
    except Exception as error:
        raise ValueError(f"the shapes of this model cannot be found: {_message(error)}") from None
    return {name: tuple(np.shape(value)) for name, value in zip(names, found, strict=True)}


def _message(error: Exception) -> str:
    return " ".join(str(error).split())
