"""Hostile files through the command line: exit 2, one sentence, within a gigabyte and a minute for all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from tests.storage import hostile
from tests.storage.hostile import EVERYWHERE, JSON, NPY, NPZ, REQUEST, TABLE, Make
from trabecula.optimize import checkpoint as journal
from trabecula.problem import loads

SMALL = """\
trabecula: 1
name: Small
domain: {size: [2, 1], elements: [24, 12], thickness: 0.1}
material: steel
supports: [{where: {x: 0}, fix: [x, y]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000]}]
goal: {minimize: compliance, volume: 0.5}
"""

SOLID = """\
trabecula: 1
name: Solid
domain: {size: [2, 1, 1], elements: [8, 4, 4], shape: a.stl}
material: steel
supports: [{where: {x: 0}, fix: [x, y, z]}]
loads: [{where: {x: 2}, force: [0, -1000, 0]}]
goal: {minimize: compliance, volume: 0.5}
"""

CHILD = """
import json, resource, sys
from typer.testing import CliRunner
from trabecula.cli.app import app
import numpy, trabecula.results.result, trabecula.solve, trabecula.export, trabecula.optimize.checkpoint
jobs = json.load(sys.stdin)
with open("/proc/self/status") as status:
    now = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmSize"))
resource.setrlimit(resource.RLIMIT_AS, (now + 10**9, now + 10**9))
found = []
for words in jobs:
    done = CliRunner().invoke(app, words, env={"NO_COLOR": "1", "TRABECULA_HISTORY": "0"})
    found.append([done.exit_code, done.stdout, done.stderr])
print(json.dumps(found))
"""
"""Runs commands with a gigabyte more of memory than it takes to begin."""

SHOWN = {
    "result.json": EVERYWHERE | JSON,
    "density.npy": EVERYWHERE | NPY,
    "part.npy": EVERYWHERE | NPY,
    "state.npz": EVERYWHERE | NPZ,
    "history.csv": EVERYWHERE | TABLE,
    "problem.yaml": EVERYWHERE,
}
RESUMED = {
    "request.json": EVERYWHERE | JSON | REQUEST,
    "past.npy": EVERYWHERE | NPY,
    "checkpoint/uniform.npz": EVERYWHERE | NPZ,
}
HARMLESS = {("history.csv", "nothing"), ("past.npy", "one number")}
"""An empty table is a history without rows."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished result, and a solve that was cut off."""
    place = tmp_path_factory.mktemp("hostile")
    problem = loads(SMALL)
    tb.solve(problem, start="uniform", threads=1).save(place / "finished")
    (place / "cut").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "_PATIENCE", 0.0)
        tb.solve(problem, start="uniform", iterations=4, out=place / "cut", threads=1)
    (place / "cut" / "problem.yaml").write_text(SMALL)
    hostile.request(start="uniform")(place / "cut" / "request.json")
    return {"finished": place / "finished", "cut": place / "cut"}


def run_all(jobs: list[list[str]]) -> list[tuple[int, str, str]]:
    """Exit code, output and messages of every command, all in one process of limited memory."""
    words, given = [sys.executable, "-c", CHILD], json.dumps(jobs)
    done = subprocess.run(words, check=False, input=given, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[tuple[int, str, str]] = json.loads(done.stdout)
    return found


def check_all(source: Path, place: Path, attacks: dict[str, dict[str, Make]], words: list[str]) -> None:
    """Put every hostile file in its place, one folder each, and see what the command says."""
    names, jobs = [], []
    for file, makes in attacks.items():
        for name, make in makes.items():
            if (file, name) in HARMLESS:
                continue
            folder = place / f"{len(jobs)}"
            shutil.copytree(source, folder)
            (folder / file).unlink(missing_ok=True)
            make(folder / file)
            names.append(f"{file}: {name}")
            jobs.append([*words, str(folder)])
    for name, (code, output, said) in zip(names, run_all(jobs), strict=True):
        assert code == 2, f"{name}: exit {code}: {said}{output}"
        assert len(said.strip().splitlines()) == 1, f"{name}: {said}"
        assert "\x1b" not in said + output, name
        assert len(said) < 1000, name


def test_no_file_of_a_result_does_more_than_be_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    check_all(folders["finished"], tmp_path, SHOWN, ["show"])


def test_no_file_of_a_cut_off_solve_does_more_than_be_refused(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    check_all(folders["cut"], tmp_path, RESUMED, ["solve", "--quiet", "--resume"])


def test_no_problem_and_no_stl_does_more_than_be_refused(tmp_path: Path) -> None:
    jobs = []
    for name, make in {**EVERYWHERE, **JSON}.items():
        for file in ("a.yaml", "a.json", "a.stl"):
            if file == "a.stl" and name in JSON:
                continue
            folder = tmp_path / f"{len(jobs)}"
            folder.mkdir()
            make(folder / file)
            if file == "a.stl":
                (folder / "b.yaml").write_text(SOLID)
            asked = folder / ("b.yaml" if file == "a.stl" else file)
            jobs.append(["solve", "--quiet", str(asked), "--out", str(folder / "out")])
    for words, (code, output, said) in zip(jobs, run_all(jobs), strict=True):
        assert code == 2, f"{words}: exit {code}: {said}{output}"
        assert "\x1b" not in said + output
        assert "a.stl" in said or not words[2].endswith("b.yaml"), said


def test_the_largest_history_takes_little_memory(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["finished"], tmp_path / "long")
    random = np.random.default_rng(0).random((100_000, 9))
    head = "iteration,penalty,beta,objective,compliance,volume,violation,change,kkt,cg_iterations,seconds\n"
    rows = (f"{k},{','.join(map(repr, row))},{k % 50}\n" for k, row in enumerate(random.tolist()))
    (tmp_path / "long" / "history.csv").write_text(head + "".join(rows))
    ((code, _, said),) = run_all([["show", str(tmp_path / "long")]])
    assert code == 0, said
