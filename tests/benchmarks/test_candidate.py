"""A trained network is judged by whole solves before it ships."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import candidate
from benchmarks.candidate import Pair
from benchmarks.report import Report
from tests.benchmarks.runs_made_up import run
from trabecula.surrogate.model import FOLDER

GOOD = run((1.0, 1.2), (2.0, 1.004), (4.0, 1.0))


def test_what_a_network_saves_is_counted_at_a_level_of_the_better_end() -> None:
    quicker = Pair("", GOOD, run((0.5, 1.005), (4.0, 1.0)))
    assert quicker.saved(1.0) == pytest.approx(20 / 5)
    assert quicker.saved(0.1) == pytest.approx(1.0)
    assert quicker.worse == pytest.approx(0.0)


def test_a_run_that_never_arrives_counts_as_never() -> None:
    worse = run((0.5, 1.05), (4.0, 1.03))
    assert Pair("", GOOD, worse).saved(1.0) == 0.0
    assert Pair("", worse, GOOD).saved(1.0) == math.inf
    assert Pair("", GOOD, worse).worse == pytest.approx(3.0)


def test_the_command_judges_a_model_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.json"
    few = ["--quick", "--threads", "1", "--sets", "solid", "--limit", "1", "--json", str(out)]
    monkeypatch.setattr("sys.argv", ["candidate", "corrector-3d", "--models", str(FOLDER), *few])
    candidate.main()
    (table,) = Report.load(out).tables
    assert [line[0] for line in table.rows] == ["solid 3-D", "all"]
    assert str(table.rows[0][-1]).endswith(tuple("123456789")), "it drew at least one design"
