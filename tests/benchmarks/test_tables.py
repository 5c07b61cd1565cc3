"""Pages say what the results say: the misses too, and long tables without losing what they come to."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks.digests import MOST, digest, number
from benchmarks.pages import HEADLINES, PAGES, Headline, Note, Page
from benchmarks.report import RESULTS, ROOT, Figure, Report, Table

MACHINE = {"processor": "P", "cores": 2, "memory_gb": 8.0, "instruction_set": "avx2"}
VERSIONS = {"trabecula": "1", "python": "3", "numpy": "2"}
FIGURES = (
    Figure("rate", 120.0, "M/s", 80.0, larger=True),
    Figure("time", 3.0, "s", 2.0, note="one core"),
    Figure("ratio", None, "x", 20.0, larger=True),
    Figure("count", 12),
)
RATES = Table("Rates", ("grid", "n"), (("8x8", 64), ("a|b", 1_234_567)))
PAGE = Page("kernels", "Loops", ("kernels",), ("rate", "count"), "Why [not](../theory.md).")


def found(*more: Table) -> dict[str, Report]:
    return {
        "kernels": Report(
            "kernels",
            "Claim: fast.",
            FIGURES,
            (RATES, *more),
            "python -m benchmarks.kernels --quick",
            2,
            "2026-01-01",
            dict(MACHINE),
            dict(VERSIONS),
        )
    }


def test_a_page_is_rewritten_between_its_markers() -> None:
    page = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n"
    once = tables.replace_block(page, "new\n")
    assert once == "before\n<!-- figures -->\nnew\n<!-- /figures -->\nafter\n"
    assert tables.replace_block(once, "new\n") == once
    assert tables.replace_block("no markers", "block") is None


def test_the_readme_says_what_was_missed_beside_what_was_met() -> None:
    one = Headline(
        ("kernels", "rate"), "elements", ("in", ("kernels", "time"), ";", Note(("kernels", "time")))
    )
    shown = tables.readme(found(), (one, Headline(("absent", "anything"), "nothing")))
    assert (
        "| elements | **120 M/s** | at least 80 M/s | in 3 s (missed: at most 2 s); one core "
        "| `python -m benchmarks.kernels` |" in shown
    )
    assert "nothing" not in shown and "Measured on P, 2 threads." in shown
    assert "**3 s** (missed)" in tables.readme(found(), (Headline(("kernels", "time"), "time"),))
    assert tables.readme({}) == tables.NOTHING


def test_a_figure_that_a_page_names_and_no_results_have_is_said() -> None:
    with pytest.raises(KeyError, match="has no figure 'speed'"):
        tables.figure(found(), ("kernels", "speed"))
    with pytest.raises(KeyError, match="'speed'"):
        tables.index(found(), (Page("kernels", "Loops", ("kernels",), ("speed",)),))


def test_the_index_has_a_line_for_each_page_and_every_miss() -> None:
    shown = tables.index(found(), (PAGE,))
    assert (
        "| [Loops](kernels.md) | rate | 120 M/s | at least 80 M/s | met | 1 of 2 | `benchmarks.kernels` |"
        in shown
    )
    assert "Of 2 figures with a goal these 1 miss it." in shown
    assert "| time | 3 s | at most 2 s | [Loops](kernels.md) |" in shown
    assert tables.index({}) == tables.NOTHING


def test_a_page_begins_with_its_figures_and_ends_with_its_tables() -> None:
    shown = tables.page_of(PAGE, found())
    places = [
        shown.index(text)
        for text in (
            "# Loops",
            "Fast.",
            "| time (one core) | 3 s | at most 2 s | **missed** |",
            "Why [not]",
            "`python -m benchmarks.kernels --quick`: 2026-01-01, 2 threads on P",
            "`benchmarks/results/kernels.json`",
            "**Rates**",
            "| a\\|b |",
        )
    ]
    assert places == sorted(places)


def test_a_long_table_becomes_least_median_and_greatest() -> None:
    rows = tuple((f"problem {k}", k, None if k else 7.0) for k in range(MOST + 1))
    (short,) = digest("kernels", Table("Long", ("problem", "n", "s"), rows))
    assert short.rows == (("n", 0.0, MOST / 2, float(MOST)), ("s", 7.0, 7.0, 7.0))
    assert str(MOST + 1) in short.title
    assert digest("kernels", RATES) == [RATES]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (None, None),
        (3, 3),
        ("∞", math.inf),
        ("never", math.inf),
        ("80 %", 80.0),
        ("0.45 / 21", 0.45),
        ("no", None),
    ],
)
def test_a_cell_is_the_number_it_begins_with(cell: str | int | None, value: float | None) -> None:
    assert number(cell) == value


def test_no_problem_is_lost_in_the_digests_of_the_hybrid() -> None:
    report = Report.load(RESULTS / "hybrid.json")
    by_title = {table.title: table for table in report.tables}
    long = next(table for title, table in by_title.items() if title.startswith("How many times less"))
    by_opponent, by_set = digest("hybrid", long)
    whole = [dict(zip(long.columns, row, strict=True)) for row in long.rows]
    against = [row for row in whole if row["against"] == "P practice" and row["within"] == "1 %"]
    shown = {row[:3]: row[3] for row in by_opponent.rows}
    for dimension in ("2-D", "3-D"):
        counted = sum(int(row["problems"]) for row in against if str(row["set"]).endswith(dimension))
        assert shown[dimension, "P practice", "1 %"] == counted
    default = {row["set"]: row["median"] for row in whole if row["against"] == "S default"}
    assert {row[0] for row in by_set.rows} == set(default)
    for start in ("Against the best known", "Cost to come within", "Designs of networks"):
        table = next(table for title, table in by_title.items() if title.startswith(start))
        (short,) = digest("hybrid", table)
        methods = {row[table.columns.index("method")] for row in table.rows}
        assert {row[1] for row in short.rows} == methods


def test_problems_on_which_the_default_falls_short_are_named() -> None:
    report = Report.load(RESULTS / "optima.json")
    ends, short = digest("optima", report.tables[0])
    worst = next(figure for figure in report.figures if figure.what == "default above the best known, worst")
    (default,) = (row for row in ends.rows if row[0] == "default")
    assert worst.value is not None
    assert max(float(default[3] or 0), float(default[6] or 0)) == pytest.approx(worst.value, abs=0.01)
    assert max(float(row[-1] or 0) for row in short.rows) == pytest.approx(worst.value, abs=0.01)


def test_every_result_has_a_page_and_every_page_its_results() -> None:
    shown = [name for page in PAGES for name in page.results]
    assert sorted(shown) == sorted(path.stem for path in RESULTS.glob("*.json"))
    assert len({page.name for page in PAGES}) == len(PAGES)


def test_the_readme_has_eight_figures_and_the_worst_misses_beside_them() -> None:
    assert len(HEADLINES) == 8
    shown = tables.readme(tables.reports())
    assert shown.count("\n| ") == 8
    assert "missed" in shown


def test_pages_say_what_the_committed_results_say() -> None:
    assert [str(path.relative_to(ROOT)) for path in tables.stale(tables.reports())] == []


def test_a_page_changed_by_hand_or_without_results_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MEASURED", tmp_path)
    monkeypatch.setattr(tables, "INDEX", tmp_path / "index.md")
    monkeypatch.setattr(tables, "README", tmp_path / "README.md")
    for path in (tables.INDEX, tables.README):
        path.write_text("<!-- figures -->\n<!-- /figures -->\n")
    reports = tables.reports()
    for path, text in tables.wanted(reports).items():
        path.write_text(text or "")
    assert tables.stale(reports) == []
    (tmp_path / "kernels.md").write_text("by hand")
    (tmp_path / "more.md").write_text("a benchmark of the past")
    assert tables.stale(reports) == [tmp_path / "kernels.md", tmp_path / "more.md"]
