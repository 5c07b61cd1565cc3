"""Every command, on folders full of what others put there: every file of theirs is the same afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import SMALL, Run
from tests.learning.histories import result
from tests.learning.test_generate import stubbed
from tests.problem.solids import box_triangles, write_stl
from trabecula.learning import generate
from trabecula.learning.generate import DataSettings, make_shard, prepare_folder
from trabecula.learning.history import Store
from trabecula.results.result import Result
from trabecula.storage.mark import MARK, read_mark

pytestmark = pytest.mark.usefixtures("quick_pictures")

CODES = {0, 2, 3, 4}
PLENTY = 100_000_000

RESULT = (
    "problem.yaml", "request.json", "result.json", "density.npy", "part.npy", "state.npz", "history.csv",
    "design.png", "design.stl", "design.3mf", "design.vti", "report.html", "past.npy", "checkpoint",
    ".trabecula.json", ".trabecula.lock",
)  # fmt: skip
OTHERS = (
    "notes.txt", ".x.tmp", ".result.json.1234.tmp", "checkpoint/weights.npz", "checkpoint/.x.tmp",
    "checkpoint/notes.txt", "entries/mine.txt", "entries/0001/a.txt", "index.html", "index.sqlite.bak",
    "part.stl", "past.npy.bak", "nested/checkpoint/0.npz",
)  # fmt: skip
HISTORY = ("index.sqlite", "index.damaged", "index.sqlite-wal", "index.sqlite-shm", "index.notes", "entries")

Snapshot = dict[str, tuple[int, bytes | str]]


def snapshot(root: Path) -> Snapshot:
    """Everything below a folder: its kind and rights, and its content or where it leads."""
    found: Snapshot = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            content: bytes | str = b""
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = path.read_bytes()
            found[str(path.relative_to(root))] = (mode, content)
    return found


def unharmed(before: Snapshot, root: Path) -> None:
    """What was there is there, as it was; what is new is nobody's loss."""
    after = snapshot(root)
    assert {name: after.get(name) for name in before} == before


def text(path: Path) -> None:
    path.write_text(f"mine: {path.name}")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def read_only(path: Path) -> None:
    path.write_text("mine, and not to be written")
    path.chmod(0o444)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inner.npz").write_text("mine")


def link(path: Path) -> None:
    target = path.with_name(f"target of {path.name}")
    target.write_text("mine, elsewhere")
    path.symlink_to(target.name)


