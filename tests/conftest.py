"""No test reads or writes the history, or the networks, of whoever runs it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NOWHERE = Path(tempfile.gettempdir()) / "trabecula-tests-keep-no-history"

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # some tests import onnxruntime themselves
os.environ["TRABECULA_HISTORY"] = "0"
os.environ["TRABECULA_HISTORY_DIR"] = str(NOWHERE)
os.environ["TRABECULA_TASTE_DIR"] = str(NOWHERE / "taste")
os.environ["TRABECULA_NETWORKS"] = "0"
os.environ["TRABECULA_NETWORKS_DIR"] = str(NOWHERE)


@pytest.fixture
def quick_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of solids with ragged edges, in a third of the time, where nobody looks at them."""
    monkeypatch.setattr("trabecula.drawing.render.SUPERSAMPLING", 1)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_remembered() -> Iterator[None]:
    """Tests of the history have folders of their own."""
    yield
    assert not NOWHERE.exists()
