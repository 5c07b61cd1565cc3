"""The layers of a `torch.nn.Module`, and how long each takes, from watching it run."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.hooks import RemovableHandle
from torch.utils.weak import WeakTensorKeyDictionary

from trabecula.nn.profile import aten
from trabecula.nn.profile.layer import PRODUCTS, Layer, Nest


def layers_of(model: nn.Module, inputs: Sequence[torch.Tensor]) -> tuple[Layer, ...]:
    """Every operation of a network, named after the module it happens in.

    Module hooks say where the network is; a dispatch mode sees the operations themselves, so sums,
    concatenations and activations written as functions count as much as modules do. Views are free.

    Parameters
    ----------
    model
        Run once in evaluation mode, without gradients; left as it was.
    inputs
        Its arguments.

    Returns
    -------
    tuple[Layer, ...]
        In the order they run.
    """
    with watch(model) as run:
        return run(inputs).layers


def timed_layers(
    model: nn.Module, inputs: Sequence[torch.Tensor], runs: int, warmup: int
) -> tuple[tuple[Layer, ...], list[list[float]]]:
    """Layers, and for each its seconds in `runs` forward passes (after `warmup` more).

    The clock runs around the operation itself; what watching costs falls between operations.

    Raises
    ------
    ValueError
        Where the network does not do the same operations every time.
    """
    with watch(model) as run:
        for _ in range(warmup):
            run(inputs)
        walks = [run(inputs) for _ in range(runs)]
    layers = walks[0].layers
    if any(walk.layers != layers for walk in walks):
        raise ValueError("the network does different things from run to run: its layers have no fixed cost")
    return layers, [list(seconds) for seconds in zip(*(walk.seconds for walk in walks), strict=True)]


def last_layers(model: nn.Module, inputs: Sequence[torch.Tensor]) -> list[str]:
    """Names of the multiplying layers a network's results come from, through whatever adds or shapes them."""
    with watch(model) as run:
        walk = run(inputs)
    writer = {name: layer for layer in walk.layers for name in layer.writes}
    found, waiting = [], list(walk.results)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in writer:
            continue
        seen.add(name)
        layer = writer[name]
        if layer.heavy:
            found.append(layer.name)
        else:
            waiting += layer.reads
    return found


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """The network in evaluation mode and without gradients; every module's mode is put back."""
    modes = [(module, module.training) for module in model.modules()]
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one opaque call for a whole transformer layer
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module, mode in modes:
            module.training = mode


@contextmanager
def watch(model: nn.Module) -> Iterator[Callable[[Sequence[torch.Tensor]], Walk]]:
    """A function that runs the network and returns what happened; hooks are gone afterwards."""
    place = _Place()
    handles: list[RemovableHandle] = []
    for name, module in model.named_modules():
        handles += place.follow(name, module)

    def run(inputs: Sequence[torch.Tensor]) -> Walk:
        walk = Walk(model, place, inputs)
        place.start(walk)
        with walk:
            results = tensors_in(model(*inputs))
        walk.results = tuple(map(walk.name_of, results))
        return walk

    try:
        with evaluation_mode(model):
            yield run
    finally:
        for handle in handles:
            handle.remove()


