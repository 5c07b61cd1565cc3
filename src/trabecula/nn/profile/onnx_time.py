"""How long the nodes of an ONNX model take in ONNX Runtime, as it really runs them: fused."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trabecula.nn.profile.latency import Latency, measure
from trabecula.nn.profile.layer import Layer
from trabecula.nn.profile.onnx_walk import example_inputs
from trabecula.onnx_runtime import onnx_runtime
from trabecula.storage.reading import parse_json, read_text

if TYPE_CHECKING:
    from onnx import ModelProto

_LOG = 1 << 30
"""Bytes of the runtime's own log at most."""

# What ONNX Runtime puts around the name of a node or tensor when it rewrites the graph.
RENAMED = re.compile(r"^InsertedPrecisionFreeCast_|_nchwc$|_token_\d+$|/duplicated.*$")


@dataclass(frozen=True)
class OnnxTimes:
    """Seconds of a model.

    Parameters
    ----------
    whole
        A run, without profiling.
    layers
        Seconds of every layer in every run; zeros for a layer fused into the one before it.
    other
        Seconds of nodes the runtime added (layout changes, quantisation), per run.
    """

    whole: Latency
    layers: list[list[float]]
    other: list[float]


def session(model: ModelProto, threads: int, profile_to: Path | None = None) -> Any:
    """An `InferenceSession` on the CPU with a fixed number of threads and all optimisations."""
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if profile_to:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile_to)
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ValueError(f"ONNX Runtime refuses this model: {' '.join(str(error).split())}") from None


def time_model(model: ModelProto, layers: Sequence[Layer], threads: int, runs: int, warmup: int) -> OnnxTimes:
    """Time a model and its nodes.

    Parameters
    ----------
    model
        With fixed input shapes and named nodes.
    layers
        Its layers.
    threads, runs, warmup
        Threads inside an operator; timed runs, and runs before them.

    Raises
    ------
    ValueError
        Where ONNX Runtime cannot load or run the model.
    """
    feed = example_inputs(model)
    plain = session(model, threads)
    try:
        whole = measure(lambda: plain.run(None, feed), runs, warmup)
    except Exception as error:
        raise ValueError(f"ONNX Runtime cannot run this model: {' '.join(str(error).split())}") from None
    with tempfile.TemporaryDirectory() as folder:
        watched = session(model, threads, Path(folder) / "profile")
        for _ in range(warmup + runs):
            watched.run(None, feed)
        log = Path(watched.end_profiling())
        events = parse_json(read_text(log, _LOG), log, _LOG)
    assert isinstance(events, list), "the runtime's own log"
    return _share_out(whole, layers, _node_seconds(events, warmup), runs)


def _node_seconds(events: Sequence[dict[str, object]], warmup: int) -> dict[str, list[float]]:
    """Seconds by node of the runtime's graph, warm-up left out."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for event in events:
        name = str(event.get("name", ""))
        if event.get("cat") == "Node" and name.endswith("_kernel_time"):
            seconds[name.removesuffix("_kernel_time")].append(float(str(event["dur"])) * 1e-6)
    return {name: each[warmup:] for name, each in seconds.items()}


def _share_out(
    whole: Latency, layers: Sequence[Layer], nodes: dict[str, list[float]], runs: int
) -> OnnxTimes:
    """Give every node's time to the layer it is, or stands for."""
    places = {layer.name: place for place, layer in enumerate(layers)}
    writers = {name: place for place, layer in enumerate(layers) for name in layer.writes}
    found: list[list[float]] = [[0.0] * runs for _ in layers]
    other = [0.0] * runs
    unclaimed: list[tuple[str, list[float]]] = []
    own: set[int] = set()
    for raw, seconds in nodes.items():
        name = raw if raw in places else RENAMED.sub("", raw)
        place = places.get(name)
        if place is None:
            unclaimed.append((name, seconds))
        else:
            own.add(place)
            found[place] = _sum(found[place], seconds)
    for name, seconds in unclaimed:
        # A fused convolution is named after the tensor that the last node fused into it writes.
        last = writers.get(name)
        place = None if last is None else _head(layers, writers, last, own)
        if place is None:
            other = _sum(other, seconds)
        else:
            found[place] = _sum(found[place], seconds)
    return OnnxTimes(whole, found, other)


def _sum(left: Sequence[float], right: Sequence[float]) -> list[float]:
    return [a + b for a, b in zip(left, right, strict=True)]


def _head(layers: Sequence[Layer], writers: dict[str, int], place: int, own: set[int]) -> int:
    """The multiplying layer at the head of a chain that was fused, or where the chain is known to end."""
    while not layers[place].heavy:
        before = [writers[name] for name in layers[place].reads if name in writers]
        heads = [each for each in before if each not in own]
        if not heads:
            break
        place = heads[0]
    return place
