"""A network's costs, layer by layer and in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from trabecula.nn.blocks import in_use
from trabecula.nn.profile import onnx_time, onnx_walk, torch_walk
from trabecula.nn.profile.energy import Energy, EnergyModel
from trabecula.nn.profile.latency import Latency, measure, torch_threads
from trabecula.nn.profile.layer import Layer, Shape
from trabecula.nn.profile.machine import HostMachine, measure_machine


@dataclass(frozen=True)
class Cost:
    """A layer and what it costs.

    Parameters
    ----------
    layer
        Shapes and counts.
    latency
        Measured seconds; all zero for a layer the runtime fused into another.
    energy
        Estimated picojoules.
    bound
        The least seconds the roofline allows.
    limit
        What sets that bound: `compute` or `memory`.
    """

    layer: Layer
    latency: Latency
    energy: Energy
    bound: float
    limit: str

    def to_json(self) -> dict[str, object]:
        """Plain values, for a file."""
        layer = self.layer
        return {
            "name": layer.name,
            "kind": layer.kind,
            "inputs": [list(shape) for shape in layer.inputs],
            "outputs": [list(shape) for shape in layer.outputs],
            "parameters": layer.parameters,
            "macs": layer.macs,
            "operations": layer.operations,
            "bytes": layer.bytes,
            "weight_bytes": layer.weight_bytes,
            "intensity": layer.intensity,
            "latency": asdict(self.latency),
            "energy": {**asdict(self.energy), "total": self.energy.total},
            "roofline": {"seconds": self.bound, "limit": self.limit},
        }


@dataclass(frozen=True)
class Profile:
    """What a network costs on this machine.

    Parameters
    ----------
    name
        Of the network.
    costs
        Layer by layer, in the order they run.
    latency
        Seconds of the whole network, measured without watching its layers.
    other
        Seconds a runtime spends between layers, where it says so (median).
    machine
        The roofs.
    threads
        Threads it ran with.
    parameters
        Of the whole network, also those that did not run.
    """

    name: str
    costs: tuple[Cost, ...]
    latency: Latency
    other: float
    machine: HostMachine
    threads: int
    parameters: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers alone."""
        return tuple(cost.layer for cost in self.costs)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return sum(layer.macs for layer in self.layers)

    @property
    def bytes(self) -> int:
        """Bytes moved, every layer's weights, inputs and outputs once."""
        return sum(layer.bytes for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights that were read."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def energy(self) -> Energy:
        """Estimated picojoules."""
        return sum((cost.energy for cost in self.costs), Energy())

    @property
    def bound(self) -> float:
        """The least seconds the roofline allows, layer after layer."""
        return sum(cost.bound for cost in self.costs)

    @property
    def intensity(self) -> float:
        """Floating-point operations a byte moved."""
        return sum(layer.flops for layer in self.layers) / max(self.bytes, 1)

    def to_json(self) -> dict[str, object]:
        """Plain values, for a file."""
        return {
            "name": self.name,
            "threads": self.threads,
            "parameters": self.parameters,
            "macs": self.macs,
            "bytes": self.bytes,
            "weight_bytes": self.weight_bytes,
            "intensity": self.intensity,
            "latency": asdict(self.latency),
            "other_seconds": self.other,
            "energy": {**asdict(self.energy), "total": self.energy.total},
            "roofline": {"seconds": self.bound, **asdict(self.machine)},
            "layers": [cost.to_json() for cost in self.costs],
        }


def profile(
    network: nn.Module | str | Path,
    *inputs: torch.Tensor | Shape,
    threads: int = 1,
    runs: int = 30,
    warmup: int = 5,
    energy: EnergyModel | None = None,
    machine: HostMachine | None = None,
) -> Profile:
    """Count, estimate and measure a network.

    Parameters
    ----------
    network
        A `torch.nn.Module`, or the path of an ONNX file. Layers that learn their connections count in the
        form they have in use (`trabecula.nn.blocks.in_use`).
    inputs
        Tensors, or shapes to be filled with normal numbers. An ONNX model that fixes its shapes needs none.
    threads
        Threads inside an operation, held fixed.
    runs, warmup
        Timed runs, and runs before them.
    energy
        Costs of arithmetic and memory; by default an Eyeriss-like accelerator at the network's precision.
    machine
        The roofs; measured where not given.

    Returns
    -------
    Profile
        Per layer and in all.

    Raises
    ------
    ValueError
        Where the network cannot be read or run at these shapes: one message.
    """
    if runs < 1 or warmup < 0 or threads < 1:
        raise ValueError("at least one thread and one timed run, and no negative warm-up")
    energy, machine = energy or EnergyModel(), machine or measure_machine(threads)
    if isinstance(network, nn.Module):
        return _of_module(in_use(network), inputs, threads, runs, warmup, energy, machine)
    shapes = [tuple(each.shape) if isinstance(each, torch.Tensor) else each for each in inputs]
    return _of_file(Path(network), shapes, threads, runs, warmup, energy, machine)


def _of_module(
    model: nn.Module,
    inputs: Sequence[torch.Tensor | Shape],
    threads: int,
    runs: int,
    warmup: int,
    energy: EnergyModel,
    machine: HostMachine,
) -> Profile:
    if not inputs:
        raise ValueError("a torch network needs the shape of its input")
    given = [_tensor(model, each) for each in inputs]
    with torch_threads(threads):
        try:
            layers, seconds = torch_walk.timed_layers(model, given, runs, warmup)
        except (RuntimeError, TypeError, IndexError, AttributeError) as error:
            shapes = ", ".join("x".join(map(str, each.shape)) for each in given)
            raise ValueError(
                f"the network does not run on {shapes}: {' '.join(str(error).split())}"
            ) from error
        with torch_walk.evaluation_mode(model):
            whole = measure(lambda: model(*given), runs, warmup)
    costs = _costs(layers, seconds, energy, machine)
    count = torch_walk.parameter_count(model)
    return Profile(type(model).__name__, costs, whole, 0.0, machine, threads, count)


def _tensor(model: nn.Module, given: torch.Tensor | Shape) -> torch.Tensor:
    if isinstance(given, torch.Tensor):
        return given
    first = next(model.parameters(), torch.zeros(()))
    generator = torch.Generator().manual_seed(0)
    return torch.randn(given, generator=generator).to(first.dtype)


def _of_file(
    path: Path,
    shapes: Sequence[Shape],
    threads: int,
    runs: int,
    warmup: int,
    energy: EnergyModel,
    machine: HostMachine,
) -> Profile:
    model = onnx_walk.with_shapes(onnx_walk.read_model(path), shapes)
    layers = onnx_walk.layers_of(model)
    times = onnx_time.time_model(model, layers, threads, runs, warmup)
    costs = _costs(layers, times.layers, energy, machine)
    count = sum(layer.parameters for layer in layers)
    return Profile(path.stem, costs, times.whole, Latency.of(times.other).median, machine, threads, count)


def _costs(
    layers: Sequence[Layer], seconds: Sequence[Sequence[float]], energy: EnergyModel, machine: HostMachine
) -> tuple[Cost, ...]:
    return tuple(
        Cost(layer, Latency.of(each), energy.of(layer), machine.seconds(layer), machine.bound(layer))
        for layer, each in zip(layers, seconds, strict=True)
    )
