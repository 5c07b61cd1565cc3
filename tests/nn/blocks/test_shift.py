"""Shifts are one-hot depthwise convolutions that multiply nothing."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from trabecula.nn import blocks
from trabecula.nn.blocks.shift import displace, grouped_displacements

DEPTHWISE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def one_hot_convolution(x: Tensor, displacements: list[list[int]], reach: int) -> Tensor:
    """The explicit depthwise convolution whose filters are one where the displacement points."""
    channels, dimension = len(displacements), len(displacements[0])
    filters = torch.zeros(channels, 1, *(2 * reach + 1,) * dimension)
    for channel, row in enumerate(displacements):
        filters[(channel, 0, *(reach + step for step in row))] = 1.0
    return DEPTHWISE[dimension](x, filters, padding=reach, groups=channels)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (3, 2), (5, 1)])
def test_shift_equals_the_one_hot_depthwise_convolution(dimension: int, kernel: int, dilation: int) -> None:
    channels = kernel**dimension * 2 + 3
    layer = blocks.Shift(channels, kernel, dilation=dilation, dimension=dimension)
    x = torch.randn(1, channels, *(6,) * dimension)
    rows = [
        list(row) for row in grouped_displacements(channels, kernel, dilation=dilation, dimension=dimension)
    ]
    assert torch.equal(layer(x), one_hot_convolution(x, rows, dilation * (kernel // 2)))


def test_every_direction_has_equally_many_channels_and_the_rest_stays() -> None:
    rows = grouped_displacements(22, 3)
    assert {row: rows.count(row) for row in set(rows)} == {
        row: 2 + 4 * (row == (0, 0)) for row in product((-1, 0, 1), repeat=2)
    }


def test_shift_has_no_parameters_and_multiplies_nothing() -> None:
    layer = blocks.Shift(32)
    assert not list(layer.parameters()) and not layer.state_dict()
    with torch.profiler.profile() as seen:
        layer(torch.randn(1, 32, 8, 8))
    names = {event.key for event in seen.key_averages()}
    assert not [name for name in names if "conv" in name or "mul" in name or "mm" in name]
    assert "shifted=24" in repr(layer)


def test_moving_further_than_the_picture_leaves_nothing() -> None:
    assert not displace(torch.ones(1, 2, 3, 3), (3, 0)).any()


def test_a_shift_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="8 channels are fewer than the 9 directions"):
        blocks.Shift(8)
    with pytest.raises(ValueError, match="needs an odd one"):
        blocks.Shift(80, 4)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_moves_take_any_displacement_in_any_order(dimension: int) -> None:
    rows = torch.randint(-2, 3, (10, dimension)).tolist()
    x = torch.randn(2, 10, *(5,) * dimension)
    assert torch.equal(blocks.Moves(rows)(x), one_hot_convolution(x, rows, 2))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_sparse_shift_moves_by_whole_voxels_in_training_and_in_use(dimension: int) -> None:
    layer = blocks.SparseShift(10, reach=2.0, dimension=dimension)
    x = torch.randn(2, 10, *(5,) * dimension)
    rows = layer.displacement.round().long().tolist()
    expected = one_hot_convolution(x, rows, 2)
    torch.testing.assert_close(layer(x), expected)
    layer.eval()
    assert torch.equal(layer(x), expected)
    plain = layer.deploy()
    assert torch.equal(plain(x), expected) and not list(plain.parameters())


@pytest.mark.parametrize("dimension", [1, 2])
def test_displacements_learn_by_the_slope_of_the_interpolation(dimension: int) -> None:
    layer = blocks.SparseShift(3, reach=1.5, dimension=dimension).double()
    x = torch.randn(1, 3, *(6,) * dimension, dtype=torch.float64)
    weight = torch.randn_like(x)
    (layer(x) * weight).sum().backward()

    def interpolated(displacement: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for channel, row in enumerate(displacement):
            low = row.floor()
            for step in product((0, 1), repeat=dimension):
                part = torch.tensor(step)
                share = torch.where(part == 1, row - low, 1 - row + low).prod()
                whole = (low + part).long().tolist()
                total[:, channel] += share * displace(x[:, channel : channel + 1], whole)[:, 0]
        return (total * weight).sum()

    at = layer.displacement.detach()
    for index in range(at.numel()):
        step = torch.zeros_like(at).flatten()
        step[index] = 1e-6
        slope = (interpolated(at + step.view_as(at)) - interpolated(at - step.view_as(at))) / 2e-6
        assert layer.displacement.grad is not None
        assert float(layer.displacement.grad.flatten()[index]) == pytest.approx(float(slope), abs=1e-6)


def test_the_input_learns_by_the_move_that_was_made() -> None:
    layer = blocks.SparseShift(6, reach=2.0)
    x = torch.randn(1, 6, 5, 5, requires_grad=True)
    weight = torch.randn(1, 6, 5, 5)
    (layer(x) * weight).sum().backward()
    rows = (-layer.displacement.round().long()).tolist()
    torch.testing.assert_close(x.grad, one_hot_convolution(weight, rows, 2))


def test_the_penalty_leaves_only_a_few_channels_moving() -> None:
    """Channel 0 must look one voxel back to answer; the others need not move."""
    layer = blocks.SparseShift(6)
    with torch.no_grad():
        layer.displacement.copy_(torch.tensor([[0.0, -0.7]] + [[0.8, 0.7]] * 5))
    mix = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])[:, None, None]
    optimiser = torch.optim.Adam(layer.parameters(), 0.05)
    for _ in range(60):
        x = torch.randn(4, 6, 8, 8)
        wanted = displace(x[:, :1], (0, -1))
        loss = ((layer(x) * mix).sum(1, keepdim=True) - wanted).square().mean()
        optimiser.zero_grad()
        (loss + 0.02 * blocks.shift_penalty(layer)).backward()
        optimiser.step()
    few = layer.deploy()
    assert few.moving_channels == 1
    assert layer.displacement[0].round().tolist() == [0.0, -1.0]


def test_penalty_is_the_sum_of_all_displacements() -> None:
    net = nn.Sequential(blocks.SparseShift(4), nn.ReLU(), blocks.SparseShift(3, dimension=3))
    expected = net[0].displacement.abs().sum() + net[2].displacement.abs().sum()
    torch.testing.assert_close(blocks.shift_penalty(net), expected)
    assert float(blocks.shift_penalty(nn.ReLU())) == 0


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_csc_module_adds_at_equal_widths_and_appends_the_average_otherwise(dimension: int) -> None:
    x = torch.randn(2, 27, *(6,) * dimension)
    same = blocks.ConvShiftConv(27, 27, expansion=1, dimension=dimension).eval()
    nn.init.zeros_(same.branch[-1].weight)
    torch.testing.assert_close(same(x), x)
    down = blocks.ConvShiftConv(27, 40, stride=2, dimension=dimension)
    y = down(x)
    assert y.shape == (2, 40, *(3,) * dimension)
    torch.testing.assert_close(y[:, 13:], blocks.average_pool(dimension, 3, 2, padding=1)(x))


def test_csc_module_takes_a_learned_shift() -> None:
    block = blocks.ConvShiftConv(8, 8, expansion=2, shift=blocks.SparseShift)
    block(torch.randn(2, 8, 6, 6)).sum().backward()
    assert isinstance(block.branch[3], blocks.SparseShift)
    assert block.branch[3].displacement.grad is not None


def test_a_csc_module_that_would_shrink_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit a CSC module"):
        blocks.ConvShiftConv(16, 8)
