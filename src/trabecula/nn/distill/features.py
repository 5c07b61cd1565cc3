"""Features of a network by layer name: forward hooks that are always removed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CHANNELS_LAST = (
    nn.Linear,
    nn.LayerNorm,
    nn.Embedding,
    nn.MultiheadAttention,
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
    nn.TransformerEncoder,
    nn.TransformerDecoder,
)


@dataclass(frozen=True)
class ForwardPass:
    """What one pass through a network showed: its output, and features by layer name."""

    output: Tensor
    features: Mapping[str, Tensor]


@dataclass(frozen=True)
class Landmark:
    """The first and the last layer of a network whose features have one spatial size, with their channels."""

    size: tuple[int, ...]
    first: str
    last: str
    first_channels: int
    last_channels: int


@contextmanager
def taps(network: nn.Module, names: Iterable[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of named layers while the network runs.

    Every feature is `[batch, channels, *space]`, as `channels_first` has it, and a copy: a later operation in
    place does not change it. A layer that runs several times leaves its last output.

    Parameters
    ----------
    network
        Any network.
    names
        Names of layers as in `network.named_modules()`; the empty name is the network itself.

    Yields
    ------
    dict
        Filled while the network runs. The hooks are gone when the context is left, also by an exception.

    Raises
    ------
    ValueError
        Where the network has no such layer.
    """
    found: dict[str, Tensor] = {}
    with ExitStack() as stack:
        for name in dict.fromkeys(names):
            stack.callback(layer(network, name).register_forward_hook(_keep(found, name)).remove)
        yield found


def _keep(found: dict[str, Tensor], name: str) -> Callable[[nn.Module, object, object], None]:
    def hook(module: nn.Module, _: object, output: object) -> None:
        feature = channels_first(module, output)
        if feature is None:
            raise ValueError(f"layer '{name}' gives {type(output).__name__}, not a tensor of features")
        found[name] = feature.clone()

    return hook


def layer(network: nn.Module, name: str) -> nn.Module:
    """The layer of that name.

    Raises
    ------
    ValueError
        Where there is none, with the names that are nearest.
    """
    layers: dict[str, nn.Module] = dict(network.named_modules())
    if name not in layers:
        near = difflib.get_close_matches(name, layers, n=3) or [key for key in layers if key][:8]
        raise ValueError(f"{type(network).__name__} has no layer '{name}'; it has {', '.join(near)}")
    return layers[name]


def channels_first(module: nn.Module, output: object) -> Tensor | None:
    """A layer's output as `[batch, channels, *space]`, or None where it is no tensor with channels.

    Recurrent layers give a tuple, whose first part is the sequence; they and linear, normalising and
    transformer layers on sequences have the channels last, and the sequence axis first unless `batch_first`.
    """
    feature = output[0] if isinstance(output, tuple | list) and output else output
    if not isinstance(feature, Tensor) or feature.ndim < 2 or not feature.is_floating_point():
        return None
    if isinstance(module, nn.RNNBase | nn.MultiheadAttention) and not module.batch_first:
        feature = feature.transpose(0, 1)
    if isinstance(module, (nn.RNNBase, *CHANNELS_LAST)):
        feature = feature.movedim(-1, 1)
    return feature


def run(network: nn.Module, inputs: Tensor | tuple[Tensor, ...], names: Iterable[str] = ()) -> ForwardPass:
    """One pass through a network, with the features of the named layers.

    Raises
    ------
    ValueError
        Where a layer does not exist or did not run, or the output is no tensor.
    """
    wanted = tuple(names)
    with taps(network, wanted) as found:
        output = network(*inputs) if isinstance(inputs, tuple) else network(inputs)
    if not isinstance(output, Tensor):
        raise ValueError(f"{type(network).__name__} gives {type(output).__name__}, not a tensor of logits")
    for name in wanted:
        if name not in found:
            raise ValueError(f"layer '{name}' of {type(network).__name__} did not run")
    return ForwardPass(output, found)


@contextmanager
def mode(network: nn.Module, training: bool) -> Iterator[None]:
    """The network in training or evaluation mode, every part as it was before afterwards."""
    before = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, was in before:
            module.training = was


def peek(network: nn.Module, inputs: Tensor | tuple[Tensor, ...], names: Iterable[str] = ()) -> ForwardPass:
    """As `run`, in evaluation mode and without gradients; nothing in the network changes."""
    with mode(network, training=False), torch.no_grad():
        return run(network, inputs, names)


def landmarks(network: nn.Module, inputs: Tensor | tuple[Tensor, ...]) -> tuple[Landmark, ...]:
    """The first and last layer of every spatial size, in the order in which the last ones run.

    Only layers without parts of their own count, and not those whose output is the network's output.
    """
    order: list[tuple[str, Tensor]] = []

    def watch(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _: object, output: object) -> None:
            feature = channels_first(module, output)
            if feature is not None:
                order.append((name, feature))

        return hook

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if name and not any(True for _ in module.children()):
                stack.callback(module.register_forward_hook(watch(name)).remove)
        end = peek(network, inputs).output
    marks: dict[tuple[int, ...], Landmark] = {}
    for name, feature in order:
        if feature.data_ptr() == end.data_ptr() and feature.numel() == end.numel():
            continue
        size, channels = tuple(feature.shape[2:]), feature.shape[1]
        begun = marks.pop(size, Landmark(size, name, name, channels, channels))
        marks[size] = Landmark(size, begun.first, name, begun.first_channels, channels)
    return tuple(marks.values())


def shared_landmarks(
    teacher: nn.Module, student: nn.Module, inputs: Tensor | tuple[Tensor, ...]
) -> tuple[tuple[Landmark, Landmark], ...]:
    """Landmarks of teacher and student of equal spatial size, more than one place, in the student's order.

    Raises
    ------
    ValueError
        Where no size is common.
    """
    of_teacher = {mark.size: mark for mark in landmarks(teacher, inputs)}
    of_student = landmarks(student, inputs)
    pairs = tuple((of_teacher[m.size], m) for m in of_student if m.size in of_teacher and _places(m.size) > 1)
    if not pairs:
        sizes = [
            " ".join("x".join(map(str, s)) or "1" for s in each)
            for each in (of_teacher, [m.size for m in of_student])
        ]
        raise ValueError(
            f"teacher and student have no features of equal size (teacher: {sizes[0]}; student: {sizes[1]}); "
            "say which layers to compare"
        )
    return pairs


def _places(size: tuple[int, ...]) -> int:
    return int(torch.Size(size).numel())
