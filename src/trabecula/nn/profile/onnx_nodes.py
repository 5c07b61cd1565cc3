"""What ONNX operators do: their kind and loops, from attributes and shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.nn.profile import aten
from trabecula.nn.profile.layer import Nest, Shape

if TYPE_CHECKING:
    from onnx import NodeProto

FREE = frozenset(
    {
        "Constant",
        "ConstantOfShape",
        "DequantizeLinear",
        "Dropout",
        "Flatten",
        "Identity",
        "QuantizeLinear",
        "Reshape",
        "Shape",
        "Size",
        "Squeeze",
        "Unsqueeze",
    }
)
CONVOLUTIONS = frozenset({"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "FusedConv"})
PRODUCTS = frozenset({"Gemm", "MatMul", "MatMulInteger", "QLinearMatMul", "FusedMatMul", "QGemm"})
RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
# Positions of the two factors where they are not the first two inputs.
FACTORS = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3), "QGemm": (0, 3)}

KINDS = {
    "Add": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "Div": "divide",
    "QLinearAdd": "add",
    "QLinearMul": "multiply",
    "Concat": "concat",
    "QLinearConcat": "concat",
    "Cast": "copy",
    "Slice": "copy",
    "Split": "copy",
    "Tile": "repeat",
    "Expand": "repeat",
    "GatherElements": "gather",
    "GatherND": "gather",
    "Resize": "upsample",
    "Upsample": "upsample",
    "DepthToSpace": "shuffle",
    "SpaceToDepth": "shuffle",
    "MaxPool": "max_pool",
    "AveragePool": "average_pool",
    "GlobalAveragePool": "mean",
    "QLinearGlobalAveragePool": "mean",
    "GlobalMaxPool": "reduce",
    "ReduceMean": "mean",
    "ReduceSum": "sum",
    "BatchNormalization": "batch_norm",
    "InstanceNormalization": "batch_norm",
    "GroupNormalization": "group_norm",
    "LayerNormalization": "layer_norm",
    "DynamicQuantizeLinear": "quantize",
}


@dataclass(frozen=True)
class Node:
    """A node with the shapes around it.

    Parameters
    ----------
    proto
        The node.
    shapes
        Shape of every tensor.
    constant
        Names of tensors that do not depend on the network's inputs.
    """

    proto: NodeProto
    shapes: Mapping[str, Shape]
    constant: Mapping[str, tuple[str, ...]]

    def attribute(self, name: str, default: Sequence[int]) -> tuple[int, ...]:
        """An integer attribute, one or several."""
        for each in self.proto.attribute:
            if each.name == name:
                return tuple(each.ints) or (each.i,)
        return tuple(default)

    def shape(self, position: int) -> Shape:
        """Shape of an input."""
        return self.shapes[self.proto.input[position]]

    @property
    def factors(self) -> tuple[int, int]:
        """Positions of what is multiplied."""
        return FACTORS.get(self.proto.op_type, (0, 1))

    def is_constant(self, position: int) -> bool:
        """Whether an input is a weight."""
        return self.proto.input[position] in self.constant


def kind_of(node: Node) -> str:
    """The plain word for what a node does."""
    name = node.proto.op_type
    if name in CONVOLUTIONS:
        return "convolution"
    if name in PRODUCTS:
        return "linear" if any(map(node.is_constant, node.factors)) else "matmul"
    if name in RECURRENT:
        return "recurrent"
    if name == "Gather":
        return "embedding" if node.is_constant(0) else "gather"
    if name.startswith("Reduce") and name not in KINDS:
        return "reduce"
    return KINDS.get(name, name.lower())


def nests_of(node: Node) -> tuple[Nest, ...]:
    """The loops of a node; none where it does not multiply and accumulate."""
    name = node.proto.op_type
    if name in CONVOLUTIONS:
        return (_convolution(node),)
    if name in PRODUCTS:
        return (_product(node),)
    return _recurrent(node) if name in RECURRENT else ()


def _convolution(node: Node) -> Nest:
    read, weight = (node.shape(position) for position in node.factors)
    groups = node.attribute("group", (1,))[0]
    transposed = node.proto.op_type == "ConvTranspose"
    image = read if transposed else node.shapes[node.proto.output[0]]
    return Nest(
        images=image[0],
        groups=groups,
        inputs=weight[1],
        outputs=weight[0] // groups,
        pixels=image[2:],
        kernel=weight[2:],
        stride=node.attribute("strides", (1,) * len(weight[2:])),
    )


def _product(node: Node) -> Nest:
    """A matrix product: of a weight and an activation, or of two activations, one group a matrix."""
    left, right = (node.shape(position) for position in node.factors)
    if node.attribute("transA", (0,))[0]:
        left = left[::-1]
    if node.attribute("transB", (0,))[0]:
        right = right[::-1]
    left = left if len(left) > 1 else (1, *left)
    right = right if len(right) > 1 else (*right, 1)
    inner, columns = right[-2:]
    first, second = (node.is_constant(position) for position in node.factors)
    if second and len(right) == 2:
        return Nest(math.prod(left[:-1]), 1, inner, columns)
    if first and len(left) == 2:
        return Nest(math.prod(right[:-2]) * columns, 1, inner, left[-2])
    groups = max(math.prod(left[:-2]), math.prod(right[:-2]))
    return Nest(1, groups, inner, columns, (left[-2],))


def _recurrent(node: Node) -> tuple[Nest, ...]:
    """Both matrices of every direction, once per step; inputs are `[step, example, channel]`."""
    steps, examples = node.shape(0)[:2]
    matrices = [node.shape(1), node.shape(2)]
    return tuple(
        Nest(examples, directions, columns, rows, (steps,)) for directions, rows, columns in matrices
    )


def operations_of(node: Node, kind: str, read: int, written: int) -> int:
    """Element-wise operations: pools by their window, the rest as in `aten`."""
    if kind in ("max_pool", "average_pool"):
        return written * math.prod(node.attribute("kernel_shape", (1,)))
    if kind == "recurrent":
        return sum(4 * nest.pixels[0] * nest.images * nest.outputs for nest in nests_of(node))
    if kind in ("convolution", "linear", "matmul"):
        return 0
    return aten.operations_of(kind, read, written)
