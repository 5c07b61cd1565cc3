"""Fewer bits for an ONNX model: float16, or int8 with ranges learned from examples."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trabecula.nn.profile.onnx_walk import input_names, read_model
from trabecula.onnx_runtime import onnx_runtime

Feed = Mapping[str, NDArray[np.generic]]
Ranges = Literal["minmax", "entropy", "percentile"]


def to_float16(source: Path | str, target: Path | str) -> None:
    """Store an ONNX model's numbers in 16 bits; inputs and outputs stay float32.

    The file halves. ONNX Runtime computes most operators on a CPU in float32 all the same (casts around
    them cost time); accelerators with float16 arithmetic gain.

    Parameters
    ----------
    source, target
        Files.

    Raises
    ------
    ValueError
        Where the package `onnx` is missing, or the file no ONNX model.
    """
    model = read_model(Path(source))
    import onnx

    with _quiet():
        converted = onnx_runtime("transformers.float16").convert_float_to_float16(model, keep_io_types=True)
        onnx.save(converted, str(target))


def quantize_dynamic(source: Path | str, target: Path | str) -> None:
    """Store weights in 8 bits and find the range of activations anew in every run.

    Needs no data. Suits linear and recurrent layers; convolutions become slow integer ones on many CPUs, so
    only matrix products are quantised here.

    Parameters
    ----------
    source, target
        Files.

    Raises
    ------
    ValueError
        Where the package `onnx` is missing, or the file no ONNX model.
    """
    read_model(Path(source))
    quantization = onnx_runtime("quantization")
    with _prepare(source) as prepared:
        quantization.quantize_dynamic(
            prepared,
            str(target),
            op_types_to_quantize=["MatMul", "Gemm", "LSTM", "Attention"],
            weight_type=quantization.QuantType.QInt8,
            reduce_range=True,
        )


def quantize_static(
    source: Path | str,
    target: Path | str,
    calibration: Iterable[Feed | NDArray[np.generic]],
    *,
    ranges: Ranges = "minmax",
    per_channel: bool = True,
    keep: Iterable[str] = (),
) -> None:
    """Store weights and activations in 8 bits, activation ranges fixed from calibration data.

    Weights use seven of their bits, so that the answers are the same on every CPU: without VNNI, integer
    kernels saturate at eight.

    Parameters
    ----------
    source, target
        Files.
    calibration
        Inputs as the network will meet them: arrays (for a network of one input) or name to array. A hundred
        examples are plenty.
    ranges
        `minmax` keeps everything seen; `percentile` and `entropy` cut rare large values.
    per_channel
        A scale for every output channel of a weight instead of one for all.
    keep
        Names of nodes that stay in float32 (first and last layers are the usual ones).

    Raises
    ------
    ValueError
        Where there are no calibration data, the package `onnx` is missing, or the file no ONNX model.
    """
    model = read_model(Path(source))
    quantization = onnx_runtime("quantization")
    feeds = [
        each if isinstance(each, Mapping) else {input_names(model)[0]: np.asarray(each)}
        for each in calibration
    ]
    if not feeds:
        raise ValueError("static quantisation needs calibration data: inputs as the network will meet them")
    methods = {
        "minmax": quantization.CalibrationMethod.MinMax,
        "entropy": quantization.CalibrationMethod.Entropy,
        "percentile": quantization.CalibrationMethod.Percentile,
    }
    with _prepare(source) as prepared:
        quantization.quantize_static(
            prepared,
            str(target),
            _reader(feeds),
            quant_format=quantization.QuantFormat.QDQ,
            # Unsigned activations: the integer kernels of CPUs want one signed and one unsigned factor.
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=per_channel,
            # Seven bits of weight: CPUs without VNNI add pairs of products in 16 bits, which eight overflow.
            reduce_range=True,
            calibrate_method=methods[ranges],
            nodes_to_exclude=list(keep),
        )


def _reader(feeds: list[Feed]) -> object:
    class Reader(onnx_runtime("quantization").CalibrationDataReader):  # type: ignore[misc]
        """Hands out the feeds one by one."""

        def __init__(self) -> None:
            self._rest: Iterator[Feed] = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._rest, None)

    return Reader()


@contextmanager
def _prepare(source: Path | str) -> Iterator[str]:
    """The model with shapes known and normalisations folded, in a file of its own."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = str(Path(folder) / "prepared.onnx")
        prepare = onnx_runtime("quantization.shape_inference").quant_pre_process
        prepare(str(source), path, skip_symbolic_shape=True)
        yield path


@contextmanager
def _quiet() -> Iterator[None]:
    """Without advice meant for the command line of the tools used."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
