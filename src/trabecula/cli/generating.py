"""How far a data set is: a bar on a terminal, a line now and then anywhere else; always on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trabecula.cli.console import messages, seconds

if TYPE_CHECKING:
    from trabecula.learning.workers import Tally

SELDOM = 30.0
"""Seconds from line to line off a terminal."""


@contextmanager
def counting(count: int, there: int, quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """A callable that shows how many problems are done, of `count`, `there` of them from the start."""
    console = messages()
    if quiet:
        yield lambda tally: None
        return
    began = time.monotonic()

    def figures(tally: Tally) -> str:
        done, elapsed = tally.samples + tally.failures, time.monotonic() - began
        left = (count - there - done) * elapsed / max(done, 1)
        rate = f"{60 * done / max(elapsed, 1e-9):.3g} a minute"
        return f"{there + done}/{count}  {rate}  {tally.failures} skipped  {seconds(left)} left"

    if not console.is_terminal:
        last = [-SELDOM]

        def line(tally: Tally) -> None:
            if time.monotonic() - last[0] >= SELDOM:
                last[0] = time.monotonic()
                console.print(figures(tally), markup=False, soft_wrap=True)

        yield line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=4, transient=True) as bar:
        task = bar.add_task("", total=count, completed=there, figures="starting")

        def report(tally: Tally) -> None:
            done = there + tally.samples + tally.failures
            bar.update(task, completed=done, figures=figures(tally))

        yield report
