"""Learned groups: the schedule drops what was planned, and the converted layer answers the same."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from trabecula.nn import blocks


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("progress", "ended"), [(0.0, 0), (0.16, 0), (1 / 6, 1), (0.3, 1), (2 / 6, 2), (0.5, 3), (1.0, 3)]
)
def test_condensing_stages_share_the_first_half_of_the_training(progress: float, ended: int) -> None:
    assert blocks.condensation_stage(progress, 4) == ended
    assert blocks.condensation_stage(progress, 1) == 0


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_after_every_stage_the_planned_fraction_is_left(factor: int) -> None:
    layer = blocks.LearnedGroupConv(16, 32, groups=factor)
    for ended in range(factor):
        assert layer.stage == ended
        left = 1 - ended / factor
        assert float((layer.weight() != 0).float().mean()) == pytest.approx(left)
        assert (layer.kept.sum(1) == 16 * left).all()
        layer.drop()
    assert layer.stage == factor - 1


def test_each_group_drops_the_inputs_of_least_absolute_sum() -> None:
    layer = blocks.LearnedGroupConv(8, 6, groups=2, condensation=4)
    weights = layer.conv.weight.detach().numpy()[:, :, 0, 0]
    layer.drop()
    for group, rows in enumerate(np.split(weights, 2)):
        dropped = set(np.argsort(np.abs(rows).sum(0))[:2])
        assert set(np.flatnonzero(~layer.kept[group].numpy())) == dropped


def test_dropped_inputs_stay_dropped_whatever_the_weights_become() -> None:
    layer = blocks.LearnedGroupConv(8, 8, groups=4)
    layer.drop()
    before = layer.kept.clone()
    nn.init.normal_(layer.conv.weight, std=10.0)
    layer.drop()
    assert not (layer.kept & ~before).any()


def test_dropped_weights_no_longer_learn() -> None:
    layer = blocks.LearnedGroupConv(8, 8, groups=4)
    layer.advance(1.0)
    layer(torch.randn(2, 8, 3, 3)).square().sum().backward()
    gone = layer.weight() == 0
    assert layer.conv.weight.grad is not None
    assert not layer.conv.weight.grad[gone].any() and layer.conv.weight.grad[~gone].all()


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "stride", "bias"), [(1, 1, False), (3, 2, True)])
def test_index_layer_and_grouped_convolution_answer_the_same(
    dimension: int, kernel: int, stride: int, bias: bool
) -> None:
    layer = blocks.LearnedGroupConv(
        12, 8, kernel, stride=stride, groups=2, condensation=3, bias=bias, dimension=dimension
    )
    layer.advance(0.5)
    quick = layer.deploy()
    x = torch.randn(2, 12, *(5,) * dimension)
    torch.testing.assert_close(quick(x), layer(x))
    assert quick.conv.groups == 2
    assert quick.conv.weight.numel() == layer.conv.weight.numel() // 3


def test_a_layer_in_the_middle_of_its_schedule_is_not_deployed() -> None:
    layer = blocks.LearnedGroupConv(8, 8, groups=4)
    layer.advance(0.2)
    with pytest.raises(ValueError, match="stage 1 of 3 has ended"):
        layer.deploy()


def test_the_schedule_survives_saving() -> None:
    layer, other = (blocks.LearnedGroupConv(8, 8, groups=4) for _ in range(2))
    layer.advance(0.4)
    other.load_state_dict(layer.state_dict())
    assert other.stage == layer.stage == 2
    assert torch.equal(other.weight(), layer.weight())
    assert "groups=4, condensation=4" in repr(layer)


def test_group_lasso_is_the_sum_of_the_norms_of_groups_and_inputs() -> None:
    layer = blocks.LearnedGroupConv(8, 12, groups=4)
    layer.drop()
    weights = layer.conv.weight.detach().numpy()[:, :, 0, 0].astype(float)
    total = 0.0
    for group in range(4):
        for j in range(8):
            if layer.kept[group, j]:
                total += float(np.sqrt(sum(weights[3 * group + i, j] ** 2 for i in range(3))))
    assert float(layer.group_lasso().detach()) == pytest.approx(total, rel=1e-6)
    net = nn.Sequential(layer, nn.ReLU(), copy.deepcopy(layer))
    assert float(blocks.group_lasso(net).detach()) == pytest.approx(2 * total, rel=1e-6)
    assert float(blocks.group_lasso(nn.ReLU())) == 0


def test_group_lasso_has_a_finite_slope_even_at_zero_weights() -> None:
    layer = blocks.LearnedGroupConv(8, 8, groups=4)
    nn.init.zeros_(layer.conv.weight)
    layer.group_lasso().backward()
    assert layer.conv.weight.grad is not None and bool(layer.conv.weight.grad.isfinite().all())


@pytest.mark.parametrize(("inputs", "outputs"), [(9, 8), (8, 9)])
def test_widths_that_cannot_be_condensed_are_refused(inputs: int, outputs: int) -> None:
    with pytest.raises(ValueError, match="must be a multiple of the condensation 4"):
        blocks.LearnedGroupConv(inputs, outputs, groups=4)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_layer_of_condensenet_appends_its_growth(dimension: int) -> None:
    net = nn.Sequential(
        blocks.CondenseLayer(8, 4, dimension=dimension), blocks.CondenseLayer(12, 4, dimension=dimension)
    ).eval()
    x = torch.randn(2, 8, *(4,) * dimension)
    y = net(x)
    assert y.shape == (2, 16, *(4,) * dimension)
    torch.testing.assert_close(y[:, :8], x)
    blocks.advance(net, 1.0)
    quick = blocks.deploy(net)
    torch.testing.assert_close(quick(x), net(x))
    assert not [one for one in quick.modules() if isinstance(one, blocks.LearnedGroupConv)]
    assert [one for one in net.modules() if isinstance(one, blocks.LearnedGroupConv)]
    assert quick.training is False
