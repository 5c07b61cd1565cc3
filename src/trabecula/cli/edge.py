"""Where exceptions become one message and an exit code."""

from __future__ import annotations

import functools
import gc
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, ParamSpec, TextIO

import typer

from trabecula.cli.signals import code_of, name_of
from trabecula.storage.visible import visible

SOLVED = 0
INTERNAL = 1
BAD_INPUT = 2
NOT_CONVERGED = 3
DIFFERS = 4

CODES = (
    "0 done, 2 bad input, 3 not converged, infeasible or diverged, 4 check differs,"
    " 130 interrupted (SIGINT), 143 terminated (SIGTERM, SIGHUP), 1 a mistake of trabecula"
)

P = ParamSpec("P")


def say(message: str) -> None:
    """Print a line to stderr, whatever characters the terminal knows; what it would obey is made visible."""
    typer.echo(visible(message), err=True)


def fail(message: str, code: int = BAD_INPUT) -> NoReturn:
    """Say what is wrong in one message and end with `code`."""
    say(f"trabecula: {message}")
    raise typer.Exit(code)


@contextmanager
def continuing(how: str) -> Iterator[None]:
    """Say how work that keeps checkpoints goes on, where it is interrupted or terminated."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        fail(f"{name_of(interrupt)}; {how}", code_of(interrupt))


@contextmanager
def noting() -> Iterator[None]:
    """Say a `NoteWarning` in one line, as everything else is said."""
    from trabecula.status import NoteWarning

    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, NoteWarning):
                say(f"trabecula: note: {message}")
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def guard(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command so that no exception reaches the user as a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        gc.enable()  # it was off while the command was loaded
        try:
            with noting():
                command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except KeyboardInterrupt as interrupt:
            fail(name_of(interrupt), code_of(interrupt))
        except Exception as error:
            if os.environ.get("TRABECULA_DEBUG", "") not in ("", "0"):
                raise
            message, code = explain(error)
            fail(message, code)

    return run


def explain(error: Exception) -> tuple[str, int]:
    """What to say about an exception, and the exit code it stands for."""
    from trabecula.physics.compiled_core import CoreError, InstructionSetError
    from trabecula.physics.machine import MachineError
    from trabecula.problem import ProblemError
    from trabecula.problem.tables import BrokenEntryError, UnknownNameError, plugin_of
    from trabecula.status import EXPLANATIONS, NoDesignError
    from trabecula.storage.reading import UnreadableError

    if isinstance(error, NoDesignError):
        return str(error), EXPLANATIONS[error.status].code
    refusals = (
        ProblemError,
        UnreadableError,
        UnknownNameError,
        BrokenEntryError,
        CoreError,
        InstructionSetError,
        MachineError,
    )
    if isinstance(error, refusals):
        return str(error), BAD_INPUT
    if isinstance(error, MemoryError):
        return "not enough memory for this problem; lower domain.elements", BAD_INPUT
    if isinstance(error, OSError):
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        return (f"{error.filename}: {reason}" if error.filename else reason), BAD_INPUT
    plugin = plugin_of(error)
    if plugin is not None:
        return (
            f"the module {plugin!r} of TRABECULA_PLUGINS failed ({type(error).__name__}: {error}); mend it "
            "(TRABECULA_DEBUG=1 shows where it happened), or take it out of the variable"
        ), BAD_INPUT
    hint = "this is a mistake of trabecula, not yours; TRABECULA_DEBUG=1 shows where it happened"
    return f"internal error: {type(error).__name__}: {error} ({hint})", INTERNAL
