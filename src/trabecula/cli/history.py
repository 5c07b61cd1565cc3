"""`trabecula history`: what was solved on this machine, and forgetting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import fail, guard
from trabecula.storage.visible import on_one_line, visible

if TYPE_CHECKING:
    from trabecula.learning.history import Entry, SimilarDesign

history = typer.Typer(
    help="Past solves, kept on this machine only; the nearest one is tried as a proposal.",
    no_args_is_help=True,
)


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """List what is kept, the newest first."""
    from trabecula.cli.console import print_json
    from trabecula.learning.history import is_on, open_history

    with explain_history_errors():
        store = open_history()
        entries = store.entries()
    if as_json:
        print_json(
            {
                "folder": str(store.folder),
                "on": is_on(),
                "limit": store.limit,
                "bytes": sum(entry.bytes for entry in entries),
                "entries": [entry.to_json() for entry in entries],
            }
        )
    else:
        _print(entries, store.limit, is_on())


def similar(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved result.")],
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="How many to list.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """List the past designs most like a result's, mirror images and turns considered."""
    from trabecula.cli.console import print_json
    from trabecula.learning.history import open_history
    from trabecula.learning.history import similar as most_like
    from trabecula.results.result import Result
    from trabecula.surrogate import coder

    result = Result.load(folder)
    by = coder(result.density.ndim)
    with explain_history_errors():
        found = most_like(open_history(), result, count, by)
    if as_json:
        print_json({"by": by.label, "similar": [one.to_json() for one in found]})
    else:
        _print_similar(found)


def clear(
    networks: Annotated[
        bool, typer.Option("--networks", help="Remove the networks that were made from it, too.")
    ] = False,
) -> None:
    """Remove all that is kept; files that the history did not write stay."""
    from trabecula.cli.console import output
    from trabecula.learning.history import open_history
    from trabecula.surrogate import user_networks

    with explain_history_errors():
        store = open_history()
        count = store.clear()
        left = len(store.entries())
        made = (
            user_networks.clear()
            if networks
            else sum(len(user_networks.versions(name)) for name in user_networks.names())
        )
    said = [f"{_count_text(count, 'solve')} removed from {store.folder}"]
    if left:
        stay = "stays" if left == 1 else "stay"
        said.append(f"{_count_text(left, 'solve')} without the mark of this version {stay}; remove by hand")
    if networks:
        said.append(f"{_count_text(made, 'network')} removed from {user_networks.folder()}")
    elif made:
        stay = "stays; --networks removes it too" if made == 1 else "stay; --networks removes them too"
        said.append(f"{_count_text(made, 'network')} made from past solves {stay}")
    for text in said:
        output().print(text, markup=False, soft_wrap=True)


def _count_text(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def networks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """List the networks that were fine-tuned on what is kept (`trabecula train KIND --from-history`)."""
    from trabecula.cli.user_networks import networks as listed

    listed(as_json)


def path() -> None:
    """Print the folder it is kept in."""
    from trabecula.learning.history import folder

    with explain_history_errors():
        typer.echo(visible(str(folder())))


for _name, _command in (
    ("list", list_),
    ("similar", similar),
    ("clear", clear),
    ("path", path),
    ("networks", networks),
):
    history.command(_name)(guard(_command))


@contextmanager
def explain_history_errors() -> Iterator[None]:
    """A history that cannot be read is no mistake of the program."""
    import sqlite3

    try:
        yield
    except typer.Exit:  # which is a RuntimeError
        raise
    except (sqlite3.Error, RuntimeError) as error:
        fail(f"the history cannot be read ({error}); TRABECULA_HISTORY_DIR names another folder")


def _print(entries: list[Entry], limit: int, on: bool) -> None:
    from datetime import datetime

    from rich.table import Table
    from rich.text import Text

    from trabecula.cli.console import number, output, percent

    table = Table("when", "name", "elements", "compliance", "volume", "", "kB", box=None, pad_edge=False)
    for entry in entries:
        when = datetime.fromtimestamp(entry.made).strftime("%Y-%m-%d %H:%M")
        elements = " x ".join(map(str, entry.elements))
        figures = (number(entry.compliance), percent(entry.volume), entry.word, f"{entry.bytes / 1e3:.0f}")
        table.add_row(when, Text(on_one_line(entry.name)), elements, *figures)
    if entries:
        output().print(table)
    used = sum(entry.bytes for entry in entries) / 1e6
    state = "" if on else "; TRABECULA_HISTORY switches it off"
    text = f"{len(entries)} kept, {used:.3g} of {limit / 1e6:g} MB{state}"
    output().print(text, markup=False, soft_wrap=True)


def _print_similar(found: list[SimilarDesign]) -> None:
    from rich.table import Table
    from rich.text import Text

    from trabecula.cli.console import number, output, percent

    if not found:
        output().print("nothing like it is kept")
        return
    table = Table("difference", "name", "elements", "compliance", "volume", "", box=None, pad_edge=False)
    for one in found:
        entry = one.entry
        elements = " x ".join(map(str, entry.elements))
        figures = (number(entry.compliance), percent(entry.volume), entry.word)
        table.add_row(f"{one.difference:.3f}", Text(on_one_line(entry.name)), elements, *figures)
    output().print(table)
