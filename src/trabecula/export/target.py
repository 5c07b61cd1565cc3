"""Where a file goes: a path, or anything open for writing bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

Target = Path | str | IO[bytes]
"""A path, or a binary file open for writing."""

Unit = Literal["m", "mm"]
"""What the numbers in a surface file mean; STL itself does not say."""


@contextmanager
def open_target(target: Target) -> Iterator[IO[bytes]]:
    """Open a path for writing bytes; a file that is already open is passed on and left open."""
    if isinstance(target, Path | str):
        with Path(target).open("wb") as file:
            yield file
    else:
        yield target


def per_metre(unit: Unit) -> float:
    """How many units a metre is.

    Raises
    ------
    ValueError
        If the unit is neither "m" nor "mm".
    """
    if unit not in {"m", "mm"}:
        raise ValueError(f'unit: {unit!r} given; "m" or "mm" are allowed')
    return 1000.0 if unit == "mm" else 1.0
