"""Inverted residuals, squeeze-and-excitation and stochastic depth."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trabecula.nn import blocks


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def parameters(module: nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize("gate", [nn.Sigmoid, nn.Hardsigmoid])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_gate_lies_between_0_and_1_and_weighs_whole_channels(dimension: int, gate: type[nn.Module]) -> None:
    block = blocks.SqueezeExcite(32, gate=gate, dimension=dimension)
    x = 3 * torch.randn(2, 32, *(5,) * dimension)
    scale = block.scale(x)
    assert scale.shape == (2, 32, *(1,) * dimension)
    assert bool((scale > 0).all()) and bool((scale < 1).all())
    torch.testing.assert_close(block(x) / x, scale.expand_as(x))


def test_gate_is_the_published_perceptron_of_the_mean() -> None:
    block, x = blocks.SqueezeExcite(32), torch.randn(2, 32, 5, 5)
    w1, w2 = block.reduce.weight[:, :, 0, 0], block.expand.weight[:, :, 0, 0]
    inner = (x.mean((2, 3)) @ w1.T + block.reduce.bias).relu()
    torch.testing.assert_close(block.scale(x)[:, :, 0, 0], torch.sigmoid(inner @ w2.T + block.expand.bias))
    assert w1.shape == (2, 32)
    assert parameters(block) == 2 * 32 * 2 + 32 + 2


def test_gate_does_not_care_where_something_is() -> None:
    block, x = blocks.SqueezeExcite(32), torch.randn(2, 32, 5, 5)
    torch.testing.assert_close(block.scale(x), block.scale(x.roll((2, 1), (2, 3))))


def test_thin_layers_still_get_a_gate() -> None:
    assert blocks.SqueezeExcite(8).reduce.out_channels == 1


def test_inverted_residual_adds_its_input_only_where_it_fits() -> None:
    x = torch.randn(2, 8, 6, 6)
    same = blocks.mobilenet_v2_unit(8, 8).eval()
    nn.init.zeros_(same.branch.project.norm.weight)
    torch.testing.assert_close(same(x), x)
    for other in (blocks.mobilenet_v2_unit(8, 16), blocks.mobilenet_v2_unit(8, 8, stride=2)):
        nn.init.zeros_(other.eval().branch.project.norm.weight)
        assert not other(x).any()


def test_expansion_by_one_leaves_the_first_convolution_out() -> None:
    names = [name for name, _ in blocks.mobilenet_v2_unit(8, 16, expansion=1).branch.named_children()]
    assert names == ["depthwise", "project"]


def test_projection_is_linear() -> None:
    block = blocks.mobilenet_v2_unit(8, 16)
    assert [name for name, _ in block.branch.project.named_children()] == ["conv", "norm"]


def test_units_of_version_3_have_the_published_gate_and_activation() -> None:
    gated = blocks.mobilenet_v3_unit(40, 120, 40, kernel=5, hard_swish=False)
    assert gated.branch.gate.reduce.out_channels == 32  # 120 / 4 = 30, to a multiple of 8
    assert isinstance(gated.branch.gate.gate, nn.Hardsigmoid)
    assert isinstance(gated.branch.depthwise.act, nn.ReLU)
    plain = blocks.mobilenet_v3_unit(40, 120, 40, gated=False)
    assert isinstance(plain.branch.depthwise.act, nn.Hardswish)
    assert not hasattr(plain.branch, "gate")


def test_gate_of_mbconv_is_a_quarter_of_the_outer_width() -> None:
    block = blocks.mbconv(24, 40, kernel=5, stride=2)
    assert (block.branch.gate.reduce.in_channels, block.branch.gate.reduce.out_channels) == (144, 6)
    assert isinstance(block.branch.expand.act, nn.SiLU)


def test_stochastic_depth_keeps_the_mean_and_drops_whole_examples() -> None:
    layer = blocks.StochasticDepth(0.25)
    y = layer(torch.ones(4000, 2, 3))
    per_example = y.flatten(1)
    assert bool((per_example == per_example[:, :1]).all())
    assert y.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    assert float(y.mean()) == pytest.approx(1.0, abs=0.05)
    x = torch.randn(3, 2)
    assert layer.eval()(x) is x
    assert blocks.StochasticDepth(0.0)(x) is x
    assert "drop=0.25" in repr(layer)


@pytest.mark.parametrize("drop", [-0.1, 1.0])
def test_a_chance_that_is_none_is_refused(drop: float) -> None:
    with pytest.raises(ValueError, match="it is a chance"):
        blocks.StochasticDepth(drop)


def test_stochastic_depth_sits_on_residual_branches_only() -> None:
    assert hasattr(blocks.mbconv(8, 8, drop=0.1).branch, "drop")
    assert not hasattr(blocks.mbconv(8, 16, drop=0.1).branch, "drop")
