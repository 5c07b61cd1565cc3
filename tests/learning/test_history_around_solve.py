"""What was solved helps the next solve, never harms it, and never makes one fail."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from tests.learning.histories import result
from trabecula import where
from trabecula.discretisation import discretise
from trabecula.learning import history
from trabecula.learning.history import location
from trabecula.problem import problems


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history in use, in a folder of its own."""
    monkeypatch.setenv("TRABECULA_HISTORY", "1")
    monkeypatch.setenv("TRABECULA_HISTORY_DIR", str(tmp_path / "history"))
    return tmp_path / "history"


def pulled(problem: tb.Problem, tip: tuple[float, ...]) -> tb.Problem:
    force = (0.0, -10e3, 0.0)[: len(tip)]
    return replace(problem, cases=(tb.LoadCase((tb.Load(where.Nodes((tip,)), force=force),)),))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            pulled(problems.cantilever((64, 32), volume=0.3), (2.0, 0.5)),
            pulled(problems.cantilever((64, 32), volume=0.32), (2.0, 0.46875)),
        ),
        (problems.mbb((90, 30)), problems.mbb((96, 32), volume=0.45)),
    ],
    ids=["cantilever", "mbb"],
)
def test_a_slightly_changed_problem_is_offered_the_first_design_and_ends_no_worse(
    kept: Path, first: tb.Problem, second: tb.Problem
) -> None:
    earlier = history.solve(first, proposals=3)
    match = history.recall(discretise(second))
    assert match is not None
    assert match.entry.name == first.name
    np.testing.assert_allclose(match.design, earlier.design, atol=1e-6)
    alone = tb.solve(second, proposals=3)
    helped = history.solve(second, proposals=3)
    assert helped.compliance <= alone.compliance * 1.002
    tried = {s.name: s.iterations for s in helped.stages if s.name.startswith("search")}
    without = {s.name: s.iterations for s in alone.stages if s.name.startswith("search")}
    assert {name: count - without[name] for name, count in tried.items()} == dict.fromkeys(tried, 60)
    assert len(history.open_history().entries()) == 2


def test_ways_without_a_search_are_kept_but_not_helped(kept: Path) -> None:
    plate = problems.cantilever((24, 12))
    for _ in range(2):
        made = history.solve(plate, start="uniform")
        assert made.start == "uniform"
    assert [entry.start for entry in history.open_history().entries()] == ["uniform"]


def test_switched_off_nothing_is_kept_or_offered(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history.keep(result())
    monkeypatch.setenv("TRABECULA_HISTORY", "0")
    plate = problems.cantilever((24, 12))
    np.testing.assert_array_equal(
        history.solve(plate, proposals=1).density, tb.solve(plate, proposals=1).density
    )
    assert len(history.open_history().entries()) == 1


@pytest.mark.parametrize("value", ["0", "off", "No", "FALSE", " 0 "])
def test_words_that_switch_it_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TRABECULA_HISTORY", value)
    assert not location.is_on()


@pytest.mark.parametrize("value", ["1", "on", ""])
def test_words_that_leave_it_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TRABECULA_HISTORY", value)
    assert location.is_on()


def test_it_is_kept_among_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TRABECULA_HISTORY_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert location.folder() == tmp_path / "trabecula" / "history"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert location.folder() == tmp_path / "me" / ".local" / "share" / "trabecula" / "history"


@pytest.mark.parametrize(
    ("value", "limit"), [("", 500e6), ("2", 2e6), ("0", 0), ("-1", 500e6), ("x", 500e6), ("nan", 500e6)]
)
def test_the_limit_is_in_megabytes(monkeypatch: pytest.MonkeyPatch, value: str, limit: float) -> None:
    monkeypatch.setenv("TRABECULA_HISTORY_MB", value)
    assert location.limit() == limit


def test_a_history_that_fails_is_no_failure(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.write_text("a file where the folder should be")
    assert history.recall(discretise(result().problem)) is None
    assert history.keep(result()) in ("file exists", "not a directory")

    def locked(*anything: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(history.Store, "keep", locked)
    monkeypatch.setattr(history.Store, "nearest", locked)
    assert history.keep(result()) == "database is locked"
    assert history.recall(discretise(result().problem)) is None
    assert history.solve(problems.cantilever((24, 12)), proposals=1).converged
