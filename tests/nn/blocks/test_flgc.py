"""Fully learnable groups: they are learned, and the indexed form answers the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from trabecula.nn import blocks
from trabecula.nn.blocks.flgc import one_hot_choice


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_choices_are_one_hot_forwards_and_soft_backwards() -> None:
    logits = torch.randn(5, 3, requires_grad=True)
    choice = one_hot_choice(logits)
    assert torch.equal(choice, functional.one_hot(logits.argmax(1), 3).float())
    weight = torch.randn(5, 3)
    (choice * weight).sum().backward()
    other = logits.detach().requires_grad_()
    (other.softmax(1) * weight).sum().backward()
    torch.testing.assert_close(logits.grad, other.grad)


def test_a_filter_sees_an_input_only_if_both_chose_the_same_group() -> None:
    layer = blocks.FullyLearnableGroupConv(10, 12, groups=3)
    inputs = layer.input_choice.argmax(1).numpy()
    filters = layer.filter_choice.argmax(1).numpy()
    assert np.array_equal(layer.mask().detach().numpy(), filters[:, None] == inputs[None, :])
    x = torch.randn(2, 10, 4, 4)
    weight = layer.conv.weight * torch.tensor(filters[:, None] == inputs[None, :])[:, :, None, None]
    torch.testing.assert_close(layer(x), functional.conv2d(x, weight))


def test_groups_partition_inputs_and_filters() -> None:
    members = blocks.FullyLearnableGroupConv(10, 12, groups=4).members()
    assert sorted(torch.cat([one for one, _ in members]).tolist()) == list(range(10))
    assert sorted(torch.cat([one for _, one in members]).tolist()) == list(range(12))


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "stride", "bias"), [(1, 1, False), (3, 2, True)])
def test_indices_and_one_convolution_a_group_answer_the_same(
    dimension: int, kernel: int, stride: int, bias: bool
) -> None:
    layer = blocks.FullyLearnableGroupConv(
        10, 12, kernel, stride=stride, groups=3, bias=bias, dimension=dimension
    )
    x = torch.randn(2, 10, *(5,) * dimension)
    quick = layer.deploy()
    torch.testing.assert_close(quick(x), layer(x))
    kept = int((layer.mask() != 0).sum()) * kernel**dimension
    assert sum(one.weight.numel() for one in quick.convs) == kept


@pytest.mark.parametrize("bias", [False, True])
def test_groups_without_inputs_or_without_filters_do_not_break_it(bias: bool) -> None:
    layer = blocks.FullyLearnableGroupConv(4, 6, groups=3, bias=bias)
    with torch.no_grad():
        layer.input_choice.copy_(functional.one_hot(torch.tensor([0, 0, 1, 1]), 3))
        layer.filter_choice.copy_(functional.one_hot(torch.tensor([2, 0, 0, 2, 0, 2]), 3))
    x = torch.randn(2, 4, 3, 3)
    quick = blocks.deploy(nn.Sequential(layer))
    torch.testing.assert_close(quick(x), layer(x))
    assert not blocks.deploy(layer)(torch.zeros(1, 4, 3, 3))[:, 0].any() or bias


def test_the_groups_are_learned() -> None:
    """The target is a grouped convolution of scattered members; training finds a better split."""
    inputs = torch.tensor([0, 1, 0, 1, 0, 1, 0, 1])
    filters = torch.tensor([1, 0, 0, 1, 1, 0, 1, 0])
    target = torch.randn(8, 8) * (filters[:, None] == inputs[None, :])
    layer = blocks.FullyLearnableGroupConv(8, 8, groups=2)
    before = layer.mask().detach().clone()
    wanted = (target != 0).float()
    optimiser = torch.optim.Adam(layer.parameters(), 0.03)
    losses = []
    for _ in range(250):
        x = torch.randn(64, 8, 1, 1)
        loss = (layer(x)[:, :, 0, 0] - x[:, :, 0, 0] @ target.T).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    after = layer.mask().detach()
    assert (after != before).any()
    assert float((after == wanted).float().mean()) > float((before == wanted).float().mean())
    assert losses[-1] < 0.2 * losses[0]
