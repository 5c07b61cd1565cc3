"""`trabecula check`: a saved result, verified again from its files alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import output, print_json, waiting
from trabecula.cli.edge import DIFFERS, say

if TYPE_CHECKING:
    from trabecula.certificate.verdict import Recheck, Value

COLOURS = {"ok": "green", "differs": "red", "unchecked": "yellow"}


def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved result.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1024, help="Threads, where the compiled solver helps."),
    ] = None,
) -> None:
    """Verify a saved result again, from its files alone and by another path than the one that made it.

    Exit code 0: everything agrees; 2: the files cannot be read; 4: something differs.
    """
    from trabecula.results.result import Result

    result = Result.load(folder)
    with waiting("checking"):
        found = result.check(threads)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found, result.problem.name)
        if result.problem.unit_system.name != "SI":
            output().print("figures are in SI, in which all is computed", soft_wrap=True)
    if not found.ok:
        say(f"trabecula: {folder}: differs from what it claims: {', '.join(found.differing)}")
        raise typer.Exit(DIFFERS)


def _print(found: Recheck, name: str) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for column in ("", "claimed", "recomputed", "tolerance", "verdict"):
        table.add_column(column, no_wrap=not column, overflow="fold")
    for each in found.checks:
        verdict = Text(each.verdict, COLOURS[each.verdict])
        if each.note and each.verdict == "differs":
            verdict.append(f" ({each.note})", "dim")
        room = each.tolerance or None
        cells = (each.name, _value(each.claimed), _value(each.recomputed), _value(room, 2))
        table.add_row(*map(Text, cells), verdict)
    output().print(Text.assemble((name, "bold"), f"  {found.method}"), soft_wrap=True)
    output().print(table)
    if any(each.verdict == "unchecked" for each in found.checks):
        output().print("unchecked: nothing follows from it; it was only seen to be possible", soft_wrap=True)


def _value(value: Value, digits: int = 7) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, int | float) else value
