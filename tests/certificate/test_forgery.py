"""A forged result fails: every field of every file, one at a time, and alterations that fit each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from benchmarks.forgeries import (
    ANOTHER,
    HARMLESS,
    Forgery,
    apply,
    asks_another,
    forgeries,
    is_harmless,
)
from benchmarks.honest import draw, examine, is_caught, judge
from trabecula.certificate.consistency import FIELDS, UNKNOWABLE
from trabecula.problem import problems
from trabecula.problem.model import (
    FilterOptions,
    Goal,
    Load,
    LoadCase,
)
from trabecula.problem.where import Nodes, Plane

Make = Callable[[], tb.Result]


def solved(problem: tb.Problem, start: str = "uniform", **arguments: object) -> tb.Result:
    return tb.solve(problem, start=start, threads=1, **arguments)  # type: ignore[arg-type]


def mbb(**options: object) -> tb.Problem:
    problem = problems.mbb((24, 8))
    return replace(problem, options=replace(problem.options, **options))  # type: ignore[arg-type]


def least_volume() -> tb.Problem:
    return replace(mbb(), goal=Goal("volume", None, (10.0,)))


def two_cases() -> tb.Problem:
    problem = problems.cantilever((16, 8))
    loads = problem.cases[0].loads
    other = LoadCase((Load(Plane("x", problem.domain.size[0]), force=(2000.0, 0.0)),), "pulled", 0.7)
    return replace(problem, cases=(LoadCase(loads, "bent", 0.3), other))


def heavy() -> tb.Problem:
    problem = mbb()
    weight = Load(gravity=(0.0, -9.81))
    return replace(problem, cases=(LoadCase((*problem.cases[0].loads, weight)),))


def in_void() -> tb.Problem:
    """A second case so small that no material is spent on it: its load hangs in void."""
    problem = problems.cantilever((24, 12))
    length, height = problem.domain.size
    small = LoadCase((Load(Nodes(((0.9 * length, height),)), force=(0.0, -1e-6)),), "small")
    goal = Goal("compliance", 0.25)
    return replace(problem, cases=(replace(problem.cases[0], name="main"), small), goal=goal)


HONEST: dict[str, Make] = {
    "compliance": lambda: solved(mbb(), "coarse", proposals=2),
    "least volume": lambda: solved(least_volume()),
    "heat": lambda: solved(problems.heat_sink((12, 12))),
    "projection": lambda: solved(mbb(projection=True)),
    "penalty 1": lambda: solved(mbb(penalty=1.0)),
    "helmholtz": lambda: solved(mbb(filter=FilterOptions("helmholtz", 1.2 * mbb().domain.spacing[0]))),
    "several cases": lambda: solved(two_cases()),
    "solid": lambda: solved(problems.cantilever_3d((8, 4, 4))),
    "own weight": lambda: solved(heavy()),
    "stopped early": lambda: solved(mbb(), iterations=40, tolerance=1e-9),
    "search stopped early": lambda: solved(mbb(projection=True), "coarse", proposals=2, iterations=3),
    "stopped in the ramp": lambda: solved(mbb(projection=True), iterations=5),
    "classical": lambda: solved(mbb(), "classical"),
    "load in void": lambda: solved(in_void()),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    @cache
    def made(name: str) -> Path:
        return HONEST[name]().save(tmp_path_factory.mktemp("honest") / name, picture=False)

    return made


@pytest.mark.parametrize("name", HONEST)
def test_what_is_honest_passes(folder: Callable[[str], Path], name: str) -> None:
    assert judge(folder(name)) == []
    found = tb.Result.load(folder(name)).check()
    assert {check.name for check in found.checks if check.verdict == "unchecked"} == set(UNKNOWABLE)
    json.dumps(found.to_json(), allow_nan=False)


def test_a_load_in_void_is_told(folder: Callable[[str], Path]) -> None:
    """It was a NumPy bool once, and null in the file."""
    saved = folder("load in void")
    assert json.loads((saved / "result.json").read_text())["certificate"]["connected"] is False
    assert tb.Result.load(saved).certificate.connected is False


@pytest.mark.parametrize("name", HONEST)
def test_a_forgery_fails_or_stands_on_the_list(
    folder: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    saved = folder(name)
    missed, another = [], []
    for forgery in forgeries(saved):
        if is_harmless(forgery):
            continue
        if not is_caught(forgery, saved, tmp_path):
            (another if asks_another(forgery) else missed).append(forgery.name)
    assert missed == []
    asked = sum(asks_another(forgery) for forgery in forgeries(saved))
    assert len(another) <= 0.2 * asked, another


def test_every_field_is_forged(folder: Callable[[str], Path]) -> None:
    places = {forgery.place for forgery in forgeries(folder("compliance"))}
    for field in FIELDS:
        assert any(re.match(rf"result.json {field}\b", place) for place in places), field


def test_the_list_holds_nothing_that_is_always_caught(folder: Callable[[str], Path], tmp_path: Path) -> None:
    """Every entry is needed: something of its kind does pass, on one of the results."""
    unneeded = set(HARMLESS)
    for name in HONEST:
        saved = folder(name)
        for forgery in forgeries(saved):
            mine = {pattern for pattern in unneeded if re.fullmatch(pattern, forgery.place)}
            if mine and not is_caught(forgery, saved, tmp_path):
                unneeded -= mine
    rare = {r"result.json learned(\[\].*)?", "state.npz relaxed", "state.npz design voxel"}
    assert unneeded <= rare  # no network took part; others as good are met with random problems


@pytest.mark.parametrize("pattern", [*HARMLESS, ANOTHER])
def test_the_certificate_page_names_what_check_cannot_know(pattern: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "certificate.md").read_text()
    section = page.partition("## What `check` cannot know")[2]
    words = set(re.findall(r"[a-z_]{4,}", pattern)) - {
        "result",
        "json",
        "problem",
        "yaml",
        "history",
        "state",
    }
    for word in words - {"first", "last", "humbler", "removed", "column", "that"}:
        assert f"{word}" in section, word


FORGED: dict[str, dict[str, object]] = {
    "volume": {"volume": 1.0},
    "word": {"word": "predicted"},
    "iterations": {"iterations": 7},
    "name": {"name": "Another"},
    "elements": {"elements": [8, 24]},
    "version": {"version": "the best"},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_was_forged_is_named(folder: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    def change(copied: Path) -> None:
        values = json.loads((copied / "result.json").read_text())
        (copied / "result.json").write_text(json.dumps(values | FORGED[name]))

    forged = apply(Forgery(name, name, change), folder("compliance"), tmp_path / "forged")
    assert name in tb.Result.load(forged).check().differing


def test_a_penalty_of_the_state_file_is_not_believed(folder: Callable[[str], Path], tmp_path: Path) -> None:
    def change(copied: Path) -> None:
        with np.load(copied / "state.npz", allow_pickle=False) as arrays:
            state = dict(arrays)
        np.savez(copied / "state.npz", **{**state, "penalty": np.asarray(1.0)})

    forged = apply(Forgery("penalty", "penalty", change), folder("compliance"), tmp_path / "forged")
    assert tb.Result.load(forged).check().differing == ("penalty",)


@pytest.mark.parametrize("number", range(8))
def test_random_problems_pass_and_their_forgeries_fail(tmp_path: Path, number: int) -> None:
    outcome = examine(draw(20, number), tmp_path, number, 8)
    assert outcome.differing == ()
    assert outcome.missed == ()
