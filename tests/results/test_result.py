"""A result survives being written, moved, and read by somebody who does not trust it."""

from __future__ import annotations

import json
import math
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from trabecula.certificate.record import Certificate
from trabecula.problem.restate import explicit
from trabecula.results.records import LimitRecord, Stage
from trabecula.results.result import Result
from trabecula.results.result_folder import (
    clear,
    load_problem,
    same_problem,
    save_problem,
)
from trabecula.status import Status
from trabecula.storage.lock import LockedError
from trabecula.storage.owned import hold
from trabecula.storage.reading import UnreadableError
from trabecula.storage.tables import format_history, parse_history

PROOF = Certificate(
    equilibrium_residual=1e-10,
    kkt_residual=2e-3,
    lower_bound=8.0,
    gap=0.25,
    volume_violation=0.0,
    connected=True,
    grey=0.1,
)
PLANE = """\
trabecula: 1
name: Plate
domain: {size: [2, 1], elements: [8, 4]}
material: steel
supports: [{where: {x: 0}, fix: [x, y]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000]}]
goal: {minimize: compliance, volume: 0.5}
"""


@pytest.fixture
def result(tmp_path: Path) -> Result:
    (tmp_path / "plate.yaml").write_text(PLANE)
    density = np.random.default_rng(1).random((4, 8))
    return Result(
        problem=tb.load(tmp_path / "plate.yaml"),
        density=density.astype(np.float32),
        design=density**2,
        history=[
            {"stage": "coarse", "iteration": 1, "compliance": 12.5},
            {"stage": "fine", "iteration": 2, "compliance": 10.0, "change": 0.25},
        ],
        certificate=PROOF,
        stages=(Stage("coarse", 1, 0.5), Stage("fine", 1, 1.5)),
        status=Status.CONVERGED,
        start="coarse",
        iterations=1,
        solves=3,
        seconds=2.0,
        compliance=10.0,
        volume=0.5,
        objective=10.0,
        limits=(LimitRecord("volume", 0.5, 0.5, "at_most", True),),
        threads=2,
        version="0.1.0",
        word="certified",
        relaxed=density.astype(np.float32),
        penalty=3.0,
        beta=4.0,
    )


def test_a_result_comes_back_as_it_was(result: Result, tmp_path: Path) -> None:
    again = Result.load(result.save(tmp_path / "deep" / "er"))
    for name in ("density", "design", "relaxed"):
        assert getattr(again, name).dtype == getattr(result, name).dtype
        np.testing.assert_array_equal(getattr(again, name), getattr(result, name))
    for name, field in Result.__dataclass_fields__.items():
        if name not in ("density", "design", "relaxed") and field.compare:
            expected = explicit(result.problem) if name == "problem" else getattr(result, name)
            assert getattr(again, name) == expected, name


def test_saving_again_replaces_every_file(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "r")
    names = sorted(path.name for path in (tmp_path / "r").iterdir())
    replace(result, compliance=9.0).save(tmp_path / "r")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == names
    assert Result.load(tmp_path / "r").compliance == 9.0


def test_what_does_not_exist_is_null_in_json(result: Result, tmp_path: Path) -> None:
    proof = replace(PROOF, lower_bound=None, gap=None)
    endless = replace(result, certificate=proof, compliance=math.inf, relaxed=None)
    endless.save(tmp_path / "r", picture=False)
    values = json.loads((tmp_path / "r" / "result.json").read_text())
    assert values["certificate"]["gap"] is values["compliance"] is None
    assert values["out"] == str(tmp_path / "r")
    assert result.to_json()["out"] is None
    again = Result.load(tmp_path / "r")
    assert again.relaxed is None
    assert again.certificate == proof
    assert math.isnan(again.compliance)


def test_the_picture_is_a_png_and_can_be_left_out(result: Result, tmp_path: Path) -> None:
    assert result.plot().startswith(b"\x89PNG")
    assert result.plot(tmp_path / "p.png") == (tmp_path / "p.png").read_bytes() == result._repr_png_()
    result.save(tmp_path / "r", picture=False)
    assert not (tmp_path / "r" / "design.png").exists()


def test_the_mesh_has_the_size_of_the_domain(result: Result) -> None:
    full = replace(result, density=np.ones((4, 8), np.float32))
    np.testing.assert_allclose(full.to_mesh().bounds[1], [2, 1, 1], rtol=1e-6)
    assert full.to_mesh().is_watertight()


def test_history_keeps_numbers_words_and_gaps() -> None:
    rows = [{"stage": "a, b", "iteration": 1}, {"iteration": 2, "change": 1e-17, "note": 'says "x"'}]
    assert parse_history(format_history(rows)) == rows
    assert parse_history(format_history([])) == []


def test_clearing_touches_only_result_folders_and_our_files(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "r")
    (folder / "notes.txt").write_text("mine")
    (folder / "history.csv").write_text("changed by hand")
    with hold(folder, "result") as held:
        clear(held, result.problem, ["problem.yaml"])
    names = {path.name for path in folder.iterdir()}
    assert names == {"problem.yaml", "history.csv", "notes.txt", ".trabecula.json"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "result.json").write_text("somebody else's")
    with hold(other, "result") as held:
        clear(held, result.problem)
    assert (other / "result.json").exists()


@pytest.mark.parametrize("name", ["result.json", "density.npy", "design.png", "problem.yaml"])
def test_saving_never_replaces_what_is_not_ours(result: Result, tmp_path: Path, name: str) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / name).write_text("mine")
    with pytest.raises(UnreadableError, match=name):
        result.save(tmp_path / "r")
    assert [path.name for path in (tmp_path / "r").iterdir()] == [name]
    (tmp_path / "r" / name).unlink()
    result.save(tmp_path / "r")
    (tmp_path / "r" / name).write_text("changed")
    with pytest.raises(UnreadableError, match=f"{name}: was changed since"):
        result.save(tmp_path / "r")
    assert (tmp_path / "r" / name).read_text() == "changed"


