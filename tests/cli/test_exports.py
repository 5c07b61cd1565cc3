"""Exports by name on the command line, ours and those from outside the package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run
from trabecula.export import EXPORTS
from trabecula.problem import tables

OUTLINE = '''\
"""An export outside the package: how much material each column has, as text."""


class Columns:
    """Material of each column, one line each."""

    file_name = "design.txt"
    description = "Material of each column, design.txt."

    def write(self, file, design):
        for sum in design.density.sum(axis=0).tolist():
            file.write(f"{sum:.3f} of {design.title}\\n".encode())


columns = Columns()
'''
OURS = ("stl", "3mf", "vti", "png", "report")
CALL = "\nfrom trabecula.export import EXPORTS\nEXPORTS.register('columns', columns)\n"


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that a test adds stays."""
    ours = {name: row for name, row in EXPORTS._rows.items() if name in OURS}
    monkeypatch.setattr(EXPORTS, "_rows", ours)
    monkeypatch.setattr(tables, "_IMPORTED", set())
    monkeypatch.delenv(tables.PLUGINS, raising=False)
    yield
    sys.modules.pop("some_columns", None)


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of somebody's that registers its export by a call."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/some_columns.py").write_text(OUTLINE + CALL)
    monkeypatch.syspath_prepend(tmp_path / "plugins")
    monkeypatch.setenv(tables.PLUGINS, "some_columns")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that names its export in an entry point."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/some_columns.py").write_text(OUTLINE)
    info = tmp_path / "site/some_columns-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-columns\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[trabecula.exports]\ncolumns = some_columns:columns\n")
    monkeypatch.syspath_prepend(tmp_path / "site")


@pytest.mark.parametrize("way", ["called", "installed"])
def test_an_export_from_outside_is_used_by_its_name(
    run: Run, solved: Path, way: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(way)
    done = run("export", solved, "--format", "columns", "--vti")
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == [str(solved / "design.vti"), str(solved / "design.txt")]
    lines = (solved / "design.txt").read_text().splitlines()
    assert len(lines) == 24 and lines[0].endswith(" of Small")
    assert run("export", solved, "--format", "columns").exit_code == 0, "the file is ours and is replaced"
    assert run("export", solved).stderr.rstrip().endswith("stl, 3mf, vti, png, report, columns")


@pytest.mark.parametrize("way", ["called", "installed"])
def test_a_solve_writes_exports_by_name(
    run: Run, small: Path, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(way)
    out = tmp_path / "out"
    words = ("--out", out, "--quiet", "--iterations", 3, "--start", "uniform", "--no-history")
    done = run("solve", small, *words, "--export", "columns", "--export", "3mf", "--stl")
    assert done.exit_code == 3, done.output
    for name in ("design.txt", "design.3mf", "design.stl", "design.png"):
        assert (out / name).stat().st_size > 0
    assert not (out / "design.vti").exists()


def test_both_ways_work_in_a_process_of_its_own(
    called: None, installed: None, solved: Path, tmp_path: Path
) -> None:
    for folder, plugins in (("plugins", "some_columns"), ("site", "")):
        (solved / "design.txt").unlink(missing_ok=True)
        path = os.pathsep.join([str(tmp_path / folder), *sys.path])
        done = subprocess.run(
            [sys.executable, "-m", "trabecula", "export", str(solved), "--format", "columns"],
            env=os.environ | {"PYTHONPATH": path, tables.PLUGINS: plugins},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (solved / "design.txt").is_file()


def test_names_and_switches_of_ours_mean_the_same(run: Run, solved: Path) -> None:
    for name, file in (
        ("stl", "design.stl"),
        ("3mf", "design.3mf"),
        ("report", "report.html"),
        ("png", "design.png"),
    ):
        assert run("export", solved, f"--{name}").exit_code == 0
        first = (solved / file).read_bytes()
        (solved / file).unlink()
        done = run("export", solved, "--format", name, f"--{name}")
        assert done.stdout.split() == [str(solved / file)], "once, however often it is asked for"
        assert (solved / file).read_bytes() == first


@pytest.mark.parametrize("command", ["export", "solve"])
def test_an_unknown_name_is_one_sentence_before_anything_is_done(
    run: Run, solved: Path, small: Path, tmp_path: Path, command: str
) -> None:
    words = (
        (solved, "--format", "stp")
        if command == "export"
        else (small, "--out", tmp_path / "out", "--export", "stp")
    )
    done = run(command, *words)
    assert done.exit_code == 2
    assert done.stderr.strip() == "trabecula: there is no export 'stp'; known are stl, 3mf, vti, png, report"
    assert not (tmp_path / "out").exists()


def test_a_module_that_is_missing_is_one_sentence(
    run: Run, solved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tables.PLUGINS, "nowhere_to_be_found")
    assert run("export", solved, "--stl").exit_code == 0, "nobody needs it"
    for words in (("--format", "columns"), ()):
        done = run("export", solved, *words)
        assert done.exit_code == 2
        assert "TRABECULA_PLUGINS names the module 'nowhere_to_be_found'" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_export_that_fails_leaves_the_result_and_no_half_file(
    run: Run, small: Path, tmp_path: Path, called: None
) -> None:
    bad = OUTLINE.replace("design.title", "design.titel")
    (tmp_path / "plugins/some_columns.py").write_text(bad + CALL)
    out = tmp_path / "out"
    words = ("--out", out, "--quiet", "--iterations", 3, "--start", "uniform", "--no-history")
    done = run("solve", small, *words, "--export", "columns")
    assert done.exit_code == 2
    assert "the export 'columns' failed (AttributeError" in done.stderr
    assert "internal error" not in done.stderr
    assert (out / "result.json").is_file() and not (out / "design.txt").exists()


def test_two_exports_into_one_file_are_refused(run: Run, solved: Path, tmp_path: Path, called: None) -> None:
    (tmp_path / "plugins/some_columns.py").write_text(OUTLINE.replace("design.txt", "design.stl") + CALL)
    done = run("export", solved, "--stl", "--format", "columns")
    assert done.exit_code == 2
    assert "the exports stl and columns both write design.stl" in done.stderr


def test_thin_members_are_told_where_the_surface_leaves_and_nowhere_else(run: Run, solved: Path) -> None:
    cells = np.zeros((12, 24), dtype=np.float32)
    cells[2:4] = 1
    cells[6:12] = 1
    np.save(solved / "density.npy", cells)
    np.save(solved / "part.npy", cells.astype(np.uint8))
    surface, voxels = (run("export", solved, switch) for switch in ("--stl", "--vti"))
    assert surface.exit_code == voxels.exit_code == 0
    assert "note: 25 % of the part is thinner than three voxels" in surface.stderr
    assert "thinner" not in voxels.stderr
