"""`trabecula check`: a saved result, verified again from its files alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.console import output, print_json, waiting
from trabecula.cli.edge import DIFFERS, say

if TYPE_CHECKING:
    from trabecula.certificate.independent import Recheck

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
    from trabecula.result import Result

    result = Result.load(folder)
    with waiting("checking"):
        found = result.check(threads)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found, result.problem.name)
    if not found.ok:
        names = ", ".join(each.name for each in found.checks if each.verdict == "differs")
        say(f"trabecula: {folder}: differs from what it claims: {names}")
        raise typer.Exit(DIFFERS)


def _print(found: Recheck, name: str) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "claimed", "recomputed", "verdict", box=None, pad_edge=False, padding=(0, 2))
    for each in found.checks:
        verdict = Text(each.verdict, COLOURS[each.verdict])
        if each.note and each.verdict != "ok":
            verdict.append(f" ({each.note})", "dim")
        table.add_row(each.name, _value(each.claimed), _value(each.recomputed), verdict)
    output().print(Text.assemble((name, "bold"), f"  {found.method}"), soft_wrap=True)
    output().print(table)


def _value(value: float | bool | None) -> str:
    if value is None:
        return "–"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.7g}"
