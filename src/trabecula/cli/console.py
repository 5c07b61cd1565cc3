"""How numbers and tables look on a terminal, and on anything that is none."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def output() -> Console:
    """The console for results (stdout); colours only on a terminal, and none where NO_COLOR is set."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False)


def messages() -> Console:
    """The console for everything else (stderr): progress, warnings, hints."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


@contextmanager
def waiting(text: str, quiet: bool = False) -> Iterator[None]:
    """Show `text` with a spinner on stderr while something uncountable goes on; nothing off a terminal."""
    console = messages()
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


def print_json(values: object) -> None:
    """Print one JSON object on stdout; infinite and undefined numbers become null."""
    import json

    print(json.dumps(_finite(values), allow_nan=False))


def _finite(values: object) -> object:
    if isinstance(values, dict):
        return {key: _finite(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    for name, value in pairs:
        output().print(f"  {name:<14}{value}", markup=False, soft_wrap=True)


def number(value: float | None, unit: str = "", digits: int = 5) -> str:
    """A number with its unit, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}g} {unit}".rstrip()


def percent(value: float | None) -> str:
    """A share in percent, or a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.3g} %"


def seconds(value: float) -> str:
    """A duration as people say it."""
    if value < 100:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
