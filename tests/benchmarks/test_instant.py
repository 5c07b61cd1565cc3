"""The parts of a command add up to the whole, and what is noted beside it changes no result."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.instant import PARTS, Ran, jobs, row, run, split
from trabecula.problem import problems, save

NOTED = {
    "begins": 10.4,
    "ends": 11.0,
    "picture": 0.05,
    "stages": [["search 60x20", 0.3], ["120x40", 0.2], ["proof", 0.04]],
}


def test_parts_add_up_to_the_whole():
    parts = split(NOTED, 10.0, 11.2)
    assert set(parts) == set(PARTS)
    assert sum(parts.values()) == pytest.approx(1.2)
    assert parts["start"] == pytest.approx(0.4)
    assert parts["fine grid"] == pytest.approx(0.26)  # with what no stage counts
    assert parts["files"] == pytest.approx(0.15)


def test_a_row_shows_medians_beside_what_is_asked():
    parts = dict.fromkeys(PARTS, 0.1)
    ran = [Ran(seconds, 1.0, parts) for seconds in (0.5, 0.9, 0.6)]
    assert row(jobs(True)[0], ran, ran)[:5] == ("MBB 120x40", 0.6, 0.7, 0.9, 1.0)


def test_a_command_is_measured_with_and_without_its_parts(tmp_path: Path):
    file = tmp_path / "problem.yaml"
    save(problems.mbb(elements=(24, 8)), file)
    assert run(file, 1, False).parts == {}
    ran = run(file, 1, True)
    assert min(ran.parts.values()) >= 0
    assert sum(ran.parts.values()) == pytest.approx(ran.seconds)
