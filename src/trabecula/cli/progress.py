"""The progress bar on a terminal, a line a stage anywhere else; always on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trabecula.cli.console import messages, number, seconds

if TYPE_CHECKING:
    from rich.console import Console

    from trabecula.strategy.progress import Progress as Step

Report = Callable[["Step"], None]


@contextmanager
def reporting(quiet: bool) -> Iterator[Report]:
    """A callable for `solve(progress=...)` that shows stage, iteration, compliance, change and time."""
    if quiet:
        yield lambda step: None
        return
    console = messages()  # loads rich
    if console.is_terminal:
        with _bar(console) as report:
            yield report
    else:
        yield _lines(console)


@contextmanager
def _bar(console: Console) -> Iterator[Report]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<12}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=8, transient=True) as bar:
        task = bar.add_task("start", total=1.0, figures="")

        def report(step: Step) -> None:
            if step.done:
                console.print(finished(step), markup=False, soft_wrap=True)
            bar.update(task, description=step.stage, completed=step.fraction, figures=figures(step))

        yield report


def _lines(console: Console) -> Report:
    seen: list[str] = []

    def report(step: Step) -> None:
        if step.done:
            console.print(finished(step), markup=False, soft_wrap=True)
        elif step.stage not in seen:
            seen.append(step.stage)
            console.print(f"{step.stage}: {figures(step)}", markup=False, soft_wrap=True)

    return report


def finished(step: Step) -> str:
    """That there is a design already, while the search goes on."""
    reached = f"compliance about {number(step.compliance, digits=3)} after {seconds(step.seconds)}"
    return f"a first design is finished: {reached}; searching on"


def figures(step: Step) -> str:
    """The figures of one step in a line."""
    change = number(step.change, digits=2)
    return f"iteration {step.iteration}  compliance {number(step.compliance)}  change {change}"
