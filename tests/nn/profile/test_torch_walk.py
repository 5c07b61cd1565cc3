"""What is counted in a torch network, against the formulas."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from trabecula.nn import nets
from trabecula.nn.profile import (
    Layer,
    layers_of,
    parameter_count,
    torch_walk,
)
from trabecula.nn.profile.torch_walk import last_layers, timed_layers

IMAGE = torch.randn(2, 8, 6, 6)


def only(module: nn.Module, *inputs: torch.Tensor) -> Layer:
    (layer,) = layers_of(module, inputs)
    return layer


@pytest.mark.parametrize(
    ("module", "shape", "macs", "out"),
    [
        (nn.Conv2d(8, 12, 3), (2, 8, 6, 6), 2 * 12 * 8 * 9 * 16, (2, 12, 4, 4)),
        (nn.Conv2d(8, 12, 3, groups=4, stride=2), (2, 8, 7, 7), 2 * 12 * 2 * 9 * 9, (2, 12, 3, 3)),
        (nn.Conv2d(8, 8, 3, groups=8, padding=1), (1, 8, 6, 6), 8 * 9 * 36, (1, 8, 6, 6)),
        (nn.Conv1d(4, 6, 5), (1, 4, 9), 6 * 4 * 5 * 5, (1, 6, 5)),
        (nn.Conv3d(2, 3, 2), (1, 2, 4, 4, 4), 3 * 2 * 8 * 27, (1, 3, 3, 3, 3)),
        (nn.ConvTranspose2d(8, 4, 2, stride=2), (1, 8, 6, 6), 8 * 4 * 4 * 36, (1, 4, 12, 12)),
        (nn.ConvTranspose3d(4, 2, 3, groups=2), (1, 4, 3, 3, 3), 4 * 1 * 27 * 27, (1, 2, 5, 5, 5)),
        (nn.Linear(5, 7), (3, 5), 3 * 5 * 7, (3, 7)),
        (nn.Linear(5, 7, bias=False), (2, 3, 5), 6 * 5 * 7, (6, 7)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_multiply_accumulates_follow_the_formula(
    module: nn.Module, shape: tuple[int, ...], macs: int, out: tuple[int, ...]
) -> None:
    layer = only(module, torch.randn(shape))
    assert layer.macs == macs
    assert layer.outputs == (out,)
    assert layer.parameters == layer.weights == parameter_count(module)
    assert layer.flops == 2 * macs and layer.heavy and not layer.elementwise


@pytest.mark.parametrize(
    ("module", "kind", "operations", "elementwise"),
    [
        (nn.ReLU(), "relu", 576, True),
        (nn.ReLU(inplace=True), "relu", 576, True),
        (nn.Hardswish(), "hardswish", 4 * 576, True),
        (nn.BatchNorm2d(8), "batch_norm", 2 * 576, True),
        (nn.GroupNorm(2, 8), "group_norm", 6 * 576, True),
        (nn.Softmax(1), "softmax", 4 * 576, True),
        (nn.MaxPool2d(2), "max_pool", 4 * 144, False),
        (nn.AvgPool2d(3), "average_pool", 9 * 64, False),
        (nn.AdaptiveAvgPool2d(1), "mean", 576, False),
        (nn.Upsample(scale_factor=2), "upsample", 0, True),
        (nn.ReflectionPad2d(1), "pad", 0, True),
        (nn.ChannelShuffle(2), "shuffle", 0, True),
        (nn.PReLU(), "prelu", 576, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_elements_are_counted_where_nothing_multiplies(
    module: nn.Module, kind: str, operations: int, elementwise: bool
) -> None:
    layer = only(module, IMAGE.clone())
    assert (layer.kind, layer.operations, layer.elementwise) == (kind, operations, elementwise)
    assert layer.macs == 0 and layer.parameters == parameter_count(module)


def test_bytes_are_weights_inputs_and_outputs_at_their_precision() -> None:
    layer = only(nn.Conv2d(8, 12, 3), IMAGE)
    assert layer.bytes == 4 * (12 * 8 * 9 + 12 + 2 * 8 * 36 + 2 * 12 * 16)
    assert layer.weight_bytes == 4 * (12 * 8 * 9 + 12)
    assert layer.intensity == layer.flops / layer.bytes
    double = only(nn.Conv2d(8, 12, 3).double(), IMAGE.double())
    assert double.bytes == 2 * layer.bytes


class Functions(nn.Module):
    """Everything that no module shows."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        left, right = image.chunk(2, 1)
        joined = torch.cat([left + right, F.relu(right)], 1)
        joined = joined.reshape(2, 2, 4, 6, 6).transpose(1, 2).reshape(2, 8, 6, 6)
        joined += 1
        return joined @ joined.mean((2, 3), keepdim=True).expand(2, 8, 6, 6)


def test_functions_count_as_much_as_modules_and_views_count_nothing() -> None:
    layers = layers_of(Functions(), [IMAGE])
    assert [layer.kind for layer in layers] == ["add", "relu", "concat", "copy", "add", "mean", "matmul"]
    assert layers[-1].macs == 2 * 8 * 6 * 6 * 6
    first, second = layers[0], layers[1]
    assert first.reads[0] == first.reads[1] == second.reads[0]  # both halves are the image itself
    assert layers[2].reads == (first.writes[0], second.writes[0])


