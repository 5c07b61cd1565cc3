"""Starts are found by name, from Python and from the command line, ours and those that others add."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import trabecula as tb
from tests.cli.conftest import SMALL, run  # noqa: F401
from trabecula.problem import problems
from trabecula.problem.starts import GROUP
from trabecula.problem.tables import BrokenEntryError
from trabecula.results.result import Result
from trabecula.strategy import names, table
from trabecula.strategy.request import Request
from trabecula.strategy.runner import Strategy
from trabecula.strategy.table import STARTS, Start, start_of
from trabecula.strategy.uniform import continue_penalty
from trabecula.strategy.workbench import Workbench

PLATE = problems.cantilever((24, 12))


def short(bench: Workbench, request: Request) -> Strategy:
    """A start of somebody else: the uniform one with half as many iterations."""
    from dataclasses import replace

    stop = replace(request.stop, limit=request.stop.limit // 2)
    return (yield from continue_penalty(bench, stop))


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(STARTS, "_rows", dict(STARTS._rows))
    STARTS.register("short", Start(short), "Half as long.")
    return "short"


def test_help_texts_name_the_starts_of_the_table() -> None:
    assert STARTS.names()[: len(names.BUILT_IN)] == names.BUILT_IN
    assert all(STARTS.description(name) for name in STARTS)


def test_a_start_that_was_added_is_asked_for_by_name(added: str) -> None:
    result = tb.solve(PLATE, start=added, iterations=8)
    assert (result.start, result.iterations) == (added, 4)
    with pytest.raises(ValueError, match="search on coarse grids"):
        tb.solve(PLATE, start=added, also=[result.design])


def test_the_command_line_knows_it_too_and_resumes_it(added: str, run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    (tmp_path / "small.yaml").write_text(SMALL)
    words = ("--start", added, "--iterations", "8", "--out", tmp_path / "r", "-q")
    assert run("solve", tmp_path / "small.yaml", *words).exit_code == 3
    assert Result.load(tmp_path / "r").iterations == 4
    assert run("solve", "--resume", tmp_path / "r", "--iterations", "12", "-q").exit_code == 3
    assert Result.load(tmp_path / "r").iterations == 6


def test_an_unknown_start_is_refused_with_those_there_are(added: str) -> None:
    with pytest.raises(ValueError, match="'lucky'; it may be coarse, learned, uniform, classical, short"):
        start_of("lucky")


def test_what_is_no_start_is_a_broken_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STARTS, "_rows", dict(STARTS._rows))
    point = EntryPoint("bare", f"{table.__name__}:start_of", GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **asked: [point])
    with pytest.raises(BrokenEntryError, match=r"'bare' .*Start\(run\)"):
        start_of("bare")
