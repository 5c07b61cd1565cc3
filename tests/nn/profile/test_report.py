"""A profile as a whole, of a torch network and of a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.nn.profile.models import save, small
from trabecula.nn.profile import (
    EnergyModel,
    HostMachine,
    Profile,
    profile,
)

MACHINE = HostMachine(1e9, 1e9)


def of_net(net: nn.Module, *inputs: torch.Tensor | tuple[int, ...]) -> Profile:
    return profile(net, *inputs, runs=2, warmup=0, machine=MACHINE)


def test_the_whole_is_the_sum_of_its_layers() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    found = of_net(net, (1, 3, 8, 8))
    assert found.name == "Sequential" and found.threads == 1
    assert [layer.kind for layer in found.layers] == ["convolution", "relu", "linear"]
    assert found.macs == 4 * 27 * 36 + 2 * 144
    assert found.parameters == 4 * 27 + 4 + 2 * 144 + 2
    assert found.bytes == sum(layer.bytes for layer in found.layers)
    assert found.weight_bytes == 4 * found.parameters
    assert found.energy.total == pytest.approx(sum(cost.energy.total for cost in found.costs))
    assert found.bound == pytest.approx(sum(MACHINE.seconds(layer) for layer in found.layers))
    assert found.intensity == pytest.approx((2 * found.macs + 144) / found.bytes)
    assert found.latency.runs == 2 and found.latency.median > 0


def test_a_profile_is_plain_json() -> None:
    found = of_net(nn.Linear(3, 2), torch.ones(1, 3))
    again = json.loads(json.dumps(found.to_json()))
    assert again["macs"] == 6 and again["roofline"]["peak"] == 1e9
    (layer,) = again["layers"]
    assert layer["name"] == "linear" and layer["latency"]["runs"] == 2
    assert layer["energy"]["total"] == pytest.approx(again["energy"]["total"])


def test_a_file_and_its_network_cost_the_same(tmp_path: Path) -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 5),
    )
    path = save(small(), tmp_path)
    file, module = (
        profile(path, runs=2, warmup=0, machine=MACHINE),
        of_net(net, (1, 3, 8, 8)),
    )
    assert file.name == "small"
    assert (file.macs, file.parameters) == (module.macs, module.parameters)
    assert profile(path, torch.ones(2, 3, 8, 8), runs=1, machine=MACHINE).macs == 2 * file.macs


def test_energy_is_counted_as_asked() -> None:
    net = nn.Linear(100, 100)
    dear = profile(net, (1, 100), runs=1, warmup=0, machine=MACHINE)
    cheap = profile(net, (1, 100), runs=1, warmup=0, machine=MACHINE, energy=EnergyModel(batch=64))
    assert cheap.energy.total < 0.2 * dear.energy.total


def test_the_roofs_are_measured_where_none_are_given() -> None:
    assert profile(nn.Linear(2, 2), (1, 2), runs=1, warmup=0).machine.measured


@pytest.mark.parametrize(
    ("inputs", "message"),
    [((), "needs the shape"), (((1, 4, 8, 8),), "does not run on 1x4x8x8"), (((1,), (2,)), "does not run")],
)
def test_shapes_that_do_not_fit_are_one_message(inputs: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        of_net(nn.Conv2d(3, 4, 3), *inputs)


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        profile(nn.Linear(2, 2), (1, 2), runs=0)
