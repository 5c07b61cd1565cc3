"""Signals end the command line with the documented code, and what was reached goes on to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import trabecula as tb
from tests.cli.conftest import Run
from trabecula.cli.app import app
from trabecula.cli.signals import (
    Listener,
    Terminated,
    code_of,
    name_of,
)
from trabecula.problem import problems

SIGNALS = [
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "terminated"),
    (signal.SIGHUP, 143, "terminated"),
]

PLATE = tb.dump(problems.cantilever((44, 22)))

SCRIPT = """
import os, sys
from contextlib import contextmanager
from trabecula.optimize import checkpoint
from trabecula.cli import main, progress
from trabecula.results.result import Result

number, times, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
sys.argv = ["trabecula", *sys.argv[4:]]
checkpoint._PATIENCE = 0.0

def end():
    for _ in range(times):
        os.kill(os.getpid(), number)

@contextmanager
def reporting(quiet):
    seen = []
    def report(step):
        seen.append(step)
        if where == "iteration" and len(seen) == 20:
            end()
    yield report

def plot(self, path=None, plotted=Result.plot):
    if where == "saving":
        end()
    return plotted(self, path)

progress.reporting = reporting
Result.plot = plot
main()
"""

Ends = Callable[..., subprocess.CompletedProcess[str]]


def as_from_a_terminal() -> None:
    """Tests may run behind nohup: what is ignored there a process ignores from birth."""
    for number, *_ in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    """Run a solve that sends itself a signal so many times, in its twentieth iteration or while it saves."""
    (tmp_path / "plate.yaml").write_text(PLATE)

    def go(
        number: int, times: int, where: str, *words: str, **options: object
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(tb.__file__).parent.parent)}
        command = [sys.executable, "-c", SCRIPT, str(int(number)), str(times), where, *words]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            **({"preexec_fn": as_from_a_terminal} | options),
        )  # type: ignore[call-overload, no-any-return]

    return go


def solve(folder: str, *more: str) -> tuple[str, ...]:
    return ("solve", "plate.yaml", "--out", folder, "--start", "uniform", "--threads", "1", "--quiet", *more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of a solve that nobody ends."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "plate.yaml").write_text(PLATE)
    words = ("solve", str(folder / "plate.yaml"), "--out", str(folder / "out"), *solve("")[4:])
    assert CliRunner().invoke(app, words).exit_code == 0
    return folder / "out"


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


@pytest.mark.parametrize("where", ["iteration", "saving"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
def test_a_signal_keeps_what_was_reached_says_so_and_goes_on_to_the_same_bits(
    number: signal.Signals,
    code: int,
    word: str,
    times: int,
    where: str,
    ends: Ends,
    run: Run,
    whole: Path,
    tmp_path: Path,
) -> None:
    ended = ends(number, times, where, *solve("cut"))
    assert ended.returncode == code
    assert ended.stderr == (
        f"trabecula: {word}; what was reached is kept; go on with: trabecula solve --resume cut\n"
    )
    assert list((tmp_path / "cut" / "checkpoint").glob("*.npz"))
    assert leftovers(tmp_path / "cut") == []
    resumed = run("solve", "--resume", tmp_path / "cut", "--threads", "1", "--quiet")
    assert resumed.exit_code == 0, resumed.stderr
    for name in ("density.npy", "state.npz", "design.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_killed_solve_goes_on_to_the_same_bits(ends: Ends, whole: Path, tmp_path: Path) -> None:
    assert ends(signal.SIGKILL, 1, "iteration", *solve("cut")).returncode == -signal.SIGKILL
    assert ends(0, 0, "nowhere", "solve", "--resume", "cut", "--threads", "1", "--quiet").returncode == 0
    assert (tmp_path / "cut" / "density.npy").read_bytes() == (whole / "density.npy").read_bytes()


def test_a_signal_that_is_ignored_stays_ignored(ends: Ends) -> None:
    """As under `nohup`, and for jobs in the background of a script."""

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    assert ends(signal.SIGHUP, 3, "iteration", *solve("on"), preexec_fn=ignore).returncode == 0


def test_only_the_command_line_listens() -> None:
    code = (
        "import signal, trabecula as tb, trabecula.cli\n"
        "numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)\n"
        "before = [signal.getsignal(number) for number in numbers]\n"
        "tb.solve(tb.problems.cantilever((44, 22)), start='uniform', iterations=2)\n"
        "assert [signal.getsignal(number) for number in numbers] == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """A listener, and a process that cannot be ended by it."""

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr("trabecula.cli.signals.os._exit", leave)
    return Listener()


@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
def test_the_second_signal_waits_and_the_third_does_not(
    number: signal.Signals, code: int, word: str, listener: Listener
) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        listener._receive(number, None)
    assert (code_of(caught.value), name_of(caught.value)) == (code, word)
    listener._receive(number, None)
    with pytest.raises(SystemExit) as end:
        listener._receive(number, None)
    assert end.value.code == code


EARLY = """
import os, sys
import trabecula.cli
place, number = sys.argv[1], int(sys.argv[2])
sys.argv = ["trabecula", "problems"]

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == place:
            os.kill(os.getpid(), number)

