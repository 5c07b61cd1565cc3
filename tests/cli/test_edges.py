"""What happens where the program meets the world: errors, terminals, pipes, full disks."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

from tests.cli.conftest import Run
from trabecula.cli import console, edge, progress
from trabecula.cli.app import app
from trabecula.progress import Progress


def trabecula(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trabecula", *(str(word) for word in words)]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_help_lists_every_command_and_the_exit_codes(run: Run) -> None:
    done = run("--help")
    assert done.exit_code == 0
    for word in ("solve", "check", "show", "export", "problems", "130 interrupted"):
        assert word in " ".join(done.stdout.split())


def test_the_version_is_printed(run: Run) -> None:
    import trabecula as package

    assert run("--version").stdout.strip() == package.__version__


def test_every_command_has_a_help(run: Run) -> None:
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert run(name, "--help").exit_code == 0


def test_no_command_is_the_help_and_bad_usage(run: Run) -> None:
    done = run()
    assert done.exit_code == 2
    assert "Usage" in done.output


def raiser(error: BaseException) -> typer.Typer:
    one = typer.Typer()

    def command() -> None:
        raise error

    one.command()(edge.guarded(command))
    return one


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            OSError(28, "No space left on device", "out/density.npy"),
            2,
            "out/density.npy: no space left on device",
        ),
        (OSError("strange"), 2, "strange"),
        (PermissionError(13, "Permission denied", "out"), 2, "out: permission denied"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("division by zero"), 1, "internal error: ZeroDivisionError: division by zero"),
    ],
)
def test_every_error_is_one_line(error: BaseException, code: int, said: str) -> None:
    from typer.testing import CliRunner

    done = CliRunner().invoke(raiser(error), [], env={"TRABECULA_DEBUG": ""})
    assert done.exit_code == code
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_debugging_shows_the_traceback() -> None:
    from typer.testing import CliRunner

    done = CliRunner().invoke(raiser(ZeroDivisionError("here")), [], env={"TRABECULA_DEBUG": "1"})
    assert isinstance(done.exception, ZeroDivisionError)


def test_a_full_disk_is_an_error_without_a_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        done = trabecula("problems", stdout=full)
    assert done.returncode == 2
    assert "no space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_went_away_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        done = trabecula("problems", stdout=pipe)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_ctrl_c_before_anything_runs_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from trabecula.cli import app as module

    def interrupted(app: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(module.app), "__call__", interrupted)
    with pytest.raises(SystemExit) as end:
        module.main()
    assert end.value.code == 130


STEP = Progress("fine", 3, 12.5, 0.01, 0.4, 1.5, 0.5, np.full((2, 2), 0.4))


def shown(monkeypatch: pytest.MonkeyPatch, terminal: bool, quiet: bool) -> str:
    text = StringIO()
    monkeypatch.setattr(
        progress,
        "messages",
        lambda: Console(file=text, force_terminal=terminal, width=100, color_system=None),
    )
    with progress.reporting(quiet) as report:
        report(STEP)
        report(STEP)
    return text.getvalue()


def test_a_terminal_gets_a_bar_with_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=True, quiet=False)
    for part in ("fine", "iteration 3", "compliance 12.5", "change 0.01", "0:00:0"):
        assert part in text


def test_a_file_gets_a_line_a_stage_without_control_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=False, quiet=False)
    assert text.count("\n") == 1
    assert "\x1b" not in text and "\r" not in text


def test_quiet_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, terminal=True, quiet=True) == ""


def test_a_spinner_only_turns_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = StringIO()
    monkeypatch.setattr(
        console, "messages", lambda: Console(file=text, force_terminal=True, color_system=None)
    )
    with console.waiting("writing stl"):
        pass
    assert "writing stl" in text.getvalue()


@pytest.mark.parametrize(
    ("value", "said"),
    [(3.21, "3.21 s"), (99.94, "99.9 s"), (135, "2 min 15 s"), (7384, "2 h 03 min")],
)
def test_durations_read_as_people_say_them(value: float, said: str) -> None:
    assert console.seconds(value) == said


def test_numbers_that_do_not_exist_are_a_dash() -> None:
    assert console.number(None) == console.number(float("nan"), "J") == console.percent(float("inf")) == "–"
    assert console.number(12.345678, "J") == "12.346 J"
    assert console.percent(0.0835) == "8.35 %"
