"""`trabecula schema`: what a problem file may hold, for editors and forms."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of the problem file, with what packages and TRABECULA_PLUGINS add to it."""
    from trabecula.problem.schema import schema as make_schema

    typer.echo(json.dumps(make_schema(), indent=1, ensure_ascii=False))