if place == "parsing":
    import typer.core
    def parse_args(*arguments):
        os.kill(os.getpid(), number)
    typer.core.TyperCommand.parse_args = parse_args
else:
    sys.meta_path.insert(0, Finder())
trabecula.cli.main()
"""


@pytest.mark.parametrize("place", ["trabecula.cli.app", "trabecula.cli.tune", "parsing"])
@pytest.mark.parametrize(("number", "code", "word"), SIGNALS)
def test_a_signal_before_the_command_runs_has_its_code_too(
    number: signal.Signals, code: int, word: str, place: str
) -> None:
    command = [sys.executable, "-c", EARLY, place, str(int(number))]
    done = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=as_from_a_terminal)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_once_the_work_is_done_no_signal_changes_the_exit_code(listener: Listener) -> None:
    listener.is_over = True
    for _ in range(4):
        listener._receive(signal.SIGTERM, None)


MODULE = """
import torch
from trabecula.cli.signals import Terminated
from trabecula.nn.tune import Milliseconds

def halting(trial):
    if trial.number == 2:
        raise Terminated
    yield Milliseconds(1.0)
    yield 0.5

def net():
    return torch.nn.Linear(2, 2)

seen = []
def batches():
    seen.append(0)
    if len(seen) == 3:
        raise Terminated
    yield torch.zeros(4, 2), torch.zeros(4, dtype=torch.long)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module whose work is terminated on the way, in the current folder."""
    name = f"halting_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


@pytest.mark.parametrize(
    ("storage", "said"),
    [(("--storage", "kept.db"), "trials that were finished are kept"), ((), "nothing is kept without")],
)
def test_tuning_says_what_goes_on(run: Run, module: str, storage: tuple[str, ...], said: str) -> None:
    done = run("tune", f"{module}:halting", "--trials", "4", "--quiet", *storage)
    assert done.exit_code == 143
    assert f"terminated; {said}" in done.stderr
    assert Path("kept.db").exists() == bool(storage)


@pytest.mark.parametrize(
    ("checkpoint", "said"),
    [(("--checkpoint", "kept.pt"), "the same command goes on"), ((), "nothing is kept without")],
)
def test_distilling_says_what_goes_on(run: Run, module: str, checkpoint: tuple[str, ...], said: str) -> None:
    names = ("--data", f"{module}:batches", "--epochs", "9", "--quiet")
    done = run("distill", f"{module}:net", f"{module}:net", *names, *checkpoint)
    assert done.exit_code == 143
    assert f"terminated; {said}" in done.stderr
    assert Path("kept.pt").exists() == bool(checkpoint)


def halt(*arguments: object, **named: object) -> None:
    raise Terminated


@pytest.mark.parametrize(
    ("place", "words", "said"),
    [
        (
            "trabecula.learning.training_run.train_and_ship",
            ("train", "leap", "--data", "data", "--out", "models"),
            "the same command goes on from the last checkpoint",
        ),
        (
            "trabecula.learning.workers.make_shards",
            ("generate", "--count", "3", "--out", "data"),
            "the same command goes on",
        ),
    ],
)
def test_every_long_command_ends_with_143(
    place: str, words: tuple[str, ...], said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, halt)
    done = run(*words)
    assert done.exit_code == 143
    assert f"trabecula: terminated; {said}" in done.stderr or said in done.stderr
