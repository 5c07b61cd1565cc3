"""What PyTorch's elementary operations (`aten`) do: their kind, loops and arithmetic."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from trabecula.nn.profile.layer import MOVES, POOLS, Nest

Tensors = tuple[torch.Tensor, ...]

# Names that say less, or more, than what is done.
KINDS = {
    "cat": "concat",
    "stack": "concat",
    "clone": "copy",
    "to_copy": "copy",
    "contiguous": "copy",
    "constant_pad_nd": "pad",
    "index": "gather",
    "index_select": "gather",
    "take": "gather",
    "channel_shuffle": "shuffle",
    "native_channel_shuffle": "shuffle",
    "pixel_shuffle": "shuffle",
    "pixel_unshuffle": "shuffle",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "prelu_kernel": "prelu",
    "convolution": "convolution",
    "addmm": "linear",
    "mm": "matmul",
    "bmm": "matmul",
    "mean": "mean",
    "sum": "sum",
}
PATTERNS = (
    (re.compile(r"(reflection|replication|circular)_pad"), "pad"),
    (re.compile(r"upsample_"), "upsample"),
    (re.compile(r"max_pool"), "max_pool"),
    (re.compile(r"avg_pool"), "average_pool"),
    (re.compile(r"batch_norm"), "batch_norm"),
    (re.compile(r"group_norm"), "group_norm"),
    (re.compile(r"layer_norm"), "layer_norm"),
    (re.compile(r"scaled_dot_product"), "attention"),
    (re.compile(r"^(a?max|a?min|argmax|argmin|var|std|linalg_vector_norm|prod|cumsum|logsumexp)$"), "reduce"),
    (re.compile(r"softmax$"), "softmax"),
)
FREE = frozenset({"_unsafe_view", "lift_fresh", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk"})

# Operations per element of the output; one where nothing is said, none where data only move.
OPERATIONS = {
    "batch_norm": 2,
    "group_norm": 6,
    "layer_norm": 6,
    "softmax": 4,
    "hardswish": 4,
    "hardsigmoid": 3,
    "sigmoid": 3,
    "silu": 4,
    "gelu": 8,
    "tanh": 4,
}


@dataclass(frozen=True)
class Count:
    """Kind, loops and element-wise operations of one call."""

    kind: str
    nests: tuple[Nest, ...]
    operations: int


def kind_of(name: str) -> str:
    """The plain word for an operation: `relu_` is `relu`, `max_pool2d_with_indices` is `max_pool`."""
    bare = name.strip("_").removeprefix("native_")
    if bare in KINDS:
        return KINDS[bare]
    return next((kind for pattern, kind in PATTERNS if pattern.search(bare)), bare)


def operations_of(kind: str, read: int, written: int) -> int:
    """Element-wise operations of a kind: pools by what they read, others by what they write."""
    if kind in MOVES or kind == "concat":
        return 0
    return read if kind in POOLS else written * OPERATIONS.get(kind, 1)


def count(name: str, args: Sequence[object], out: torch.Tensor, weights: Sequence[bool]) -> Count:
    """Count one call.

    Parameters
    ----------
    name
        Without overload: `convolution`, `relu_`.
    args
        Positional arguments, as dispatched.
    out
        The (first) result.
    weights
        For every tensor among `args`, in order, whether it is a weight.

    Returns
    -------
    Count
        Windows of pooling count an operation an element read.
    """
    kind = kind_of(name)
    tensors = tuple(each for each in args if isinstance(each, torch.Tensor))
    if kind == "convolution":
        return Count(kind, (_convolution(args, tensors, out),), 0)
    if kind == "linear":
        bias = tensors[0].numel() > 0
        return _product(tensors[1:], weights[1:], out.numel() if bias and not weights[0] else 0)
    if kind == "matmul":
        return _product(tensors, weights, 0)
    if kind == "attention":
        return _attention(tensors)
    window = math.prod(_numbers(args[1])) if kind == "max_pool" or name.startswith("avg_pool") else 0
    read = window * out.numel() if window else sum(tensor.numel() for tensor in tensors)
    return Count(kind, (), operations_of(kind, read, out.numel()))


def _numbers(value: object) -> tuple[int, ...]:
    assert isinstance(value, (list, tuple))
    return tuple(int(each) for each in value)


def _convolution(args: Sequence[object], tensors: Tensors, out: torch.Tensor) -> Nest:
    """The loops of `convolution(input, weight, bias, stride, padding, dilation, transposed, _, groups)`."""
    read, weight = tensors[:2]
    groups = int(args[8])  # type: ignore[call-overload]
    dimensions = weight.ndim - 2
    stride = _numbers(args[3])
    stride = stride * dimensions if len(stride) == 1 else stride
    transposed = bool(args[6])
    image = read if transposed else out
    return Nest(
        images=image.shape[0],
        groups=groups,
        inputs=weight.shape[1],
        outputs=weight.shape[0] // groups,
        pixels=tuple(image.shape[2:]),
        kernel=tuple(weight.shape[2:]),
        stride=stride,
    )


def _product(factors: Tensors, weights: Sequence[bool], operations: int) -> Count:
    """`mm`, `addmm` or `bmm`: a linear layer where one factor is a weight."""
    left, right = factors
    groups = math.prod(left.shape[:-2])
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    if weights[1]:
        return Count("linear", (Nest(rows, groups, inner, columns),), operations)
    if weights[0]:
        return Count("linear", (Nest(columns, groups, inner, rows),), operations)
    return Count("matmul", (Nest(1, groups, inner, columns, (rows,)),), operations)


def _attention(tensors: Tensors) -> Count:
    query, key, value = tensors[:3]
    groups = math.prod(query.shape[:-2])
    rows, width, keys = query.shape[-2], query.shape[-1], key.shape[-2]
    nests = (Nest(1, groups, width, keys, (rows,)), Nest(1, groups, keys, value.shape[-1], (rows,)))
    return Count("attention", nests, groups * rows * keys * OPERATIONS["softmax"])
