"""`show`, `check`, `export` and `problems`: what can be done with a saved result."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

import trabecula as tb
from tests.cli.conftest import Run


def test_show_says_what_solve_said(run: Run, solved: Path) -> None:
    done = run("show", solved)
    assert done.exit_code == 0, done.stderr
    assert f"Small  {json.loads((solved / 'result.json').read_text())['word']}" in done.stdout
    assert str(solved / "design.png") in done.stdout
    assert json.loads(run("show", solved, "--json").stdout)["name"] == "Small"


def test_check_agrees_with_an_honest_result(run: Run, solved: Path) -> None:
    done = run("check", solved)
    assert done.exit_code == 0, done.output
    for word in ("compliance", "lower_bound", "equilibrium_residual", "claimed", "recomputed"):
        assert word in done.stdout
    assert json.loads(run("check", solved, "--json").stdout)["ok"] is True


def test_check_finds_a_lie(run: Run, solved: Path) -> None:
    values = json.loads((solved / "result.json").read_text())
    values["compliance"] *= 0.9
    (solved / "result.json").write_text(json.dumps(values))
    done = run("check", solved)
    assert done.exit_code == 4
    assert "differs" in done.stdout


def test_check_finds_a_changed_design(run: Run, solved: Path) -> None:
    density = np.load(solved / "density.npy", allow_pickle=False)
    np.save(solved / "density.npy", density[::-1])
    assert run("check", solved).exit_code == 4


@pytest.mark.parametrize("command", ["show", "check", "export"])
@pytest.mark.parametrize(
    "name", ["result.json", "density.npy", "part.npy", "history.csv", "problem.yaml", "state.npz"]
)
def test_a_damaged_folder_is_one_message(run: Run, solved: Path, command: str, name: str) -> None:
    (solved / name).write_bytes(b"\xff\x00damaged")
    extra = ["--stl"] if command == "export" else []
    done = run(command, solved, *extra)
    assert done.exit_code == 2
    assert name in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_export_writes_what_is_asked_for(run: Run, solved: Path) -> None:
    done = run("export", solved, "--stl", "--3mf", "--vti", "--png", "--report")
    assert done.exit_code == 0, done.stderr
    names = ["design.stl", "design.3mf", "design.vti", "design.png", "report.html"]
    assert done.stdout.split() == [str(solved / name) for name in names]
    mesh = trimesh.load(solved / "design.stl")
    assert mesh.is_watertight
    np.testing.assert_allclose(mesh.extents[2], 100.0, rtol=1e-5)  # 0.1 m thick, in millimetres


def test_export_in_metres(run: Run, solved: Path) -> None:
    assert run("export", solved, "--stl", "--units", "m").exit_code == 0
    np.testing.assert_allclose(trimesh.load(solved / "design.stl").extents[2], 0.1, rtol=1e-5)


def test_export_of_nothing_says_what_there_is(run: Run, solved: Path) -> None:
    done = run("export", solved)
    assert done.exit_code == 2
    assert "--stl, --3mf, --vti, --png, --report" in done.stderr


def test_problems_lists_all_names(run: Run) -> None:
    done = run("problems")
    assert done.exit_code == 0
    for name in tb.problems.names():
        assert name in done.stdout


@pytest.mark.parametrize("name", tb.problems.names())
def test_a_named_problem_is_printed_as_a_file_that_reads_back(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "it.yaml").write_text(run("problems", name).stdout)
    assert tb.load(tmp_path / "it.yaml") == tb.problems.get(name)


def test_an_unknown_name_is_told_the_nearest(run: Run) -> None:
    done = run("problems", "cantileverr")
    assert done.exit_code == 2
    assert "did you mean cantilever" in done.stderr
