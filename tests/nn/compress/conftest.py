"""One thread: more would wait for each other on networks this small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trabecula.nn.profile import torch_threads


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    with torch_threads(1):
        yield
