"""Blocks leave for ONNX and answer the same there."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from trabecula.nn import blocks
from trabecula.nn.compress import export_onnx
from trabecula.nn.profile import HostMachine, profile


def flat() -> nn.Sequential:
    learned = blocks.LearnedGroupConv(16, 16)
    learned.advance(1.0)
    return nn.Sequential(
        blocks.ConvNormAct(3, 16, 3, stride=2),
        blocks.SqueezeExcite(16),
        blocks.mobilenet_v3_unit(16, 24, 16, kernel=5),
        blocks.ShuffleUnitV2(16, 16),
        blocks.GroupedPointwise(16, 16, 4),
        blocks.Shift(16),
        blocks.SparseShift(16),
        learned,
        blocks.FullyLearnableGroupConv(16, 16, bias=True),
        blocks.GapHead(16, 5),
    )


def deep() -> nn.Sequential:
    return nn.Sequential(
        blocks.DepthwiseSeparable(3, 32, stride=2, dimension=3),
        blocks.Moves([[0, 0, 1], [-1, 0, 0]] * 16),
        blocks.ChannelShuffle(4),
        blocks.ConvGapHead(32, 5, dimension=3),
    )


@pytest.mark.parametrize(("make", "dimension"), [(flat, 2), (deep, 3)])
@pytest.mark.filterwarnings("ignore")
def test_blocks_answer_the_same_in_onnx_runtime(make: type[nn.Sequential], dimension: int) -> None:
    torch.manual_seed(0)
    net = blocks.deploy(make()).eval()
    size = (8,) * dimension
    program = torch.onnx.export(
        net,
        (torch.randn(2, 3, *size),),
        dynamo=True,
        verbose=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    assert program is not None
    saved = io.BytesIO()
    onnx.save_model(program.model_proto, saved)
    session = onnxruntime.InferenceSession(saved.getvalue(), providers=["CPUExecutionProvider"])
    x = torch.randn(3, 3, *size)
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    expected = net(x).detach().numpy()
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_a_sparse_shift_needs_no_word_before_it_is_exported_or_profiled(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 1), blocks.SparseShift(8), nn.Conv2d(8, 2, 1))
    x = torch.randn(2, 3, 6, 6)
    export_onnx(net, x, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    np.testing.assert_allclose(found, net(x).detach().numpy(), atol=1e-5)
    assert isinstance(net[1], blocks.SparseShift)
    told = profile(net, x, runs=2, warmup=0, machine=HostMachine(1e9, 1e9))
    assert told.macs == 2 * 36 * (3 * 8 + 8 * 2) and told.parameters == 3 * 8 + 8 + 8 * 2 + 2


def test_what_is_not_ready_stays_as_it_is() -> None:
    net = nn.Sequential(blocks.LearnedGroupConv(16, 16), blocks.SparseShift(16))
    made = blocks.in_use(net)
    assert isinstance(made[0], blocks.LearnedGroupConv) and isinstance(made[1], blocks.Moves)
    plain = nn.Conv2d(1, 1, 1)
    assert blocks.in_use(plain) is plain