def test_a_result_of_an_earlier_version_is_read_and_never_replaced(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "r")
    (folder / ".trabecula.json").unlink()
    assert Result.load(folder).compliance == result.compliance
    with pytest.raises(UnreadableError, match="by an earlier version that did not mark its folders"):
        result.save(folder)
    assert not (folder / ".trabecula.json").exists()


def test_threads_that_save_into_one_folder_do_not_lose_files(result: Result, tmp_path: Path) -> None:
    def save(_: int) -> bool:
        try:
            result.save(tmp_path / "r", picture=False)
        except LockedError:
            return False
        return True

    with ThreadPoolExecutor(6) as crew:
        saved = list(crew.map(save, range(12)))
    assert any(saved)
    assert Result.load(tmp_path / "r").compliance == result.compliance
    assert not list((tmp_path / "r").glob(".*.tmp"))


@pytest.mark.parametrize(
    "changed",
    [
        {"converged": "yes"},
        {"iterations": 1.5},
        {"iterations": True},
        {"compliance": "low"},
        {"word": "promised"},
        {"certificate": []},
        {"certificate": {}},
        {"certificate": {"gap": "small"}},
        {"stages": [3]},
        {"stages": [{"name": "a"}]},
        {"start": None},
    ],
)
def test_a_strange_result_json_is_refused(result: Result, tmp_path: Path, changed: dict[str, object]) -> None:
    path = result.save(tmp_path / "r", picture=False) / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(UnreadableError, match=r"result\.json"):
        Result.load(tmp_path / "r")


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, "1e999999"])
def test_what_is_no_json_object_is_refused(result: Result, tmp_path: Path, content: str) -> None:
    path = result.save(tmp_path / "r", picture=False) / "result.json"
    path.write_text(content)
    with pytest.raises(UnreadableError, match=r"result\.json"):
        Result.load(tmp_path / "r")


def test_densities_outside_zero_to_one_are_refused(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "r", picture=False)
    np.save(folder / "density.npy", result.density + 1)
    with pytest.raises(UnreadableError, match="outside 0 to 1"):
        Result.load(folder)


def test_a_state_without_the_design_is_refused(result: Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "r", picture=False)
    np.savez(folder / "state.npz", penalty=3.0)
    with pytest.raises(UnreadableError, match="'design'"):
        Result.load(folder)


@pytest.mark.parametrize("name", ["none", "a.txt", "empty"])
def test_what_is_no_result_folder_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableError, match=name):
        load_problem(tmp_path / name)


SOLID = """\
trabecula: 1
domain: {size: [1, 1, 1], elements: [4, 4, 4], shape: SHAPE}
material: steel
supports: [{where: {x: 0}, fix: [x, y, z]}]
loads: [{where: {x: 1}, force: [0, -1000, 0]}]
regions: [{where: {stl: a/part.stl}, as: solid}]
goal: {minimize: compliance, volume: 0.5}
"""
FACET = """\
solid part
facet normal 0 0 0
 outer loop
  vertex 0 0 0
  vertex 1 0 0
  vertex 0 1 0
 endloop
endfacet
endsolid part
"""


def test_a_result_folder_keeps_the_files_its_problem_needs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.stl").write_text(FACET + name)
    (tmp_path / "solid.yaml").write_text(SOLID.replace("SHAPE", "b/part.stl"))
    problem = tb.load(tmp_path / "solid.yaml")
    folder = tmp_path / "result"
    with hold(folder, "result") as held:
        save_problem(problem, held)
    assert sorted(path.read_text()[-1] for path in folder.glob("*.stl")) == ["a", "b"]
    moved = folder.rename(tmp_path / "moved")
    for name in ("a", "b"):
        (tmp_path / name / "part.stl").rename(tmp_path / name / "gone.stl")
    again = load_problem(moved)
    before = sorted(path.name for path in moved.glob("*.stl"))
    with hold(moved, "result") as held:
        save_problem(again, held)
    assert load_problem(moved) == again
    assert sorted(path.name for path in moved.glob("*.stl")) == before
    assert all(re.fullmatch(r"input-part-[0-9a-f]{16}\.stl", name) for name in before)


def test_an_input_with_the_name_of_an_export_is_kept_under_another_one(tmp_path: Path) -> None:
    (tmp_path / "design.stl").write_text(FACET)
    (tmp_path / "solid.yaml").write_text(
        SOLID.replace("SHAPE", "design.stl").replace("a/part.stl", "design.stl")
    )
    problem = tb.load(tmp_path / "solid.yaml")
    with hold(tmp_path, "result") as held:
        save_problem(problem, held)
        clear(held, problem)
    assert (tmp_path / "design.stl").read_text() == FACET
    assert not list(tmp_path.glob("input-*"))


def test_problems_are_the_same_by_the_content_of_their_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "part.stl").write_text(FACET)
    (tmp_path / "copy.stl").write_text(FACET)
    (tmp_path / "one.yaml").write_text(SOLID.replace("SHAPE", "a/part.stl"))
    (tmp_path / "two.yaml").write_text(SOLID.replace("SHAPE", "copy.stl"))
    one, two = tb.load(tmp_path / "one.yaml"), tb.load(tmp_path / "two.yaml")
    assert one != two
    assert same_problem(one, two)
    (tmp_path / "copy.stl").write_text(FACET + "\n")
    assert not same_problem(one, two)