def link_to_folder(path: Path) -> None:
    target = path.with_name(f"folder of {path.name}")
    target.mkdir()
    (target / "inner.npz").write_text("mine, elsewhere")
    path.symlink_to(target.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere at all")


KINDS = (text, empty, read_only, folder, link, link_to_folder, dangling)
Kind = Callable[[Path], None]


def put(root: Path, names: dict[str, Kind]) -> None:
    """Put what others have there; below something that is no folder nothing goes."""
    for name, kind in sorted(names.items()):
        path = root / name
        if os.path.lexists(path):
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            kind(path)
        except (FileExistsError, NotADirectoryError):
            continue


def scenes(*names: str) -> st.SearchStrategy[dict[str, Kind]]:
    """Some of the names, each with something of others under it."""
    return st.dictionaries(st.sampled_from(names), st.sampled_from(KINDS), min_size=1, max_size=4)


OFTEN = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SELDOM = settings(OFTEN, max_examples=10)


def fresh(tmp_path: Path) -> Path:
    """A folder an example: hypothesis keeps the fixture's."""
    root = tmp_path / os.urandom(6).hex()
    root.mkdir()
    return root


WAYS: dict[str, tuple[str, ...]] = {
    "solve": ("solve", "{yaml}", "--out", "{root}", "--proposals", "1", "--iterations", "3", "-q"),
    "solve and export": (
        "solve", "{yaml}", "--out", "{root}", "--start", "uniform", "--iterations", "2", "--stl", "--vti",
        "--report", "-q",
    ),
    "resume": ("solve", "--resume", "{root}", "--iterations", "4", "--stl", "-q"),
    "export": ("export", "{root}", "--stl", "--3mf", "--vti", "--png", "--report"),
    "check": ("check", "{root}"),
    "show": ("show", "{root}"),
    "similar": ("history", "similar", "{root}"),
}  # fmt: skip


@OFTEN
@given(names=scenes(*RESULT, *OTHERS), way=st.sampled_from(sorted(WAYS)))
def test_no_command_harms_a_folder_of_others(
    run: Run,
    small: Path,
    tmp_path: Path,
    names: dict[str, Kind],
    way: str,
) -> None:
    root = fresh(tmp_path)
    put(root, names)
    before = snapshot(root)
    done = run(*(word.format(yaml=small, root=root) for word in WAYS[way]))
    assert done.exit_code in CODES, done.output
    assert "Traceback" not in done.output and "internal error" not in done.output
    unharmed(before, root)


@OFTEN
@given(names=scenes(*RESULT, *OTHERS), way=st.sampled_from(sorted(WAYS)))
def test_no_command_harms_what_others_changed_in_a_folder_of_ours(
    run: Run,
    small: Path,
    solved_once: Path,
    tmp_path: Path,
    names: dict[str, Kind],
    way: str,
) -> None:
    root = fresh(tmp_path) / "out"
    shutil.copytree(solved_once, root)
    for name in names:
        path = root / name
        if path.is_file() and name not in (MARK,):
            path.unlink()
    put(root, {name: kind for name, kind in names.items() if name != MARK})
    theirs = snapshot(root)
    ours = {name: snapshot(solved_once).get(name) for name in theirs}
    before = {name: found for name, found in theirs.items() if found != ours[name]}
    done = run(*(word.format(yaml=small, root=root) for word in WAYS[way]))
    assert done.exit_code in CODES, done.output
    assert "Traceback" not in done.output and "internal error" not in done.output
    unharmed(before, root)


@pytest.mark.parametrize(
    "name", [name for name in RESULT if name not in ("design.stl", "design.3mf", "design.vti", "report.html")]
)
@pytest.mark.parametrize("kind", [text, link_to_folder])
def test_a_name_that_is_taken_is_said_before_anything_is_solved(
    run: Run,
    small: Path,
    tmp_path: Path,
    name: str,
    kind: Kind,
) -> None:
    root = fresh(tmp_path)
    kind(root / name)
    before = snapshot(root)
    done = run("solve", small, "--out", root, "-q")
    assert done.exit_code == 2
    assert name in done.stderr and ("move it away" in done.stderr or "--out" in done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1
    assert snapshot(root) == before, "nothing was added either"


def test_the_weights_of_a_training_survive_a_solve_beside_them(run: Run, small: Path, tmp_path: Path) -> None:
    """K1: `--out` on somebody's folder removed `checkpoint/*.npz`, `checkpoint/.*.tmp` and `past.npy`."""
    put(tmp_path / "run", dict.fromkeys(("checkpoint/epoch-1.npz", "checkpoint/.epoch-2.tmp"), text))
    before = snapshot(tmp_path / "run")
    done = run("solve", small, "--out", tmp_path / "run", "-q")
    assert done.exit_code == 2 and "epoch-1.npz" in done.stderr and "--out" in done.stderr
    assert snapshot(tmp_path / "run") == before
    (tmp_path / "run" / "checkpoint" / "epoch-1.npz").unlink()
    (tmp_path / "run" / "past.npy.bak").write_text("mine")
    before = snapshot(tmp_path / "run")
    assert run("solve", small, "--out", tmp_path / "run", "-q").exit_code == 0
    unharmed(before, tmp_path / "run")
    assert not list((tmp_path / "run" / "checkpoint").glob("*.npz"))


SOLID = """\
trabecula: 1
domain: {size: [2, 1, 1], elements: [8, 4, 4], shape: design.stl}
material: steel
supports: [{where: {x: 0}, fix: [x, y, z]}]
loads: [{where: {x: 2}, force: [0, -1000, 0]}]
goal: {minimize: compliance, volume: 0.5}
"""


@pytest.mark.parametrize("place", [".", "out"])
def test_an_input_called_like_an_export_is_safe_everywhere(run: Run, tmp_path: Path, place: str) -> None:
    """K1: it was deleted by the second solve in its own folder, and overwritten by one with --stl."""
    shape = write_stl(tmp_path / "design.stl", box_triangles((0.0, 0.0, 0.0), (2.0, 1.0, 1.0)))
    (tmp_path / "solid.yaml").write_text(SOLID)
    before = {name: found for name, found in snapshot(tmp_path).items() if name == shape.name}
    words = ("solve", tmp_path / "solid.yaml", "--out", tmp_path / place, "--start", "uniform", "-q")
    assert run(*words, "--iterations", "1").exit_code == 3
    unharmed(before, tmp_path)
    done = run(*words, "--iterations", "1", "--stl")
    assert done.exit_code == (2 if place == "." else 3)
    assert ("is an input of this problem" in done.stderr) == (place == ".")
    unharmed(before, tmp_path)
    again = Result.load(tmp_path / place).problem
    assert Path(again.domain.shape or "").name.startswith("input-design-")
    assert Path(again.domain.shape or "").read_bytes() == shape.read_bytes()
    shape.unlink()
    assert run("check", tmp_path / place).exit_code in (0, 4)
    assert run("solve", "--resume", tmp_path / place, "--iterations", "2", "-q").exit_code == 3
    assert Path(again.domain.shape or "").is_file()


def test_our_own_export_as_an_input_is_not_removed(run: Run, tmp_path: Path) -> None:
    write_stl(tmp_path / "first.stl", box_triangles((0.0, 0.0, 0.0), (2.0, 1.0, 1.0)))
    (tmp_path / "a.yaml").write_text(SOLID.replace("design.stl", "first.stl"))
    words = ("--start", "uniform", "--iterations", "1", "-q", "--out", tmp_path / "out")
    assert run("solve", tmp_path / "a.yaml", *words, "--stl", "--units", "m").exit_code == 3
    (tmp_path / "b.yaml").write_text(SOLID.replace("design.stl", "out/design.stl"))
    content = (tmp_path / "out" / "design.stl").read_bytes()
    done = run("solve", tmp_path / "b.yaml", *words)
    assert done.exit_code in (2, 3), done.output
    assert (tmp_path / "out" / "design.stl").read_bytes() == content


def test_a_problem_edited_in_its_result_folder_is_never_overwritten(
    run: Run,
    small: Path,
    solved: Path,
) -> None:
    text_before = (solved / "problem.yaml").read_text() + "# my remark\n"
    (solved / "problem.yaml").write_text(text_before)
    done = run("solve", small, "--out", solved, "-q")
    assert done.exit_code == 2
    assert "problem.yaml: was changed since trabecula wrote it" in done.stderr
    assert (solved / "problem.yaml").read_text() == text_before


def test_a_folder_of_an_earlier_version_is_shown_and_exported_and_never_overwritten(
    run: Run,
    small: Path,
    solved: Path,
) -> None:
    (solved / MARK).unlink()
    before = snapshot(solved)
    assert run("show", solved).exit_code == 0
    assert run("check", solved).exit_code == 0
    done = run("solve", small, "--out", solved, "-q")
    assert done.exit_code == 2 and "earlier version that did not mark its folders" in done.stderr
    assert snapshot(solved) == before
    assert run("export", solved, "--png").exit_code == 2
    assert run("export", solved, "--stl").exit_code == 0
    assert run("export", solved, "--stl").exit_code == 0, "this one is ours"
    unharmed(before, solved)


def test_a_copied_result_folder_is_still_ours(run: Run, small: Path, solved: Path, tmp_path: Path) -> None:
    shutil.copytree(solved, tmp_path / "copy")
    assert run("solve", small, "--out", tmp_path / "copy", "-q").exit_code == 0


def begin(*words: str | Path, **named: str) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    environment = {**os.environ, **named}
    command = [sys.executable, "-m", "trabecula", *map(str, words)]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A problem that takes some seconds."""
    path = tmp_path / "slow.yaml"
    path.write_text(SMALL.replace("[24, 12]", "[480, 240]"))
    return path


def wait_for(path: Path) -> None:
    """Until another process has made a file."""
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"no {path}")


def test_a_second_process_is_refused_and_the_first_one_undisturbed(
    run: Run,
    small: Path,
    slow: Path,
    tmp_path: Path,
) -> None:
    """K10: two processes in one folder lost files, and the last one won in silence."""
    with begin("solve", slow, "--out", tmp_path / "r", "-q") as first:
        wait_for(tmp_path / "r" / "request.json")
        for words in (("solve", small, "--out", tmp_path / "r"), ("solve", "--resume", tmp_path / "r")):
            done = run(*words, "-q")
            assert done.exit_code == 2
            assert f"is in use by process {first.pid}" in done.stderr and "since" in done.stderr
        first.send_signal(signal.SIGKILL)
    done = run("solve", small, "--out", tmp_path / "r", "-q")
    assert done.exit_code == 0, done.output
    assert f"was left locked by process {first.pid}" in done.stderr
    assert not [path for path in (tmp_path / "r").rglob("*") if path.name.endswith((".tmp", ".lock"))]


@pytest.mark.parametrize("moment", ["request.json", "checkpoint", "checkpoint/.trabecula.json"])
def test_what_was_killed_anywhere_resumes_and_is_ours_afterwards(
    run: Run,
    slow: Path,
    tmp_path: Path,
    moment: str,
) -> None:
    with begin("solve", slow, "--out", tmp_path / "r", "-q") as process:
        wait_for(tmp_path / "r" / moment)
        process.send_signal(signal.SIGKILL)
    (tmp_path / "r" / "notes.txt").write_text("mine")
    assert run("solve", "--resume", tmp_path / "r", "-q").exit_code == 0
    left = {path.name for path in (tmp_path / "r").iterdir()}
    assert left == {
        "problem.yaml", "request.json", "result.json", "density.npy", "part.npy", "state.npz", "history.csv",
        "design.png", "notes.txt", MARK,
    }  # fmt: skip
    assert run("solve", slow, "--out", tmp_path / "r", "-q", "--iterations", "1").exit_code == 3


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A history and networks in use, in one folder of others."""
    for name in ("HISTORY", "NETWORKS"):
        monkeypatch.setenv(f"TRABECULA_{name}", "1")
    monkeypatch.setenv("TRABECULA_HISTORY_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("TRABECULA_NETWORKS_DIR", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    yield tmp_path / "kept"


NETWORKS = ("corrector-2d/0001/a.onnx", "corrector-2d/0002", "corrector-2d/.123.tmp", "corrector-3d")


@SELDOM
@given(names=scenes(*HISTORY, *OTHERS, *NETWORKS, MARK), rolls_back=st.booleans())
def test_the_history_harms_nothing_of_others(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: dict[str, Kind],
    rolls_back: bool,
) -> None:  # fmt: skip
    root = fresh(tmp_path)
    for name in ("HISTORY", "NETWORKS"):
        monkeypatch.setenv(f"TRABECULA_{name}", "1")
        monkeypatch.setenv(f"TRABECULA_{name}_DIR", str(root))
    put(root, names)
    before = snapshot(root)
    commands: list[tuple[str | Path, ...]] = [
        ("solve", small, "--out", fresh(tmp_path) / "r", "--proposals", "1", "--iterations", "2", "-q"),
        ("history", "list"),
        ("history", "path"),
        ("history", "networks"),
        ("history", "clear", "--networks"),
    ]
    if rolls_back:
        commands.insert(0, ("train", "corrector", "--roll-back", "--dimension", "2"))
    for words in commands:
        done = run(*words)
        assert done.exit_code in CODES, (words, done.output)
        assert "Traceback" not in done.output and "internal error" not in done.output
        unharmed(before, root)


def test_what_others_have_in_a_history_survives_its_clearing(run: Run, kept: Path) -> None:
    """K1: `history clear` removed foreign `index.*` and everything in `entries/`."""
    store = Store(kept, PLENTY)
    entry = store.keep(result())
    assert entry is not None
    names = ("index.notes", "entries/mine.txt", f"entries/{'0' * 32}/a.txt", f"entries/{entry.id}/note.txt")
    put(kept, dict.fromkeys(names, text))
    elsewhere = kept.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.txt").write_text("mine")
    (kept / "entries" / ("1" * 32)).symlink_to(elsewhere)
    theirs = {name: found for name, found in snapshot(kept).items() if name in names}
    assert run("history", "clear").stdout.startswith("1 solve removed")
    unharmed(theirs, kept)
    assert (elsewhere / "a.txt").read_text() == "mine"
    assert not (kept / "entries" / entry.id / "entry.json").exists()
    assert not (kept / "index.sqlite").exists()


@pytest.mark.parametrize("way", ["keep", "limit", "clear", "list"])
def test_a_path_as_an_id_leads_nowhere(kept: Path, way: str) -> None:
    """K1: a path as id in the index deleted a folder outside."""
    victim = kept.parent / "victim"
    victim.mkdir()
    (victim / "a.txt").write_text("mine")
    store = Store(kept, PLENTY)
    entry = store.keep(result())
    assert entry is not None
    with closing(sqlite3.connect(kept / "index.sqlite")) as index:
        index.execute("UPDATE entries SET id = ?, made = 0", (str(victim),))
        index.commit()
    if way == "keep":
        store.keep(result(compliance=2.0))
    elif way == "limit":
        Store(kept, int(1.5 * entry.bytes)).keep(result(0.9))
    elif way == "clear":
        store.clear()
    else:
        assert [each.id for each in store.entries()] == [entry.id], "the index was made again"
    assert (victim / "a.txt").read_text() == "mine"


def test_a_history_of_an_earlier_version_is_read_added_to_and_never_removed(run: Run, kept: Path) -> None:
    store = Store(kept, PLENTY)
    old = store.keep(result(0.1, "old"))
    assert old is not None
    for path in (kept / MARK, store.place(old) / MARK, kept / "index.sqlite"):
        path.unlink()
    before = snapshot(kept)
    assert [entry.name for entry in store.entries()] == ["old"]
    assert snapshot(kept) == before, "nothing is written by looking"
    assert store.keep(result(0.9, "new")) is not None
    assert [entry.name for entry in store.entries()] == ["new", "old"]
    said = run("history", "clear").stdout
    assert "1 solve removed" in said and "1 solve without the mark of this version stays" in said
    unharmed(before, kept)


@SELDOM
@given(names=scenes("dataset.json", "shard-000000.npz", "shard-000001.npz", *OTHERS, MARK))
def test_generating_harms_nothing_of_others(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: dict[str, Kind],
) -> None:
    monkeypatch.setattr(generate, "make_sample", stubbed)
    root = fresh(tmp_path)
    put(root, names)
    before = snapshot(root)
    done = run("generate", "--count", "20", "--dimension", "2", "--out", root, "-q")
    assert done.exit_code in CODES, done.output
    assert "Traceback" not in done.output and "internal error" not in done.output
    unharmed(before, root)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "make_sample", stubbed)
        prepare_folder(place, DataSettings(2))
        for shard in (0, 9):
            make_shard(str(place), DataSettings(2), shard, 2)
    return place


MODELS = ("corrector-2d.checkpoint", "corrector-2d.onnx", "manifest.json", MARK, ".trabecula.lock")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_training_harms_nothing_of_others(
    run: Run,
    data: Path,
    tmp_path: Path,
    name: str,
    kind: Kind,
) -> None:
    kind(tmp_path / name)
    before = snapshot(tmp_path)
    done = run("train", "corrector", "--data", data, "--out", tmp_path, "--steps", "1", "-q")
    assert done.exit_code == 2, done.output
    assert name in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert snapshot(tmp_path) == before
    assert not (data / "prepared").exists(), "refused before any work"


TOY = """
import torch
from torch import nn

def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 2))

def batches():
    return [(torch.zeros(4, 4), torch.zeros(4, dtype=torch.long))]

def candidate(trial):
    return 0.5
"""


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of networks, in the current directory."""
    name = f"toys_{os.urandom(4).hex()}"
    (tmp_path / f"{name}.py").write_text(TOY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["student.pt", "run.ckpt", "trials.db", "trials.db-wal", MARK])
def test_distilling_and_tuning_harm_nothing_of_others(
    run: Run,
    toys: str,
    tmp_path: Path,
    name: str,
    kind: Kind,
) -> None:
    kind(tmp_path / name)
    before = snapshot(tmp_path)
    data = ("--data", f"{toys}:batches", "--epochs", "1", "--quiet")
    for words in (
        ("distill", f"{toys}:net", f"{toys}:net", *data, "--out", "student.pt", "--checkpoint", "run.ckpt"),
        ("tune", f"{toys}:candidate", "--trials", "1", "--storage", "trials.db", "--quiet"),
    ):
        done = run(*words)
        assert done.exit_code in CODES, (words, done.output)
        assert "Traceback" not in done.output and "internal error" not in done.output
        unharmed(before, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_writes_nothing_harms_nothing_of_others(run: Run, toys: str, tmp_path: Path, kind: Kind) -> None:
    for name in ("student.pt", "run.ckpt", "trials.db", "trials.db-wal", MARK):
        kind(tmp_path / name)
    before = snapshot(tmp_path)
    machine = ("--shape", "2x4", "--runs", "1", "--peak", "1", "--bandwidth", "1", "--quiet")
    for words in (("profile", f"{toys}:net", *machine), ("problems",), ("problems", "mbb")):
        done = run(*words)
        assert done.exit_code in CODES, (words, done.output)
        assert "Traceback" not in done.output and "internal error" not in done.output
        unharmed(before, tmp_path)


def test_a_database_of_others_is_not_written_into(run: Run, toys: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "places.db")) as theirs:
        theirs.execute("CREATE TABLE mine (a)")
        theirs.commit()
    before = snapshot(tmp_path)
    done = run("tune", f"{toys}:candidate", "--trials", "1", "--storage", "places.db", "--quiet")
    assert done.exit_code == 2 and "was not begun by trabecula tune" in done.stderr
    unharmed(before, tmp_path)


def test_networks_of_ones_own_are_removed_by_their_marks_only(
    run: Run,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.surrogate.test_user_networks import NAME, installed
    from trabecula.surrogate import shipped_model, user_networks

    base = shipped_model("corrector", 3)
    assert base is not None
    assert installed(base).version == "0001"
    put(kept / NAME, dict.fromkeys(("0002/a.onnx", "0001/note.txt", ".1234.tmp"), text))
    elsewhere = kept.parent / "elsewhere"
    shutil.copytree(kept / NAME / "0001", elsewhere)
    (kept / NAME / "0003").symlink_to(elsewhere)
    theirs = {
        name: found
        for name, found in snapshot(kept.parent).items()
        if name.startswith("elsewhere") or name.endswith(("0002/a.onnx", "note.txt", ".1234.tmp", "0003"))
    }
    done = run("train", "corrector", "--roll-back", "--dimension", "3")
    assert done.exit_code == 2 and "was not made by trabecula" in done.stderr
    assert installed(base).version == "0004"
    assert user_networks.clear() == 2
    unharmed(theirs, kept.parent)
    assert not (kept / NAME / "0001" / f"{NAME}.onnx").exists()


def test_a_result_says_what_it_wrote(solved: Path) -> None:
    mark = read_mark(solved)
    assert mark is not None and mark.kind == "result"
    there = {path.name for path in solved.iterdir()} - {MARK}
    assert set(mark.files) == there
    tree = json.loads((solved / MARK).read_text())
    assert tree["format"] == 1 and np.all([len(trace[0]) == 64 for trace in tree["files"]["density.npy"]])
