"""What a network costs: counts, bytes, measured time, estimated energy; the four rules of ShuffleNet v2."""

from trabecula.nn.profile.energy import (
    Arithmetic,
    Energy,
    EnergyModel,
    Hierarchy,
    Memories,
)
from trabecula.nn.profile.latency import (
    Latency,
    measure,
    measure_together,
    torch_threads,
)
from trabecula.nn.profile.layer import Layer, Nest
from trabecula.nn.profile.machine import HostMachine, measure_machine
from trabecula.nn.profile.report import Cost, Profile, profile
from trabecula.nn.profile.rules import (
    Break,
    BreakCost,
    Thresholds,
    find_breaks,
    lint,
)
from trabecula.nn.profile.tiling import Traffic, traffic
from trabecula.nn.profile.torch_walk import layers_of, parameter_count
from trabecula.nn.profile.twins import onnx_call, torch_call

__all__ = [
    "Arithmetic",
    "Break",
    "BreakCost",
    "Cost",
    "Energy",
    "EnergyModel",
    "Hierarchy",
    "HostMachine",
    "Latency",
    "Layer",
    "Memories",
    "Nest",
    "Profile",
    "Thresholds",
    "Traffic",
    "find_breaks",
    "layers_of",
    "lint",
    "measure",
    "measure_machine",
    "measure_together",
    "onnx_call",
    "parameter_count",
    "profile",
    "torch_call",
    "torch_threads",
    "traffic",
]
