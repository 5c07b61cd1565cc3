"""What the commands of `trabecula taste` have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from trabecula.cli.edge import fail

Name = Annotated[str, typer.Option("--profile", "-p", metavar="NAME", help="Whose taste.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@contextmanager
def explain_taste_errors() -> Iterator[None]:
    """What no profile or gallery can be asked for is no mistake of the program."""
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        fail(str(error))
