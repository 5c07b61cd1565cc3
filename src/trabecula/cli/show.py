"""`trabecula show`: what a saved result says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved result.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Show a saved result: figures, certificate and files."""
    from trabecula.cli.summary import print_summary
    from trabecula.result import Result

    result = Result.load(folder)
    if as_json:
        typer.echo(json.dumps(result.to_json(folder), allow_nan=False))
    else:
        print_summary(result, folder)
