"""Loading without looking for cycles in what is loaded, for that stays.

Python's collector goes through everything again and again while hundreds of modules are loaded: 0.06 s of
processor time before a small solve begins.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Leave cycles alone while the block imports modules."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
