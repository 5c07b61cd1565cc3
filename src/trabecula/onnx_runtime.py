"""ONNX Runtime without its telemetry; the one place that imports it.

`import onnxruntime` (measured with 1.32) writes a device id and a store of events under the user's cache,
`~/.cache/Microsoft` on Linux, and reports to its maker over the network. Its switch in Python,
`disable_telemetry_events`, comes too late for the files, which are written during the import; only the
environment variable prevents them. A test forbids importing it anywhere else in the package.

Where a program imports onnxruntime itself before it uses trabecula, the id has been written by then and we
cannot take it back; the switch then ends what would still be sent. Such a program sets
`ORT_DISABLE_TELEMETRY=1` before its own import.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Environment variable that ONNX Runtime reads once, while it is imported."""


def onnx_runtime(part: str = "") -> Any:
    """The module `onnxruntime`, or a part of it, imported with telemetry off.

    Parameters
    ----------
    part
        Dotted name below `onnxruntime`, for example "quantization".

    Raises
    ------
    ImportError
        If it is not installed.
    """
    os.environ[SWITCH] = "1"  # processes that we start inherit it
    runtime = importlib.import_module("onnxruntime")
    quiet = getattr(runtime, "disable_telemetry_events", None)
    if quiet is not None:
        quiet()
    return importlib.import_module(f"onnxruntime.{part}") if part else runtime
