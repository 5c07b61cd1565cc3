"""The list of commands, and the way in."""

from __future__ import annotations

import copy
import gc
import sys
from typing import Annotated

import typer
from typer.models import CommandInfo

import trabecula
from trabecula.cli.check import check
from trabecula.cli.distill import distill
from trabecula.cli.edge import (
    BAD_INPUT,
    CODES,
    SOLVED,
    guard,
    say,
)
from trabecula.cli.export import export
from trabecula.cli.gallery import gallery
from trabecula.cli.generate import generate
from trabecula.cli.history import history
from trabecula.cli.problems import problems
from trabecula.cli.profile import profile
from trabecula.cli.schema import schema
from trabecula.cli.show import show
from trabecula.cli.signals import INTERRUPTED, Listener, code_of
from trabecula.cli.solve import solve
from trabecula.cli.streams import flush, shield
from trabecula.cli.train import train
from trabecula.cli.tune import tune

app = typer.Typer(
    name="trabecula",
    help="Topology optimisation where a real solver finishes and a certificate proves what was reached.",
    epilog=f"Exit codes: {CODES}. TRABECULA_DEBUG=1 shows where an internal error came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(trabecula.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Topology optimisation where a real solver finishes and a certificate proves what was reached."""


COMMANDS = (solve, gallery, check, show, export, problems, schema, generate, distill, profile, tune, train)
for command in COMMANDS:
    app.command()(guard(command))
app.add_typer(history, name="history")


def main(listener: Listener) -> None:
    """Run the command line and end the process with its exit code.

    Parameters
    ----------
    listener
        That handles signals already.
    """
    before = sys.stdout, sys.stderr
    outlet = shield()
    try:
        code = _code()
        listener.is_over = True
    except KeyboardInterrupt as interrupt:
        code = code_of(interrupt)
    listener.is_over = True
    if code == INTERRUPTED:  # typer makes that of every interrupt it meets itself
        code = listener.code or code
    failed = flush(outlet)
    if failed is not None:
        say(f"trabecula: cannot write the output ({(failed.strerror or str(failed)).lower()})")
        code = BAD_INPUT
    sys.stderr.flush()
    sys.stdout, sys.stderr = before
    gc.freeze()  # a process that ends need not look for cycles among all it loaded: a tenth of a second
    sys.exit(code)


def _code() -> str | int | None:
    """Run what the words ask for; the exit code."""
    try:
        _with_only(sys.argv[1:2])(prog_name="trabecula")
    except SystemExit as end:
        return end.code
    return SOLVED


def _with_only(asked: list[str]) -> typer.Typer:
    """The list with the one command that was asked for; typer works all of them out, used or not."""
    chosen = [command for command in app.registered_commands if _name(command) in asked]
    if not chosen:
        return app
    short = copy.copy(app)
    short.registered_commands, short.registered_groups = chosen, []
    return short


def _name(command: CommandInfo) -> str | None:
    return getattr(command.callback, "__name__", None)