def test_layers_are_named_after_the_modules_they_happen_in() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU())
            self.again = nn.ReLU()

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.again(self.again(self.inner(image)) + image)

    net = nn.Sequential()
    net.add_module("block", Block())
    names = [layer.name for layer in layers_of(net, [IMAGE])]
    assert names == ["block.inner.0", "block.inner.1", "block.again", "block.add", "block.again.relu"]


def test_a_shared_weight_counts_once() -> None:
    shared = nn.Conv2d(8, 8, 1)
    first, second = layers_of(nn.Sequential(shared, shared), [IMAGE])
    assert (first.parameters, second.parameters) == (72, 0)
    assert first.weights == second.weights == 72


def test_recurrent_layers_are_their_matrices_once_a_step() -> None:
    for kind, gates in ((nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)):
        for first in (True, False):
            net = kind(6, 5, num_layers=2, batch_first=first)
            steps = torch.randn(2, 7, 6) if first else torch.randn(7, 2, 6)
            layer = only(net, steps)
            assert layer.macs == 2 * 7 * gates * 5 * (6 + 5 + 5 + 5)
            assert layer.parameters == parameter_count(net)
            assert layer.kind == "recurrent" and layer.outputs == ((2, 7, 5) if first else (7, 2, 5),)


def test_one_sequence_alone_and_packed_sequences() -> None:
    net = nn.LSTM(6, 5, batch_first=True)
    assert only(net, torch.randn(7, 6)).macs == 7 * 20 * 11
    packed = nn.utils.rnn.pack_sequence([torch.randn(7, 6), torch.randn(4, 6)])
    with torch_walk.watch(net) as watch:
        (layer,) = watch([packed]).layers  # type: ignore[list-item]
    assert layer.macs == 11 * 20 * 11


def test_attention_is_two_products() -> None:
    net = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    layers = layers_of(net, [torch.randn(3, 5, 8)])
    (attention,) = [layer for layer in layers if layer.kind == "attention"]
    assert attention.macs == 2 * 3 * 2 * 5 * 5 * 4
    assert sum(layer.macs for layer in layers) == attention.macs + 3 * 5 * (4 * 8 * 8 + 2 * 8 * 16)
    assert sum(layer.parameters for layer in layers) == parameter_count(net)


def test_an_embedding_reads_only_the_rows_it_looks_up() -> None:
    layer = only(nn.Embedding(1000, 4), torch.zeros(2, 3, dtype=torch.long))
    assert (layer.parameters, layer.weights) == (4000, 24)


def test_a_weight_on_the_left_is_still_a_weight() -> None:
    class Left(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 4))

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            return self.weight @ values

    layer = only(Left(), torch.randn(4, 5))
    assert (layer.kind, layer.macs, layer.parameters) == ("linear", 60, 12)


@pytest.mark.parametrize(
    ("name", "parameters", "macs"), [("mobilenet_v2", 3.505e6, 300e6), ("squeezenet1_1", 1.235e6, 0.35e9)]
)
def test_published_networks_have_their_published_counts(name: str, parameters: float, macs: float) -> None:
    with torch.device("meta"):  # shapes without numbers
        layers = layers_of(nets.build(name), [torch.zeros(1, 3, 224, 224)])
    assert sum(layer.parameters for layer in layers) == pytest.approx(parameters, rel=1e-3)
    assert sum(layer.macs for layer in layers) == pytest.approx(macs, rel=0.01)


def test_the_network_is_left_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8), nn.Dropout())
    net[1].eval()
    before = net[1].running_mean.clone()
    fast = torch.backends.mha.get_fastpath_enabled()
    layers_of(net, [IMAGE])
    assert [module.training for module in net.modules()] == [True, True, False, True]
    assert torch.equal(net[1].running_mean, before)
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in net.modules())
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert net(IMAGE).requires_grad


def test_hooks_go_even_where_the_network_fails() -> None:
    net = nn.Sequential(nn.Conv2d(4, 8, 1))
    with pytest.raises(RuntimeError):
        layers_of(net, [IMAGE])
    assert not net[0]._forward_hooks and net.training


def test_every_layer_is_timed_in_every_run() -> None:
    net = nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(288, 3))
    layers, seconds = timed_layers(net, [IMAGE], runs=4, warmup=1)
    assert [layer.kind for layer in layers] == ["convolution", "relu", "linear"]
    assert all(len(each) == 4 and min(each) > 0 for each in seconds)


def test_a_network_that_changes_from_run_to_run_is_refused() -> None:
    class Moody(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return image.relu() if self.calls % 2 else image.sigmoid()

    with pytest.raises(ValueError, match="from run to run"):
        timed_layers(Moody(), [IMAGE], runs=2, warmup=0)


def test_the_layers_a_result_comes_from_are_found_through_what_follows_them() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.left, self.right = (nn.Conv2d(8, 8, 1) for _ in range(3))

        def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
            body = self.body(image).relu()
            return {"a": self.left(body).sigmoid() + image, "b": self.right(body).mean((2, 3))}

    assert sorted(last_layers(Two(), [IMAGE])) == ["left", "right"]


def test_functions_outside_any_module_have_their_own_names() -> None:
    with torch_walk.watch(nn.ReLU()) as watch:
        (layer,) = watch([IMAGE]).layers
    assert layer.name == "relu"
