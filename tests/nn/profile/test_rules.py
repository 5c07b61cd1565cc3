"""The four rules: where they are broken, twins at the same cost, and the arithmetic of a verdict."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from trabecula.nn.profile import (
    Break,
    Energy,
    HostMachine,
    Latency,
    Layer,
    Nest,
    Profile,
    Thresholds,
    find_breaks,
    layers_of,
    lint,
    onnx_call,
    rules,
    torch_call,
    twins,
)
from trabecula.nn.profile.report import Cost
from trabecula.nn.profile.twins import TwinPlan

IMAGE = torch.zeros(1, 16, 8, 8)


class Branches(nn.Module):
    """Convolutions of several sizes on one tensor, joined."""

    def __init__(self, *kernels: int, add: bool = False, shortcut: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(16, 16, 1)
        self.parts = nn.ModuleList(nn.Conv2d(16, 16, kernel, padding=kernel // 2) for kernel in kernels)
        self.add, self.shortcut = add, shortcut

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        image = self.first(image)
        ends = [part(image).relu() for part in self.parts] + [image] * self.shortcut
        if self.add:
            return ends[0] + ends[1]
        return torch.cat(ends, 1)


def breaks(net: nn.Module, thresholds: Thresholds | None = None) -> dict[str, list[Break]]:
    found: dict[str, list[Break]] = {"G1": [], "G2": [], "G3": [], "G4": []}
    for each in find_breaks(layers_of(net, [IMAGE]), thresholds):
        found[each.rule].append(each)
    return found


def test_g1_sees_unbalanced_pointwise_convolutions_only() -> None:
    net = nn.Sequential(
        nn.Conv2d(16, 64, 1), nn.Conv2d(64, 16, 1), nn.Conv2d(16, 32, 1), nn.Conv2d(32, 128, 3)
    )
    assert [each.layers for each in breaks(net)["G1"]] == [("0",), ("1",)]
    assert len(breaks(net, Thresholds(balance=1.5))["G1"]) == 3


def test_breaks_of_one_shape_are_one() -> None:
    net = nn.Sequential(*(nn.Conv2d(a, b, 1) for a, b in pairwise([16, 64, 16, 64, 16])))
    assert [(each.times, each.layers) for each in breaks(net)["G1"]] == [(2, ("0", "2")), (2, ("1", "3"))]


def test_g2_sees_groups_and_leaves_depthwise_to_g4() -> None:
    net = nn.Sequential(nn.Conv2d(16, 16, 3, groups=4), nn.Conv2d(16, 16, 3, groups=16))
    found = breaks(net)
    assert [each.layers for each in found["G2"]] == [("0",)]
    assert [each.layers for each in found["G4"]] == [("1",)]
    assert "4 groups" in found["G2"][0].what and "depthwise" in found["G4"][0].what
    assert not breaks(net, Thresholds(groups=8))["G2"]


def test_g3_sees_branches_that_leave_one_tensor_and_meet_again() -> None:
    (found,) = breaks(Branches(1, 3, 5))["G3"]
    assert found.layers == ("parts.0", "parts.1", "parts.2")
    assert found.plan is not None and len(found.plan.branches) == 3 and found.plan.join == "concat"
    assert breaks(Branches(3, 5, add=True))["G3"][0].plan.join == "add"  # type: ignore[union-attr]


def test_g3_leaves_shortcuts_alone() -> None:
    assert not breaks(Branches(3, shortcut=True))["G3"]
    assert not breaks(Branches(1, 3, add=True))["G3"]  # a projection shortcut
    assert not breaks(Branches(1, 3), Thresholds(branches=3))["G3"]


def test_g3_needs_a_common_fork() -> None:
    class Apart(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 4, 1)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return torch.cat([self.one(image + 1), self.two(torch.zeros_like(image))], 1)

    assert not breaks(Apart())["G3"]


def test_g4_sees_every_kind_of_element_wise_work() -> None:
    net = nn.Sequential(nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU())
    assert [(each.what, each.times) for each in breaks(net)["G4"]] == [("batch_norm", 1), ("relu", 2)]


def test_a_plain_stack_breaks_nothing() -> None:
    net = nn.Sequential(nn.Conv2d(16, 32, 3), nn.Conv2d(32, 32, 1), nn.MaxPool2d(2), nn.Flatten())
    assert find_breaks(layers_of(net, [IMAGE])) == []


@settings(max_examples=50, deadline=None)
@given(st.integers(4, 256), st.integers(4, 256), st.integers(2, 56))
def test_a_balanced_twin_moves_least_at_equal_work(inputs: int, outputs: int, size: int) -> None:
    """G1: memory access >= 2 sqrt(h w B) + B / (h w), with equality for equal channels."""
    nest = Nest(1, 1, inputs, outputs, (size, size), (1, 1), (1, 1))
    area, macs = size**2, nest.macs
    moved = area * (inputs + outputs) + inputs * outputs
    assert moved >= 2 * (area * macs) ** 0.5 + macs / area - 1e-6
    twin = twins.balanced_twin(nest)
    assert twin.inputs == twin.outputs
    assert twin.macs == pytest.approx(macs, rel=0.3)


@pytest.mark.parametrize("groups", [2, 4, 8])
def test_an_ungrouped_twin_moves_less_at_equal_work(groups: int) -> None:
    """G2: at fixed multiply-accumulates memory access grows with the number of groups."""
    nest = Nest(1, groups, 128 // groups, 128 // groups, (28, 28), (1, 1), (1, 1))
    twin = twins.ungrouped_twin(nest)
    assert twin.groups == 1
    assert twin.macs == pytest.approx(nest.macs, rel=0.05)
    assert twin.inputs + twin.outputs < groups * (nest.inputs + nest.outputs)


def test_a_merged_twin_is_one_branch_of_the_same_work() -> None:
    one = Nest(1, 1, 16, 16, (8, 8), (3, 3), (1, 1))
    depthwise = Nest(1, 16, 1, 1, (8, 8), (3, 3), (1, 1))
    plan = TwinPlan(((one,), (depthwise, Nest(1, 1, 16, 16, (8, 8), (1, 1), (1, 1))), (one,)), "concat")
    twin = twins.merged_twin(plan)
    assert len(twin.branches) == 1 and not twin.join
    assert twin.macs == pytest.approx(plan.macs, rel=0.1)
    wide = twins.merged_twin(TwinPlan(((depthwise,), (depthwise,))))
    assert wide.branches[0][0].depthwise and wide.macs == 2 * depthwise.macs


@pytest.mark.parametrize("maker", [torch_call, onnx_call])
@pytest.mark.parametrize("join", ["", "concat", "add"])
def test_plans_run_with_the_outputs_they_describe(maker: twins.Maker, join: str) -> None:
    three = Nest(2, 1, 6, 4, (5, 5), (3, 3), (2, 2))
    grouped = Nest(2, 2, 3, 2, (5, 5), (1, 1), (1, 1))
    ends = maker(TwinPlan(((three,), (grouped,)), join), 1)()
    shapes = [tuple(end.shape) for end in (ends if isinstance(ends, list) else [ends])]  # type: ignore[attr-defined]
    expected = {"": [(2, 4, 5, 5)] * 2, "concat": [(2, 8, 5, 5)], "add": [(2, 4, 5, 5)]}
    assert shapes == expected[join]


def test_plans_run_in_one_and_three_dimensions() -> None:
    for dimensions in (1, 3):
        nest = Nest(1, 1, 2, 3, (4,) * dimensions, (3,) * dimensions, (1,) * dimensions)
        (out,) = torch_call(twins.single(nest), 1)()  # type: ignore[misc]
        assert out.shape == (1, 3, *(4,) * dimensions)


def profile_of(net: nn.Module, seconds: float) -> Profile:
    machine = HostMachine(1.0, 1.0)
    costs = tuple(
        Cost(layer, Latency.of([seconds]), Energy(), 0.0, "memory") for layer in layers_of(net, [IMAGE])
    )
    return Profile("net", costs, Latency.of([seconds]), 0.0, machine, 1, 0)


def test_a_verdict_compares_equal_work_and_counts_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Sequential(nn.Conv2d(16, 64, 1), nn.Conv2d(64, 16, 1), nn.Conv2d(16, 64, 1), nn.ReLU())
    times = {"as is": Latency.of([6.0]), "kept": Latency.of([2.0])}

    def timed(calls: dict[str, Callable[[], object]], runs: int, warmup: int) -> dict[str, Latency]:
        for call in calls.values():
            call()
        return times

    monkeypatch.setattr(rules, "measure_together", timed)
    wide, narrow, relu = lint(profile_of(net, 0.5), runs=2)
    assert (wide.broken.rule, wide.broken.times) == ("G1", 2)
    assert wide.ratio == pytest.approx(3.0)
    assert wide.seconds == pytest.approx(2 * 4.0)
    assert narrow.seconds == pytest.approx(4.0)
    assert relu.broken.what == "relu"
    assert (relu.ratio, relu.seconds) == (pytest.approx(2.0 / 1.5), 0.5)
    assert wide.to_json()["as_is"] == 6.0 and relu.to_json()["as_is"] is None


def test_nothing_but_element_wise_work_costs_everything() -> None:
    (verdict,) = lint(profile_of(nn.ReLU(), 0.5))
    assert verdict.ratio == float("inf")


def test_branches_of_different_sizes_are_timed_without_their_join() -> None:
    small = Nest(1, 1, 2, 2, (2, 2), (1, 1), (1, 1))
    large = Nest(1, 1, 2, 2, (4, 4), (1, 1), (1, 1))
    other = Nest(1, 1, 2, 3, (4, 4), (1, 1), (1, 1))
    assert rules._joinable(((small,), (large,)), "concat") == ""
    assert rules._joinable(((large,), (other,)), "add") == ""
    assert rules._joinable(((large,), (other,)), "concat") == "concat"


def test_a_layer_that_reads_nothing_ends_a_path() -> None:
    made = Layer("made", "relu", (), ((1,),), (), ("t",))
    assert rules._path("t", {"t": made}, {"t": 1}) == {}
