"""Nothing is reported to anybody, and nothing is written but where the documentation says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from trabecula.onnx_runtime import SWITCH, onnx_runtime

SOURCE = Path(__file__).parent / "watch" / "watch.c"
PACKAGE = Path(__file__).parent.parent / "src"

PROBLEM = """\
trabecula: 1
name: Watched
domain: {size: [2, 1, 1], elements: [16, 8, 8]}
material: steel
supports: [{where: {x: 0}, fix: [x, y, z]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000, 100]}]
goal: {minimize: compliance, volume: 0.5}
"""


GENERATE = ("generate", "--count", "1", "--dimension", "2", "--voxels", "2600", "--out", "data")
TRAIN = ("train", "leap", "--data", "data", "--out", "models", "--steps", "2", "--width", "8", "--judge", "0")


@dataclass(frozen=True)
class Seen:
    """What a process did: the folders and files it wrote to, and everything about the network."""

    written: list[Path]
    network: list[str]

    def outside(self, *folders: Path) -> list[Path]:
        """What was written to, folders on the way to the allowed ones left out."""
        return [
            path
            for path in self.written
            if not any(path.is_relative_to(folder) or folder.is_relative_to(path) for folder in folders)
        ]


@dataclass(frozen=True)
class Place:
    """A home, a folder for temporary files and one to work in, all of them empty at first."""

    root: Path
    watcher: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        return self.root / "temporary"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def history(self) -> Path:
        return self.home / ".local" / "share" / "trabecula"

    def run(self, *words: str) -> Seen:
        """Run Python and see what it does."""
        log = self.root / "log"
        log.unlink(missing_ok=True)
        hidden = ("XDG_", "TRABECULA_", "TORCHINDUCTOR_", "COVERAGE", "COV_", SWITCH)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
        environment |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(PACKAGE),
            "PYTHONDONTWRITEBYTECODE": "1",  # the cache of compiled files is Python's, not ours
            "OMP_NUM_THREADS": "1",
            "LD_PRELOAD": str(self.watcher),
            "WATCH_LOG": str(log),
        }
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=self.work, env=environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        lines = log.read_text().splitlines() if log.exists() else []
        written = [Path(line.removeprefix("write ")) for line in lines if line.startswith("write ")]
        network = [line for line in lines if not line.startswith("write ")]
        return Seen([path for path in written if path != Path("/dev/null")], network)


@pytest.fixture(scope="module")
def watcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("watcher") / "watch.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", built, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return built


def make_place(root: Path, watcher: Path) -> Place:
    place = Place(root, watcher)
    for folder in (place.home, place.temporary, place.work):
        folder.mkdir()
    (place.work / "watched.yaml").write_text(PROBLEM)
    return place


@pytest.fixture
def place(tmp_path: Path, watcher: Path) -> Place:
    return make_place(tmp_path, watcher)


def test_the_watcher_sees_files_folders_and_look_ups(place: Place) -> None:
    code = (
        "import os, socket, tempfile\n"
        "open('here.txt', 'w').close(); os.mkdir('made'); os.rename('here.txt', 'made/there.txt')\n"
        "tempfile.mkdtemp()\n"
        "import sqlite3; sqlite3.connect('base.db').execute('create table one (two)')\n"
        "socket.getaddrinfo('localhost', 80); socket.socket(socket.AF_INET)\n"
    )
    seen = place.run("-c", code)
    names = {path.name for path in seen.outside(place.temporary)}
    assert names >= {"here.txt", "made", "there.txt", "base.db"}
    assert any(path.is_relative_to(place.temporary) for path in seen.written)
    assert {"lookup localhost", "socket network"} <= set(seen.network)


def test_importing_the_package_writes_nothing(place: Place) -> None:
    seen = place.run("-c", "import trabecula; trabecula.problems; trabecula.solve; trabecula.load")
    assert seen == Seen([], [])


def test_a_learned_solve_reports_to_nobody_and_writes_only_its_result_and_the_history(place: Place) -> None:
    options = ("--start", "learned", "--proposals", "2", "--tolerance", "0.01", "--stl", "--vti", "--report")
    seen = place.run("-m", "trabecula", "solve", "watched.yaml", "--out", "result", *options)
    assert seen.network == []
    assert seen.outside(place.work / "result", place.history) == []
    assert (place.work / "result" / "result.json").is_file()
    assert (place.history / "history").is_dir()


def test_without_a_history_a_learned_solve_writes_only_its_result(place: Place) -> None:
    words = ("solve", "watched.yaml", "--start", "learned", "--proposals", "1", "--iterations", "300")
    seen = place.run("-m", "trabecula", *words, "--no-history", "--tolerance", "0.01", "--out", "result")
    assert seen.network == []
    assert seen.outside(place.work / "result") == []
    assert not any(place.home.iterdir())


def test_python_writes_nothing_at_all(place: Place) -> None:
    code = (
        "import trabecula as tb\n"
        "result = tb.solve(tb.load('watched.yaml'), start='learned', proposals=2, tolerance=0.01)\n"
        "assert result.check(); result.plot(); result.to_mesh()\n"
    )
    assert place.run("-c", code) == Seen([], [])


def test_looking_at_a_result_writes_nothing(place: Place) -> None:
    place.run(
        "-m", "trabecula", "solve", "watched.yaml", "--start", "uniform", "--out", "result", "--no-history"
    )
    for command in ("check", "show"):
        assert place.run("-m", "trabecula", command, "result") == Seen([], [])
    seen = place.run("-m", "trabecula", "export", "result", "--stl")
    assert seen.network == []
    assert seen.outside(place.work / "result") == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, watcher: Path) -> tuple[Place, Seen, Seen]:
    place = make_place(tmp_path_factory.mktemp("trained"), watcher)
    data = place.run("-m", "trabecula", *GENERATE)
    return place, data, place.run("-m", "trabecula", *TRAIN)


def test_generating_and_training_write_what_they_are_asked_for(trained: tuple[Place, Seen, Seen]) -> None:
    place, data, models = trained
    assert data.network == models.network == []
    assert data.outside(place.work / "data") == []
    allowed = (place.work / "data" / "prepared", place.work / "models", place.temporary)
    assert models.outside(*allowed) == []
    assert (place.work / "models" / "leap-2d.onnx").is_file()


def test_profiling_writes_only_temporary_files(trained: tuple[Place, Seen, Seen]) -> None:
    place = trained[0]
    code = (
        "from trabecula.nn.profile import profile\n"
        "import onnx\n"
        "sizes = onnx.load('models/leap-2d.onnx').graph.input[0].type.tensor_type.shape.dim\n"
        "profile('models/leap-2d.onnx', (1, sizes[1].dim_value, 16, 16), runs=1)\n"
    )
    seen = place.run("-c", code)
    assert seen.network == []
    assert seen.outside(place.temporary) == []


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str | None]]:
    """An ONNX Runtime that was imported by somebody else, and what it is told."""
    told: list[str | None] = []
    runtime = ModuleType("onnxruntime")
    runtime.disable_telemetry_events = lambda: told.append(os.environ.get(SWITCH))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    monkeypatch.setenv(SWITCH, "0")
    return lambda: told


def test_a_runtime_imported_before_us_is_told_to_be_quiet(imported: Callable[[], list[str | None]]) -> None:
    assert onnx_runtime() is sys.modules["onnxruntime"]
    assert imported() == ["1"]
