"""ONNX files with fewer bits: the same answers nearly, in less room."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from trabecula.nn.compress import (
    export_onnx,
    quantize_dynamic,
    quantize_static,
    to_float16,
)

Array = NDArray[np.float32]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 64, 10),
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    net = network()
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    export_onnx(net, torch.zeros(2, 1, 8, 8), path)
    return net, path


def images(number: int = 16) -> Array:
    return np.random.default_rng(0).standard_normal((number, 1, 8, 8)).astype(np.float32)


def answers(path: Path, given: Array) -> Array:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: given})
    assert found.dtype == np.float32
    return found


def distance(path: Path, other: Path) -> float:
    exact = answers(path, images())
    return float(np.abs(answers(other, images()) - exact).max() / np.abs(exact).max())


def test_an_export_answers_like_its_network_for_any_batch(exported: tuple[nn.Module, Path]) -> None:
    net, path = exported
    assert net.training and not logging.root.manager.disable
    for number in (1, 5):
        given = images(number)
        with torch.no_grad():
            expected = net.eval()(torch.tensor(given)).numpy()
        net.train()
        np.testing.assert_allclose(answers(path, given), expected, atol=1e-5)


def test_an_export_may_fix_the_batch_and_take_several_inputs(tmp_path: Path) -> None:
    class Sum(nn.Module):
        def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            return left + right

    export_onnx(Sum(), [torch.zeros(2, 3), torch.zeros(2, 3)], tmp_path / "sum.onnx", any_batch=False)
    session = onnxruntime.InferenceSession(str(tmp_path / "sum.onnx"))
    assert [each.shape for each in session.get_inputs()] == [[2, 3], [2, 3]]


def test_what_cannot_be_exported_is_one_message(tmp_path: Path) -> None:
    class Branch(nn.Module):
        def forward(self, value: torch.Tensor) -> torch.Tensor:
            return value if float(value.sum()) > 0 else -value

    with pytest.raises(ValueError, match="cannot be exported"):
        export_onnx(Branch(), torch.zeros(2, 3), tmp_path / "branch.onnx")


def test_float16_halves_the_file_and_keeps_the_answers(
    exported: tuple[nn.Module, Path], tmp_path: Path
) -> None:
    path, half = exported[1], tmp_path / "half.onnx"
    to_float16(path, half)
    assert half.stat().st_size < 0.6 * path.stat().st_size
    assert distance(path, half) < 0.01


@pytest.mark.parametrize("as_mapping", [False, True])
def test_static_int8_quarters_the_file_and_nearly_keeps_the_answers(
    exported: tuple[nn.Module, Path], tmp_path: Path, as_mapping: bool
) -> None:
    path, small = exported[1], tmp_path / "static.onnx"
    name = onnxruntime.InferenceSession(str(path)).get_inputs()[0].name
    batches = np.split(images(), 4)
    quantize_static(path, small, [{name: each} for each in batches] if as_mapping else batches)
    assert small.stat().st_size < 0.4 * path.stat().st_size
    assert distance(path, small) < 0.05
    assert not logging.root.manager.disable


def test_static_int8_runs_in_integer_kernels(exported: tuple[nn.Module, Path], tmp_path: Path) -> None:
    small = tmp_path / "static.onnx"
    quantize_static(exported[1], small, [images()], ranges="percentile", per_channel=False)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(str(small), options, providers=["CPUExecutionProvider"])
    kinds = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert kinds["QLinearConv"] == 2 and kinds["Conv"] == 0


def test_nodes_named_stay_in_float(exported: tuple[nn.Module, Path], tmp_path: Path) -> None:
    first = next(node.name for node in onnx.load(exported[1]).graph.node if node.op_type == "Conv")
    whole, partly = tmp_path / "whole.onnx", tmp_path / "partly.onnx"
    quantize_static(exported[1], whole, [images()])
    quantize_static(exported[1], partly, [images()], keep=[first])
    reads = {node.name: node.input[1] for node in onnx.load(partly).graph.node if node.op_type == "Conv"}
    assert "Dequantize" not in reads[first]
    assert distance(exported[1], partly) < distance(exported[1], whole)


def test_dynamic_int8_shrinks_linear_layers_without_any_data(
    exported: tuple[nn.Module, Path], tmp_path: Path
) -> None:
    path, small = exported[1], tmp_path / "dynamic.onnx"
    quantize_dynamic(path, small)
    kinds = Counter(node.op_type for node in onnx.load(small).graph.node)
    assert kinds["MatMulInteger"] == 1 and kinds["Conv"] == 2
    assert small.stat().st_size < 0.5 * path.stat().st_size
    assert distance(path, small) < 0.05


def test_calibration_needs_data(exported: tuple[nn.Module, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs calibration data"):
        quantize_static(exported[1], tmp_path / "none.onnx", [])


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"")
    for change in (to_float16, quantize_dynamic, lambda a, b: quantize_static(a, b, [images()])):
        with pytest.raises(ValueError, match="no ONNX model"):
            change(wrong, tmp_path / "out.onnx")