class _Place:
    """Which module is running: a stack that hooks keep."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, nn.Module]] = []
        self.walk: Walk | None = None

    def start(self, walk: Walk) -> None:
        self.stack.clear()
        self.walk = walk

    def follow(self, name: str, module: nn.Module) -> list[RemovableHandle]:
        def enter(module: nn.Module, args: tuple[object, ...]) -> None:
            self.stack.append((name, module))
            if isinstance(module, nn.RNNBase) and self.walk:
                self.walk.begin_recurrent()

        def leave(module: nn.Module, args: tuple[object, ...], out: object) -> None:
            if isinstance(module, nn.RNNBase) and self.walk:
                self.walk.end_recurrent(name, module, args, out)
            self.stack.pop()

        return [
            module.register_forward_pre_hook(enter, prepend=True),
            module.register_forward_hook(leave, always_call=True),
        ]


class Walk(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """One forward pass seen operation by operation."""

    def __init__(self, model: nn.Module, place: _Place, inputs: Sequence[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._place = place
        self._names: Mapping[torch.Tensor, str] = WeakTensorKeyDictionary()
        self._weights: Mapping[torch.Tensor, str] = WeakTensorKeyDictionary()
        self._fresh = {name: parameter.numel() for name, parameter in model.named_parameters()}
        self._used: Counter[str] = Counter()
        self._recurrent = False
        self._number = 0
        self._layers: list[Layer] = []
        self.seconds: list[float] = []
        self.results: tuple[str, ...] = ()
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            self._set(self._weights, tensor, name)
        for tensor in tensors_in(inputs):
            self.name_of(tensor)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What was seen."""
        return tuple(self._layers)

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run one operation with the clock around it, and note it."""
        begin = time.perf_counter()
        out = func(*args, **(kwargs or {}))
        seconds = time.perf_counter() - begin
        self._note(func, args, out, seconds)
        return out

    def begin_recurrent(self) -> None:
        """From here everything belongs to one recurrent layer."""
        self._recurrent = True
        self._layers.append(Layer("", "recurrent", (), ()))
        self.seconds.append(0.0)

    def end_recurrent(self, name: str, module: nn.RNNBase, args: tuple[object, ...], out: object) -> None:
        """Replace what was seen of a recurrent module by its matrices, run once per step."""
        self._recurrent = False
        given = tensors_in(args)[:1]
        made = tensors_in(out)[:1]
        # one sequence alone, or sequences packed one after the other, have no axis of examples
        steps = given[0].shape[1 if module.batch_first and given[0].ndim == 3 else 0]
        images = given[0].numel() // (steps * given[0].shape[-1])
        matrices = [weight for weight in module.parameters() if weight.ndim == 2]
        self._layers[-1] = Layer(
            name=self._unique(name),
            kind="recurrent",
            inputs=tuple(tuple(each.shape) for each in given),
            outputs=tuple(tuple(each.shape) for each in made),
            reads=tuple(map(self.name_of, given)),
            writes=tuple(map(self._rename, made)),
            parameters=sum(self._first(self._weights[weight]) for weight in module.parameters()),
            weights=sum(weight.numel() for weight in module.parameters()),
            nests=tuple(Nest(images, 1, each.shape[1], each.shape[0], (steps,)) for each in matrices),
            operations=sum(4 * steps * images * each.shape[0] for each in matrices),
            **_bits(given[0], matrices[0]),
        )

    def _note(
        self, func: torch._ops.OpOverload, args: tuple[object, ...], out: object, seconds: float
    ) -> None:
        read, made = tensors_in(args), tensors_in(out)
        if self._recurrent:
            self.seconds[-1] += seconds
            return
        name = func._overloadpacket.__name__
        if not read or not made or name.endswith("_like") or name.startswith("new_"):
            return  # made of nothing but a shape
        if _is_free(func):
            for tensor in made:
                source = self._weights.get(read[0])
                if source is None:
                    self._set(self._names, tensor, self.name_of(read[0]))
                else:
                    self._set(self._weights, tensor, source)
            return
        is_weight = [each in self._weights for each in read]
        if name == "convolution":
            is_weight[1:] = [True] * (len(read) - 1)
        counted = aten.count(name, args, made[0], is_weight)
        weights = [each for each, known in zip(read, is_weight, strict=True) if known]
        given = [each for each, known in zip(read, is_weight, strict=True) if not known]
        if counted.kind == "embedding":
            counted_weights = made[0].numel()  # only the rows looked up are read
        else:
            counted_weights = sum(each.numel() for each in weights)
        results = made[:1] if counted.kind != "unbind" else made
        stored = given if counted.kind in PRODUCTS or not weights else weights
        bits = _bits(made[0], stored[0])
        self.seconds.append(seconds)
        self._layers.append(
            Layer(
                name=self._layer_name(counted.kind),
                kind=counted.kind,
                inputs=tuple(tuple(each.shape) for each in given),
                outputs=tuple(tuple(each.shape) for each in results),
                reads=tuple(map(self.name_of, given)),
                writes=tuple(map(self._rename, results)),
                parameters=sum(self._first(self._weights.get(each, "")) for each in weights),
                weights=counted_weights,
                nests=counted.nests,
                operations=counted.operations,
                **bits,
            )
        )

    def _layer_name(self, kind: str) -> str:
        if not self._place.stack:
            return self._unique(kind)
        name, module = self._place.stack[-1]
        leaf = next(module.children(), None) is None
        if leaf and name and name not in self._used:
            return self._unique(name)
        return self._unique(f"{name}.{kind}" if name else kind)

    def _unique(self, name: str) -> str:
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name}#{self._used[name]}"

    def _first(self, weight: str) -> int:
        return self._fresh.pop(weight, 0)

    def name_of(self, tensor: torch.Tensor) -> str:
        """The name of an activation."""
        return self._names.get(tensor) or self._rename(tensor)

    def _rename(self, tensor: torch.Tensor) -> str:
        self._number += 1
        self._set(self._names, tensor, f"t{self._number}")
        return f"t{self._number}"

    @staticmethod
    def _set(names: Mapping[torch.Tensor, str], tensor: torch.Tensor, name: str) -> None:
        cast(dict[torch.Tensor, str], names)[tensor] = name


def tensors_in(value: object) -> list[torch.Tensor]:
    """Tensors in a nest of lists, tuples and dictionaries, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for each in value for tensor in tensors_in(each)]
    if isinstance(value, dict):
        return tensors_in(list(value.values()))
    return []


def _is_free(func: torch._ops.OpOverload) -> bool:
    """Whether the result is another look at the same memory."""
    if func._overloadpacket.__name__ in aten.FREE:
        return True
    alias = func._schema.returns[0].alias_info if func._schema.returns else None
    return alias is not None and not alias.is_write


def _bits(activation: torch.Tensor, weight: torch.Tensor) -> dict[str, int]:
    return {"activation_bits": 8 * activation.element_size(), "weight_bits": 8 * weight.element_size()}


def parameter_count(model: nn.Module) -> int:
    """Parameters of a network, shared ones once."""
    return sum(math.prod(parameter.shape) for parameter in model.parameters())
