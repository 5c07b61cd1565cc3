"""Factorised, separable, bottleneck, ResNeXt and Fire blocks do what their equations say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from trabecula.nn import blocks


def parameters(module: nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


def randomised(module: nn.Module) -> nn.Module:
    """Normalisations that do something, as after training, and evaluation mode."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias)
            assert layer.running_mean is not None and layer.running_var is not None
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
    return module.eval()


def normalised(norm: nn.Module, x: Tensor) -> Tensor:
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return (x - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def space(dimension: int, size: int = 6, channels: int = 8, batch: int = 2) -> Tensor:
    return torch.randn(batch, channels, *(size,) * dimension)


BLOCKS: dict[str, Callable[[int, int], nn.Module]] = {
    "conv_norm_act": lambda d, s: blocks.ConvNormAct(8, 16, 3, stride=s, dimension=d),
    "bottleneck": lambda d, s: blocks.Bottleneck(8, 4, 16, stride=s, dimension=d),
    "resnext": lambda d, s: blocks.ResNeXtBottleneck(
        8, 64, cardinality=2, base_width=4, stride=s, dimension=d
    ),
    "factorised": lambda d, s: blocks.FactorisedConv(8, 16, stride=s, dimension=d),
    "separable": lambda d, s: blocks.SeparableConv(8, 16, stride=s, dimension=d),
    "mobilenet_v1": lambda d, s: blocks.DepthwiseSeparable(8, 16, stride=s, dimension=d),
    "mobilenet_v2": lambda d, s: blocks.mobilenet_v2_unit(8, 16, stride=s, dimension=d),
    "mobilenet_v3": lambda d, s: blocks.mobilenet_v3_unit(8, 24, 16, kernel=5, stride=s, dimension=d),
    "mbconv": lambda d, s: blocks.mbconv(8, 16, stride=s, dimension=d),
    "learned_groups": lambda d, s: blocks.LearnedGroupConv(8, 16, 3, stride=s, dimension=d),
    "flgc": lambda d, s: blocks.FullyLearnableGroupConv(8, 16, 3, stride=s, dimension=d),
}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_keeps_its_promise_of_shape_and_every_weight_learns(
    name: str, dimension: int, stride: int
) -> None:
    block = BLOCKS[name](dimension, stride)
    y = block(space(dimension))
    outputs = 256 if name == "resnext" else 16
    assert y.shape == (2, outputs, *(6 // stride,) * dimension)
    y.square().sum().backward()
    assert all(one.grad is not None for one in block.parameters())


def test_a_dimension_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="dimension is 4; allowed: 1"):
        blocks.ConvNormAct(8, 8, dimension=4)


def test_groups_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="8 and 9 channels cannot be divided into 3 groups"):
        blocks.conv(2, 8, 9, groups=3)


def test_a_dilated_convolution_keeps_the_size() -> None:
    assert blocks.conv(2, 8, 8, 3, dilation=2)(space(2)).shape == (2, 8, 6, 6)


def test_separable_convolution_is_its_two_convolutions() -> None:
    block, x = blocks.SeparableConv(8, 12, stride=2, bias=True), space(2)
    depthwise, pointwise = block.depthwise, block.pointwise
    by_channel = [
        functional.conv2d(x[:, c : c + 1], depthwise.weight[c : c + 1], stride=2, padding=1) for c in range(8)
    ]
    filtered = torch.cat(by_channel, 1)
    mixed = torch.einsum("oc,bcyx->boyx", pointwise.weight[:, :, 0, 0], filtered)
    torch.testing.assert_close(block(x), mixed + pointwise.bias[:, None, None])


def test_separable_convolution_costs_the_published_fraction() -> None:
    full, separable = blocks.conv(2, 32, 64, 3), blocks.SeparableConv(32, 64)
    assert parameters(separable) / parameters(full) == pytest.approx(1 / 64 + 1 / 9)


def test_unit_of_mobilenet_v1_normalises_and_rectifies_after_each_half() -> None:
    block = randomised(blocks.DepthwiseSeparable(8, 12))
    x = space(2)
    first = normalised(
        block.depthwise.norm, functional.conv2d(x, block.depthwise.conv.weight, padding=1, groups=8)
    ).relu()
    second = normalised(block.pointwise.norm, functional.conv2d(first, block.pointwise.conv.weight))
    torch.testing.assert_close(block(x), second.relu())
    linear = randomised(blocks.DepthwiseSeparable(8, 12, linear=True))
    assert bool((linear(x) < 0).any())


def test_two_3x3_see_exactly_what_a_5x5_sees_with_18_25ths_of_the_weights() -> None:
    block = blocks.FactorisedConv(4, 4, activation=None, norm=lambda d, c: nn.Identity())
    x = torch.zeros(1, 4, 9, 9, requires_grad=True)
    block(x)[0, :, 4, 4].sum().backward()
    assert x.grad is not None
    seen = x.grad.abs().sum(1)[0] > 0
    assert bool(seen[2:7, 2:7].all()) and int(seen.sum()) == 25
    assert parameters(block) / parameters(blocks.conv(2, 4, 4, 5)) == 18 / 25


def test_two_linear_3x3_equal_the_5x5_of_their_convolved_filters() -> None:
    block = blocks.FactorisedConv(1, 1, activation=None, norm=lambda d, c: nn.Identity())
    first, second = (layer.conv.weight for layer in block)
    whole = functional.conv2d(first, second.flip(2, 3), padding=2)
    x = torch.zeros(1, 1, 11, 11)
    x[..., 3:8, 3:8] = torch.randn(5, 5)
    torch.testing.assert_close(block(x), functional.conv2d(x, whole, padding=2))


def test_asymmetric_convolution_equals_the_product_filter() -> None:
    block = blocks.AsymmetricConv(1, 1, kernel=5, bias=True)
    column, row = block[0].weight, block[1].weight
    x = space(2, size=9, channels=1)
    torch.testing.assert_close(
        block(x), functional.conv2d(x, column @ row, padding=2) + block[1].bias.reshape(1, 1, 1, 1)
    )


@pytest.mark.parametrize("dimension", [2, 3])
def test_asymmetric_convolution_has_d_n_instead_of_n_to_the_d_weights(dimension: int) -> None:
    block = blocks.AsymmetricConv(8, 8, dimension=dimension)
    assert parameters(block) == 8 * 8 * 3 * dimension
    assert block(space(dimension)).shape == space(dimension).shape


@pytest.mark.parametrize("kernel", [1, 4])
@pytest.mark.parametrize("kind", [blocks.FactorisedConv, blocks.AsymmetricConv])
def test_filters_that_cannot_be_factorised_are_refused(kind: type[nn.Module], kernel: int) -> None:
    with pytest.raises(ValueError, match="odd number from 3"):
        kind(8, 8, kernel=kernel)


def test_bottleneck_adds_its_input_and_has_17_width_squared_weights() -> None:
    block = blocks.Bottleneck(64, 16)
    assert sum(one.weight.numel() for one in block.modules() if isinstance(one, nn.Conv2d)) == 17 * 16**2
    nn.init.zeros_(block.branch.expand.norm.weight)
    x = space(2, channels=64)
    torch.testing.assert_close(block.eval()(x), x.relu())


def test_bottleneck_projects_where_the_size_changes() -> None:
    assert isinstance(blocks.Bottleneck(64, 16).shortcut, nn.Identity)
    assert not isinstance(blocks.Bottleneck(64, 16, stride=2).shortcut, nn.Identity)


def test_resnext_equals_the_sum_of_its_separate_paths() -> None:
    block = randomised(blocks.ResNeXtBottleneck(256, 64, cardinality=4, base_width=4))
    x = space(2, channels=256)
    reduce, grouped, expand = block.branch.reduce, block.branch.conv, block.branch.expand
    total = torch.zeros_like(x)
    for path in range(4):
        own = slice(4 * path, 4 * path + 4)
        narrow = normalised(reduce.norm, functional.conv2d(x, reduce.conv.weight))[:, own].relu()
        middle = functional.conv2d(narrow, grouped.conv.weight[own], padding=1)
        filler = x.new_zeros(2, 16, 6, 6)
        filler[:, own] = middle
        seen = normalised(grouped.norm, filler)[:, own].relu()
        total = total + functional.conv2d(seen, expand.conv.weight[:, own])
    torch.testing.assert_close(block(x), (normalised(expand.norm, total) + x).relu())


def test_resnext_of_one_path_is_the_bottleneck_of_resnet() -> None:
    one = blocks.ResNeXtBottleneck(256, 64, cardinality=1, base_width=64)
    assert parameters(one) == parameters(blocks.Bottleneck(256, 64))


def test_fire_squeezes_then_expands_side_by_side() -> None:
    block, x = blocks.Fire(8, 3, 4, 5), space(2)
    s = functional.conv2d(x, block.squeeze.weight, block.squeeze.bias).relu()
    left = functional.conv2d(s, block.expand1.weight, block.expand1.bias).relu()
    right = functional.conv2d(s, block.expand3.weight, block.expand3.bias, padding=1).relu()
    torch.testing.assert_close(block(x), torch.cat([left, right], 1))
    assert parameters(block) == (8 + 1) * 3 + (3 + 1) * 4 + (9 * 3 + 1) * 5


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_global_average_has_no_parameters_and_takes_any_size(dimension: int) -> None:
    pool, x = blocks.GlobalAveragePool(), space(dimension, size=5)
    assert parameters(pool) == 0
    torch.testing.assert_close(pool(x), x.mean(tuple(range(2, x.dim()))))


def test_both_heads_classify_pictures_of_any_size() -> None:
    head, maps = blocks.GapHead(8, 3), blocks.ConvGapHead(8, 3).eval()
    assert parameters(head) == parameters(maps) == 8 * 3 + 3
    for size in (4, 7):
        x = space(2, size=size)
        torch.testing.assert_close(head(x), x.mean((2, 3)) @ head.classifier.weight.T + head.classifier.bias)
        scores = functional.conv2d(x, maps.classifier.weight, maps.classifier.bias).relu().mean((2, 3))
        torch.testing.assert_close(maps(x), scores)


def test_pools_average_and_take_the_maximum_in_every_dimension() -> None:
    x = torch.arange(64.0).reshape(1, 1, 4, 4, 4)
    assert blocks.average_pool(3, 2, 2)(x)[0, 0, 0, 0, 0] == x[0, 0, :2, :2, :2].mean()
    assert blocks.max_pool(3, 2, 2)(x)[0, 0, 0, 0, 0] == x[0, 0, 1, 1, 1]
    assert blocks.adaptive_average_pool(1, 2)(x[0, 0, 0]).shape == (4, 2)
