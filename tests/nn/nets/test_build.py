"""Networks are found by name, have named parts, and run."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trabecula.nn import blocks, nets

SMALL = {
    "squeezenet1_0": 32,
    "squeezenet1_1": 32,
    "mobilenet_v1": 32,
    "mobilenet_v2": 32,
    "mobilenet_v3_large": 32,
    "mobilenet_v3_small": 32,
    "shufflenet_v1_x1_0": 32,
    "shufflenet_v2_x0_5": 32,
    "shufflenet_v2_x1_0": 32,
    "condensenet": 32,
    "shiftnet": 32,
    "mnasnet_a1": 32,
    "efficientnet_b0": 32,
}


FAMILIES = [
    "alexnet",
    "squeezenet1_1",
    "mobilenet_v1",
    "mobilenet_v3_small",
    "shufflenet_v1_x1_0",
    "shufflenet_v2_x0_5",
    "se_resnet50",
    "condensenet",
    "shiftnet",
    "mnasnet_a1",
]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_answer_and_learn(name: str) -> None:
    net = nets.build(name, classes=7, inputs=1)
    y = net(torch.randn(2, 1, SMALL[name], SMALL[name]))
    assert y.shape == (2, 7) and bool(y.isfinite().all())
    nn.functional.cross_entropy(y, torch.tensor([1, 3])).backward()
    assert all(one.grad is not None and bool(one.grad.isfinite().all()) for one in net.parameters())


@pytest.mark.parametrize("name", FAMILIES)
def test_networks_exist_for_sequences_and_volumes(name: str) -> None:
    for dimension in (1, 3):
        size = 64
        with torch.device("meta"):
            net = nets.build(name, classes=5, inputs=2, dimension=dimension)
            x = torch.zeros(1, 2, *(size,) * dimension)
        assert net.eval()(x).shape == (1, 5)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="'efficientnet_bo'; the nearest is 'efficientnet_b0'"):
        nets.build("efficientnet_bo")
    with pytest.raises(ValueError, match="the nearest is 'resnet50'"):
        nets.entry("resnet_50")


def test_names_are_sorted_and_hold_the_promised_ones() -> None:
    assert nets.names() == sorted(nets.names())
    promised = {
        "alexnet",
        "se_resnet50",
        "resnext50_32x4d",
        "shufflenet_v2_x1_0",
        "mnasnet_a1",
        "condensenet",
    }
    assert promised | {f"efficientnet_b{n}" for n in range(8)} <= set(nets.names())


def test_parts_are_named_and_halve_the_size() -> None:
    net = nets.build("resnet50", classes=10)
    names = [name for name, _ in net.named_children()]
    assert names == ["stem", "stage1", "stage2", "stage3", "stage4", "head"]
    with torch.device("meta"):
        parts = list(nets.build("resnet50"))
        x = torch.zeros(1, 3, 64, 64)
    sizes = []
    for part in parts[:-1]:
        x = part(x)
        sizes.append((x.shape[1], x.shape[2]))
    assert sizes == [(64, 16), (256, 16), (512, 8), (1024, 4), (2048, 2)]


def test_the_version_3_stages_begin_where_the_size_halves() -> None:
    with torch.device("meta"):
        net = nets.build("mobilenet_v3_large")
        x = torch.zeros(1, 3, 64, 64)
    sizes = []
    for name, part in net.named_children():
        x = part(x)
        if name.startswith("stage"):
            sizes.append((x.shape[1], x.shape[2]))
    assert sizes == [(16, 32), (24, 16), (40, 8), (112, 4), (160, 2)]


def test_efficientnets_are_published_for_growing_sizes() -> None:
    assert [nets.entry(f"efficientnet_b{n}").size for n in range(8)] == [
        224, 240, 260, 300, 380, 456, 528, 600,
    ]  # fmt: skip


def test_our_own_size_of_efficientnet_lies_between_its_neighbours() -> None:
    def size(scale: blocks.Scale) -> int:
        with torch.device("meta"):
            net = nets.mbnet(nets.efficientnet_table(scale), 1000, 3, 2)
        return sum(one.numel() for one in net.parameters())

    steps = [size(blocks.Compound().at(phi)) for phi in (-1, 0, 0.5)]
    assert steps == sorted(steps)
    assert steps[1] == 5_288_548


def test_dropped_branches_grow_linearly_with_depth() -> None:
    with torch.device("meta"):
        net = nets.build("efficientnet_b0")
    drops = [one.drop for one in net.modules() if isinstance(one, blocks.StochasticDepth)]
    assert drops == sorted(drops) and 0 < drops[0] < drops[-1] < 0.2


def test_condensenet_condenses_while_it_trains_and_then_answers_the_same() -> None:
    net = nets.build("condensenet", classes=10)
    x = torch.randn(2, 3, 32, 32)
    net(x)
    for progress in (0.1, 0.3, 0.5):
        blocks.advance(net, progress)
    net.eval()
    quick = blocks.deploy(net)
    torch.testing.assert_close(quick(x), net(x), rtol=1e-4, atol=1e-5)
    before = sum(one.numel() for one in net.parameters())
    assert sum(one.numel() for one in quick.parameters()) < 0.3 * before
