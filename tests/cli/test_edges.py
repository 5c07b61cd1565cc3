"""What happens where the program meets the world: errors, terminals, pipes, full disks."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

from tests.cli.conftest import Run
from trabecula.cli import console, edge, progress
from trabecula.cli.app import app
from trabecula.cli.signals import Listener
from trabecula.design import DesignChain
from trabecula.discretisation import discretise
from trabecula.problem import problems
from trabecula.strategy.progress import Progress


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

    one.command()(edge.guard(command))
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
    assert done.stderr == "trabecula: cannot write the output (no space left on device)\n"


def test_what_was_solved_is_there_though_its_summary_found_no_room(small: Path) -> None:
    out = small.parent / "out"
    with Path("/dev/full").open("w") as full:
        done = trabecula("solve", small, "--out", out, "--quiet", "--json", stdout=full)
    assert done.returncode == 2
    assert trabecula("check", out, stdout=subprocess.DEVNULL).returncode == 0


def closed(*numbers: int) -> Callable[[], None]:
    """For a child: these descriptors are closed, as by `>&-`."""

    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


def without_reader(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run with a stdout whose reader has gone away already, as with `| head -0`."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        return trabecula(*words, stdout=pipe)


@pytest.fixture
def broken(solved: Path) -> Path:
    """A result that `check` finds to differ."""
    density = np.load(solved / "density.npy")
    np.save(solved / "density.npy", density[::-1])
    return solved


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_went_away_changes_nothing(solved: Path, more: tuple[str, ...]) -> None:
    for words in (("problems",), ("check", solved, *more), ("show", solved, *more), ("--help",)):
        done = without_reader(*words)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_check_finds_is_the_exit_code_whoever_reads(broken: Path, more: tuple[str, ...]) -> None:
    assert without_reader("check", broken, *more).returncode == 4
    assert trabecula("check", broken, *more, preexec_fn=closed(1)).returncode == 4


def test_a_solve_without_reader_ends_with_its_own_code_and_whole_files(small: Path) -> None:
    out = small.parent / "out"
    done = without_reader("solve", small, "--out", out)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert trabecula("check", out, stdout=subprocess.DEVNULL).returncode == 0
    short = without_reader("solve", small, "--out", out, "--iterations", "2", "--json")
    assert short.returncode == 3


@pytest.mark.parametrize("numbers", [(1,), (2,), (1, 2), (0, 1, 2)])
def test_closed_descriptors_are_no_error_and_get_no_file_of_ours(
    small: Path, solved: Path, numbers: tuple[int, ...]
) -> None:
    out = small.parent / "out"
    done = trabecula(
        "solve",
        small,
        "--out",
        out,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        preexec_fn=closed(*numbers),
    )
    assert done.returncode == 0
    for name in ("density.npy", "problem.yaml", "design.png", "state.npz"):
        assert (out / name).read_bytes() == (solved / name).read_bytes(), name


END = "-- end of a command --"
ONE_AFTER_THE_OTHER = f"""
import json, sys
from trabecula.cli import main

