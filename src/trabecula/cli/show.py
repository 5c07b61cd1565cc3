"""`trabecula show`: what a saved result says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a saved result.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Show a saved result: figures, certificate and files."""
    from trabecula.cli.console import print_json
    from trabecula.cli.summary import print_summary
    from trabecula.results.result import Result

    result = Result.load(folder)
    if as_json:
        print_json(result.to_json(folder))
    else:
        print_summary(result, folder)
