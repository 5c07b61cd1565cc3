"""Channel shuffle and the units of ShuffleNet."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from trabecula.nn import blocks


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("space", [(4,), (4, 3), (2, 3, 4)])
@pytest.mark.parametrize("groups", [2, 3, 4])
def test_shuffle_is_the_transposed_table_of_the_paper(groups: int, space: tuple[int, ...]) -> None:
    x = torch.randn(2, 12, *space)
    order = np.arange(12).reshape(groups, 12 // groups).T.reshape(-1)
    torch.testing.assert_close(blocks.channel_shuffle(x, groups), x[:, order])


def test_shuffling_by_the_group_size_takes_the_shuffle_back() -> None:
    x = torch.randn(2, 12, 3, 3)
    torch.testing.assert_close(blocks.channel_shuffle(blocks.channel_shuffle(x, 3), 4), x)
    assert "groups=3" in repr(blocks.ChannelShuffle(3))


def test_channels_that_cannot_be_shuffled_are_refused() -> None:
    with pytest.raises(ValueError, match="10 channels cannot be shuffled in 3 groups"):
        blocks.channel_shuffle(torch.zeros(1, 10, 2, 2), 3)


def seen(net: nn.Module, channels: int) -> torch.Tensor:
    """Which input channels the first output channel depends on."""
    x = torch.randn(1, channels, 3, 3, requires_grad=True)
    net.eval()(x)[0, 0].sum().backward()
    assert x.grad is not None
    return x.grad.abs().sum((0, 2, 3)) > 0


def test_two_grouped_convolutions_hear_of_all_channels_only_through_the_shuffle() -> None:
    def pair(shuffled: bool) -> nn.Sequential:
        parts = [blocks.ConvNormAct(12, 12, groups=3, activation=nn.Softplus) for _ in range(2)]
        return nn.Sequential(parts[0], blocks.ChannelShuffle(3 if shuffled else 1), parts[1])

    assert int(seen(pair(False), 12).sum()) == 4
    assert int(seen(pair(True), 12).sum()) == 12


def test_grouped_pointwise_has_a_groupth_of_the_weights() -> None:
    block = blocks.GroupedPointwise(12, 24, 4)
    assert block.conv.conv.weight.numel() == 12 * 24 / 4
    assert block(torch.randn(2, 12, 3, 3)).shape == (2, 24, 3, 3)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_units_of_version_1_add_at_stride_1_and_append_the_average_at_stride_2(dimension: int) -> None:
    x = torch.rand(2, 24, *(6,) * dimension)
    same = blocks.ShuffleUnitV1(24, 24, groups=3, dimension=dimension).eval()
    nn.init.zeros_(same.branch[-1].norm.weight)
    torch.testing.assert_close(same(x), x)
    down = blocks.ShuffleUnitV1(24, 48, groups=3, stride=2, dimension=dimension).eval()
    y = down(x)
    assert y.shape == (2, 48, *(3,) * dimension)
    pooled = blocks.average_pool(dimension, 3, 2, padding=1)(x)
    torch.testing.assert_close(y[:, :24], pooled)


def test_the_first_unit_of_a_network_has_no_groups_in_its_first_convolution() -> None:
    first = blocks.ShuffleUnitV1(24, 240, stride=2, first=True)
    assert (first.branch[0].conv.groups, first.branch[-1].conv.groups) == (1, 3)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_units_of_version_2_pass_half_of_the_channels_on_untouched(dimension: int) -> None:
    x = torch.randn(2, 8, *(6,) * dimension)
    y = blocks.ShuffleUnitV2(8, 8, dimension=dimension).eval()(x)
    torch.testing.assert_close(y[:, 0::2], x[:, :4])
    down = blocks.ShuffleUnitV2(8, 20, stride=2, dimension=dimension)
    assert down(x).shape == (2, 20, *(3,) * dimension)


def test_units_of_version_2_have_balanced_ungrouped_pointwise_convolutions() -> None:
    unit = blocks.ShuffleUnitV2(16, 16)
    pointwise = [one for one in unit.modules() if isinstance(one, nn.Conv2d) and one.kernel_size == (1, 1)]
    assert all(one.in_channels == one.out_channels == 8 and one.groups == 1 for one in pointwise)


@pytest.mark.parametrize(
    ("unit", "inputs", "outputs", "stride"),
    [
        (blocks.ShuffleUnitV1, 12, 24, 1),
        (blocks.ShuffleUnitV1, 24, 24, 2),
        (blocks.ShuffleUnitV2, 12, 24, 1),
        (blocks.ShuffleUnitV2, 12, 25, 2),
    ],
)
def test_widths_that_do_not_fit_the_stride_are_refused(
    unit: type[nn.Module], inputs: int, outputs: int, stride: int
) -> None:
    with pytest.raises(ValueError, match="do not fit a unit of stride"):
        unit(inputs, outputs, stride=stride)
