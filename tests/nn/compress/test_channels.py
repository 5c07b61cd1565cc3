"""Structured pruning: channels are gone everywhere, and the network is what remains of the one it was."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from trabecula.nn.compress import channels, prune_channels
from trabecula.nn.profile import layers_of, parameter_count

CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
NORMS = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class UNet(nn.Module):
    """Two levels, a residual block at the bottom, a skip connection, in two or three dimensions."""

    def __init__(self, dimensions: int = 2, groups: int = 1, width: int = 8) -> None:
        super().__init__()
        convolution, norm = CONVOLUTIONS[dimensions], NORMS[dimensions]
        self.down1 = nn.Sequential(convolution(3, width, 3, padding=1), norm(width), nn.ReLU())
        self.down2 = nn.Sequential(
            convolution(width, 2 * width, 3, stride=2, padding=1), nn.GroupNorm(2, 2 * width), nn.ReLU()
        )
        self.block = nn.Sequential(
            convolution(2 * width, 2 * width, 3, padding=1, groups=groups),
            nn.ReLU(),
            convolution(2 * width, 2 * width, 1),
        )
        self.up = convolution(3 * width, width, 3, padding=1)
        self.out = convolution(width, 1, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        top = self.down1(image)
        low = self.down2(top)
        low = low + self.block(low)
        wide = F.interpolate(low, size=top.shape[2:])
        return self.out(self.up(torch.cat([top, wide], 1)).relu()).sigmoid()


def image(dimensions: int = 2) -> torch.Tensor:
    return torch.randn(2, 3, *(8,) * dimensions, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("groups", [1, 16])
def test_a_u_net_becomes_thinner_and_keeps_what_it_takes_and_returns(dimensions: int, groups: int) -> None:
    net = UNet(dimensions, groups)
    small = prune_channels(net, image(dimensions), 0.5)
    assert small(image(dimensions)).shape == net(image(dimensions)).shape
    assert small.down1[0].weight.shape[:2] == (4, 3)
    assert small.up.weight.shape[:2] == (4, 12)
    assert small.out.weight.shape[:2] == (1, 4)
    assert parameter_count(small) < 0.35 * parameter_count(net)
    assert net.up.weight.shape[0] == 8 and isinstance(small, UNet)


def test_channels_that_do_nothing_go_without_a_trace() -> None:
    """Half the channels of every layer silenced: the pruned network computes exactly the same."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.ReLU()
    )
    net.append(nn.Conv2d(8, 2, 1))
    silent = torch.tensor([0, 2, 3, 6])
    with torch.no_grad():
        for place in (0, 2, 4):
            net[place].weight[silent] = 0
            net[place].bias[silent] = 0
        for place in (4, 6):
            net[place].weight[:, silent] = 0
    small = prune_channels(net, image(), 0.5)
    assert [layer.outputs[0][1] for layer in layers_of(small, [image()]) if layer.heavy] == [4, 4, 4, 2]
    torch.testing.assert_close(small(image()), net(image()))


def test_both_sides_of_a_sum_lose_the_same_channels() -> None:
    """The weights kept are the original's, at the same places of every layer that shares them."""

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.first, self.second, self.last = (nn.Conv2d(a, b, 1) for a, b in ((3, 6), (6, 6), (6, 2)))

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            first = self.first(value)
            return self.last(first + self.second(first))

    net = Sum()
    small = prune_channels(net, image(), 0.5)
    rows = [next(i for i in range(6) if torch.equal(net.first.weight[i], row)) for row in small.first.weight]
    assert len(rows) == 3
    torch.testing.assert_close(small.second.weight, net.second.weight[rows][:, rows])
    torch.testing.assert_close(small.last.weight, net.last.weight[:, rows])


def test_a_global_ranking_takes_more_from_the_layers_that_do_less() -> None:
    net = nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 1), nn.Conv2d(16, 2, 1))
    with torch.no_grad():
        net[0].weight *= 100
        net[1].weight[:, :] *= torch.linspace(0.01, 1, 16)[:, None, None, None]
    small = prune_channels(net, image(), 0.4, scope="global", norm=2)
    even = prune_channels(net, image(), 0.5)
    assert small[0].out_channels != small[1].out_channels
    assert even[0].out_channels == even[1].out_channels == 8


def test_channels_stay_a_multiple() -> None:
    net = nn.Sequential(nn.Conv2d(3, 32, 1), nn.Conv2d(32, 2, 1))
    assert prune_channels(net, image(), 0.4, multiple=8)[0].out_channels % 8 == 0


def test_steps_shrink_evenly_and_fine_tune_between() -> None:
    seen: list[int] = []
    net = nn.Sequential(nn.Conv2d(3, 32, 1), nn.Conv2d(32, 2, 1))

    def look(model: nn.Module) -> None:
        assert torch.is_grad_enabled()
        seen.append(model.get_submodule("0").out_channels)  # type: ignore[arg-type]

    prune_channels(net, image(), 0.5, steps=2, fine_tune=look)
    assert seen == [24, 16]


def test_layers_named_keep_their_outputs() -> None:
    small = prune_channels(UNet(), image(), 0.5, keep=["up", "block"])
    assert small.up.out_channels == 8
    assert small.block[2].out_channels == 16 and small.down1[0].out_channels == 4


def test_several_inputs() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right, self.out = nn.Linear(3, 8), nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            return self.out(self.left(left) + self.right(right))

    small = prune_channels(Two(), [torch.ones(1, 3), torch.ones(1, 4)], 0.25)
    assert small.left.out_features == small.right.out_features == small.out.in_features == 6


@pytest.mark.parametrize(
    ("ratio", "steps", "keep", "message"),
    [(1.0, 1, (), "below 1"), (0.5, 0, (), "one step"), (0.5, 1, ("here",), "no layer is named here")],
)
def test_senseless_wishes_are_refused(ratio: float, steps: int, keep: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prune_channels(UNet(), image(), ratio, steps=steps, keep=keep)


def test_what_cannot_be_pruned_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shuffled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 2, 1)

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            value = self.first(value)
            return self.last(value.reshape(len(value), 6, 8, 8))  # a size that is written down

    with pytest.raises(ValueError, match=r"cannot be removed|no longer runs"):
        prune_channels(Shuffled(), image(), 0.5)
    monkeypatch.setattr(channels.torch_walk, "last_layers", lambda net, inputs: [])
    with pytest.raises(ValueError, match="would lose channels"):
        prune_channels(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)), image(), 0.5)
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(ValueError, match=r"trabecula\[learn\]"):
        prune_channels(UNet(), image(), 0.5)
