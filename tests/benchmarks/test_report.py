"""Benchmarks leave results that can be read back, and pages say what the results say."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks.report import Figure, Report, Table, figures_table, finish, markdown, plain, shown


def report(tmp_path: Path) -> Report:
    asked = argparse.Namespace(json=tmp_path / "kernels.json", quick=False, threads=2)
    figures = [
        Figure("rate", 120.0, "M elements/s", 80.0, larger=True),
        Figure("time", 3.0, "s", 2.0, note="one core"),
        Figure("ratio", None, "x", 20.0, larger=True),
        Figure("count", 12),
    ]
    rows = (("8x8", 64, 0.012345), ("a|b", 1_234_567, None))
    return finish(
        "kernels", "Claim: fast.\n\nMore.", asked, figures, [Table("Rates", ("grid", "n", "s"), rows)]
    )


def test_results_come_back_as_they_were_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = report(tmp_path)
    assert Report.load(tmp_path / "kernels.json") == made
    assert made.claim == "Claim: fast."
    assert {"processor", "cores", "instruction_set"} <= set(made.machine)
    assert "0.0123" in capsys.readouterr().out


def test_no_folder_of_a_machine_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["kernels", "--data", str(tmp_path / "train3d"), "--sets", "a/b"])
    assert report(tmp_path).how == "python -m benchmarks.kernels --data train3d --sets a/b"


def test_figures_are_held_against_their_goals() -> None:
    assert [
        f.met for f in (Figure("a", 1.0, goal=2.0), Figure("a", 1.0, goal=2.0, larger=True), Figure("a", 1.0))
    ] == [True, False, None]
    (row,) = figures_table([Figure("a", 30.0, "x", 20.0, larger=True)]).rows
    assert row == ("a", "30x", "at least 20x", "yes")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("a", "a"),
        (1234567, "1,234,567"),
        (0.0, "0"),
        (12.3456, "12.3"),
        (1e-5, "1e-5"),
        (2345.6, "2,346"),
    ],
)
def test_numbers_are_shown_with_the_digits_that_matter(cell: str | int | float | None, text: str) -> None:
    assert shown(cell) == text


def test_tables_are_plain_text_or_markdown() -> None:
    table = Table("T", ("name", "n"), (("a|b", 5), ("c", 1000)))
    assert plain(table).splitlines() == ["T", "name      n", "a|b       5", "c     1,000"]
    assert markdown(table).splitlines()[1:3] == ["|---|--:|", "| a\\|b | 5 |"]