for words in json.loads(sys.argv[1]):
    sys.argv = ["trabecula", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    print("{END}", flush=True)
"""

ENCODINGS = ("ascii", "cp1252", "latin-1", "utf-8", "utf-16", "cp437")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_encoding_of_the_terminal_will_do(encoding: str, small: Path) -> None:
    small.write_text(
        small.read_text().replace("name: Small", 'name: "Brücke – 橋 \\u2603"'), encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    out = small.parent / "out"
    commands = (
        ("solve", small, "--out", out),
        ("solve", small, "--out", out, "--json", "--quiet"),
        ("check", out),
        ("show", out),
        ("problems",),
        ("solve", "--help"),
    )
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps(commands, default=str)]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    done.stderr.decode(encoding)
    text, said, *_ = done.stdout.decode(encoding).split(END)
    assert "certified" in text
    assert json.loads(said)["name"] == "Brücke – 橋 ☃"
    assert said.isascii()


def test_a_locale_without_characters_will_do(solved: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = trabecula("show", solved, stdout=subprocess.PIPE, env={**os.environ, **plain})
    assert (done.returncode, done.stderr) == (0, "")


def test_names_that_are_no_text_are_used_and_shown_as_escapes(small: Path) -> None:
    folder = small.parent / os.fsdecode(b"f\xfcr \xff")
    try:
        folder.mkdir()
    except OSError:  # a file system that takes nothing but UTF-8, as of macOS
        folder = small.parent / "für"
        folder.mkdir()
    file = folder / "small.yaml"
    file.write_text(small.read_text())
    for out in (folder / "out", folder):
        done = trabecula("solve", file, "--out", out / "made", "--json", "--quiet", stdout=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.isascii()
        assert Path(json.loads(done.stdout)["out"]) == out / "made"
        assert trabecula("check", out / "made", stdout=subprocess.DEVNULL).returncode == 0
    missing = trabecula("solve", folder / os.fsdecode(b"\xfe.yaml"), stdout=subprocess.PIPE)
    assert missing.returncode == 2
    assert "\\udcfe.yaml" in missing.stderr and "Traceback" not in missing.stderr


@pytest.mark.parametrize("size", [0, 100, 500])
def test_no_room_for_files_is_one_sentence_and_what_was_there_stays(
    solved: Path, small: Path, size: int
) -> None:
    """A limit on the size of files stands in for a full disk: writing fails half-way."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    # What measures the coverage of child processes writes files too, and would complain here.
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    options = {"stdout": subprocess.DEVNULL, "preexec_fn": limited, "env": unmeasured}
    before = {path.name: path.read_bytes() for path in solved.iterdir() if path.is_file()}
    export = trabecula("export", solved, "--vti", **options)
    assert export.returncode == 2
    assert "too large" in export.stderr
    assert len(export.stderr.strip().splitlines()) == 1
    assert {path.name: path.read_bytes() for path in solved.iterdir() if path.is_file()} == before
    new = small.parent / "new"
    done = trabecula("solve", small, "--out", new, "--quiet", **options)
    assert done.returncode == 2
    assert "too large" in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not [path for path in new.rglob("*") if path.name.endswith(".tmp")]


LONG = "a" * 100_000

ODD = [
    ("nonsense",),
    (LONG,),
    ("solve",),
    ("solve", ""),
    ("solve", LONG),
    ("solve", "."),
    ("solve", "small.yaml", "small.yaml"),
    ("solve", "small.yaml", "--threads", "0"),
    ("solve", "small.yaml", "--threads", "many"),
    ("solve", "small.yaml", "--tolerance", "nan"),
    ("solve", "small.yaml", "--tolerance", "inf"),
    ("solve", "small.yaml", "--tolerance", "1"),
    ("solve", "small.yaml", "--tolerance", "5"),
    ("solve", "small.yaml", "--tolerance", "0"),
    ("solve", "small.yaml", "--tolerance", "-1"),
    ("solve", "small.yaml", "--iterations", "1e9"),
    ("solve", "small.yaml", "--iterations", "0"),
    ("solve", "small.yaml", "--proposals", "99999999"),
    ("solve", "small.yaml", "--max-memory", "nan"),
    ("solve", "small.yaml", "--max-memory", "-3"),
    ("solve", "small.yaml", "--start", "nowhere"),
    ("solve", "small.yaml", "--out", "small.yaml"),
    ("solve", "small.yaml", "--out", "small.yaml/below"),
    ("solve", "small.yaml", "--out", LONG),
    ("solve", "small.yaml", "--resume", "nowhere"),
    ("check",),
    ("check", "nowhere"),
    ("check", LONG),
    ("show", "small.yaml"),
    ("export", "nowhere", "--stl"),
    ("problems", "nonsense"),
    ("history", "nonsense"),
    ("generate", "--count", "99999999999999999999", "--out", "data"),
    ("generate", "--count", "1", "--voxels", "99999999999999999999", "--out", "data"),
    ("generate", "--count", "1", "--hard", "nan", "--out", "data"),
    ("profile", "nowhere.onnx"),
    ("train", "leap", "--data", "nowhere", "--out", "models"),
    ("tune", "nothing", "--trials", "1"),
    ("distill", "a", "b", "--data", "c:d"),
]


@pytest.mark.parametrize("words", ODD, ids=lambda words: " ".join(words)[:60])
def test_odd_words_are_one_message_and_bad_input(
    words: tuple[str, ...], run: Run, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.parent)
    done = run(*words)
    assert done.exit_code == 2
    assert done.stderr.count("Error") + done.stderr.count("trabecula: ") == 1
    assert "Traceback" not in done.output and "internal error" not in done.output
    assert done.stdout == ""
    assert sorted(path.name for path in small.parent.iterdir()) in (["small.yaml"], ["data", "small.yaml"])


def test_both_ways_in_behave_the_same(small: Path) -> None:
    script = [sys.executable, "-c", "import sys; from trabecula.cli import main; sys.exit(main())"]
    module = [sys.executable, "-m", "trabecula"]
    for words in ([], ["--help"], ["solve", "--help"], ["nonsense"], ["solve", "nowhere"], ["problems"]):
        said = [
            subprocess.run(
                [*way, *words], capture_output=True, check=False, env={**os.environ, "COLUMNS": "100"}
            )
            for way in (script, module)
        ]
        assert len({(done.returncode, done.stdout, done.stderr) for done in said}) == 1


def test_ctrl_c_before_anything_runs_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from trabecula.cli import app as module

    def interrupted(app: object, prog_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(module.app), "__call__", interrupted)
    with pytest.raises(SystemExit) as end:
        module.main(Listener())
    assert end.value.code == 130


PLATE = discretise(problems.cantilever((2, 2)))
STEP = Progress(
    stage="fine",
    run="finish-cold",
    origin="cold",
    iteration=3,
    penalty=3.0,
    beta=0.0,
    objective=12.5,
    compliance=12.5,
    change=0.01,
    volume=0.4,
    limits=(),
    seconds=1.5,
    fraction=0.5,
    shape=(2, 2),
    spacing=(1.0, 0.5),
    variables=np.full((2, 2), 0.4),
    chain=DesignChain(PLATE, 1),
)


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
