"""`trabecula problems`: the named problems."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from trabecula.cli.edge import fail

if TYPE_CHECKING:
    from trabecula.problem import Problem


def problems(
    name: Annotated[str | None, typer.Argument(help="Print this problem as a file to start from.")] = None,
) -> None:
    """List the named problems, or print one as a problem file."""
    from trabecula.problem import dump
    from trabecula.problem import problems as named

    if name is not None:
        typer.echo(dump(get(name)), nl=False)
        return
    for each in named.names():
        typer.echo(f"{each:<16} {_line(named.get(each))}")
    typer.echo(
        "\ntrabecula solve NAME solves one; trabecula problems NAME > my.yaml writes it down to change."
    )


def get(name: str) -> Problem:
    """The problem of that name, or a message with the nearest known name."""
    from trabecula.problem import problems as named

    names = list(named.names())
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        nearest = f"; did you mean {near[0]}?" if near else ""
        fail(f"no file and no named problem is called {name!r}{nearest} (`trabecula problems` lists them)")
    return named.get(name)


def _line(problem: Problem) -> str:
    elements = " x ".join(str(n) for n in problem.domain.elements)
    cases = "" if len(problem.cases) == 1 else f", {len(problem.cases)} load cases"
    return f"{elements:<18} {problem.name}{cases}"
