"""Pieces of a network rebuilt alone, and rebuilt otherwise at the same cost, to be timed side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from trabecula.nn.profile.layer import Nest, Shape


@dataclass(frozen=True)
class TwinPlan:
    """Convolutions in parallel branches, each on an input of its own.

    Parameters
    ----------
    branches
        For every branch the loops of its convolutions.
    join
        How the branches end: `concat`, `add`, or nothing.
    """

    branches: tuple[tuple[Nest, ...], ...]
    join: str = ""

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return sum(nest.macs for branch in self.branches for nest in branch)


def single(nest: Nest) -> TwinPlan:
    """One convolution."""
    return TwinPlan(((nest,),))


def balanced_twin(nest: Nest) -> Nest:
    """As many inputs as outputs, at about the same multiply-accumulates (G1)."""
    channels = max(1, round(math.sqrt(nest.inputs * nest.outputs)))
    return replace(nest, inputs=channels, outputs=channels)


def ungrouped_twin(nest: Nest) -> Nest:
    """One group, with so few channels that the multiply-accumulates stay about the same (G2, G4)."""
    root = math.sqrt(nest.groups)
    return replace(
        nest,
        groups=1,
        inputs=max(1, round(nest.inputs * root)),
        outputs=max(1, round(nest.outputs * root)),
    )


def merged_twin(plan: TwinPlan) -> TwinPlan:
    """The heaviest branch alone, so wide that it costs what all branches did (G3)."""
    heaviest = max(plan.branches, key=lambda branch: sum(nest.macs for nest in branch))
    factor = math.sqrt(plan.macs / sum(nest.macs for nest in heaviest))
    return TwinPlan((tuple(_wider(nest, factor) for nest in heaviest),))


def _wider(nest: Nest, factor: float) -> Nest:
    if nest.depthwise:
        return replace(nest, groups=max(1, round(nest.groups * factor**2)))
    return replace(
        nest, inputs=max(1, round(nest.inputs * factor)), outputs=max(1, round(nest.outputs * factor))
    )


def input_shape(nest: Nest) -> Shape:
    """Shape of the input from which an unpadded convolution makes the nest's pixels."""
    sizes = ((p - 1) * s + k for p, s, k in zip(nest.pixels, nest.stride, nest.kernel, strict=True))
    return (nest.images, nest.groups * nest.inputs, *sizes)


def weight_shape(nest: Nest) -> Shape:
    """Shape of the weight, as both frameworks want it."""
    return (nest.groups * nest.outputs, nest.inputs, *nest.kernel)


Maker = Callable[[TwinPlan, int], Callable[[], object]]


def torch_call(plan: TwinPlan, threads: int) -> Callable[[], object]:
    """A call that runs a plan in PyTorch (whoever calls sets the threads)."""
    apply = {1: torch.conv1d, 2: torch.conv2d, 3: torch.conv3d}
    branches = [
        [(torch.randn(input_shape(nest)), torch.randn(weight_shape(nest)), nest) for nest in branch]
        for branch in plan.branches
    ]

    def run() -> object:
        ends = []
        with torch.no_grad():
            for branch in branches:
                for read, weight, nest in branch:
                    end = apply[len(nest.pixels)](read, weight, None, nest.stride, 0, 1, nest.groups)
                ends.append(end)
            if plan.join == "concat":
                return torch.cat(ends, 1)
            return torch.stack(ends).sum(0) if plan.join == "add" else ends

    return run


def onnx_call(plan: TwinPlan, threads: int) -> Callable[[], object]:
    """A call that runs a plan in ONNX Runtime."""
    from onnx import TensorProto, helper, numpy_helper

    from trabecula.nn.profile.onnx_time import session

    rng = np.random.default_rng(0)
    nodes, stored, given, ends, feed = [], [], [], [], {}
    numbered = enumerate((nest, nest is branch[-1]) for branch in plan.branches for nest in branch)
    for number, (nest, last) in numbered:
        read, weight, out = (f"{part}{number}" for part in ("read", "weight", "out"))
        feed[read] = rng.standard_normal(input_shape(nest)).astype(np.float32)
        given.append(helper.make_tensor_value_info(read, TensorProto.FLOAT, input_shape(nest)))
        values = rng.standard_normal(weight_shape(nest)).astype(np.float32)
        stored.append(numpy_helper.from_array(values, weight))
        nodes.append(
            helper.make_node("Conv", [read, weight], [out], group=nest.groups, strides=list(nest.stride))
        )
        if last or not plan.join:
            ends.append(out)
    if plan.join:
        nodes.append(
            helper.make_node("Concat", ends, ["end"], axis=1)
            if plan.join == "concat"
            else helper.make_node("Sum", ends, ["end"])
        )
        ends = ["end"]
    wanted = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ends]
    graph = helper.make_graph(nodes, "plan", given, wanted, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    ready = session(model, threads)
    return lambda: ready.run(None, feed)
