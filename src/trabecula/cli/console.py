"""How numbers and tables look on a terminal, and on anything that is none."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from trabecula.storage.visible import on_one_line

if TYPE_CHECKING:
    from rich.console import Console


def output() -> Console:
    """The console for results (stdout); colours only on a terminal, and none where NO_COLOR is set."""
    return _console(sys.stdout)


def messages() -> Console:
    """The console for everything else (stderr): progress, warnings, hints."""
    return _console(sys.stderr)


def _console(file: IO[str]) -> Console:
    """A console on which a text is just that: no markup, no escapes (`trabecula.cli.plain`)."""
    from trabecula.cli.plain import PlainConsole

    return PlainConsole(file=file, highlight=False, markup=False, emoji=False)


@contextmanager
def waiting(text: str, quiet: bool = False) -> Iterator[None]:
    """Show `text` with a spinner on stderr while something uncountable goes on; nothing off a terminal."""
    if quiet:
        yield
        return
    console = messages()  # loads rich
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


def print_json(values: object) -> None:
    """Print one JSON object on stdout; infinite and undefined numbers become null.

    All but ASCII is written as escapes of JSON, and DEL too: nothing that a terminal obeys.
    """
    import json

    print(json.dumps(_finite(values), allow_nan=False).replace("\x7f", "\\u007f"))


def _finite(values: object) -> object:
    if isinstance(values, dict):
        return {key: _finite(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_finite(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values


def print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    for name, value in pairs:
        output().print(f"  {name:<13} {on_one_line(value)}", soft_wrap=True)


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
