"""The tables say what was run, what was not, and what it came to."""

from __future__ import annotations

import math
from pathlib import Path

from benchmarks import tables as pages
from benchmarks.hybrid_figures import figures
from benchmarks.hybrid_tables import Loading, Training, tables
from benchmarks.optima import Runs
from benchmarks.pages import PAGES
from benchmarks.report import Figure, Report, Table, markdown, with_unit
from tests.benchmarks.runs_made_up import place, run, runs

PLACES = [place("one"), place("two", "hard", "random"), place("three", "hard", "random")]
METHODS = ["learned", "default", "practice"]
TRIALS = (("hand-over", True, 0.5), ("hand-over", False, 0.3), ("leap", False, 0.2))


def made() -> Runs:
    names = ("one", "two", "three")
    return runs(
        learned={
            name: run((1, 10.5), (2, 10.0), trials=TRIALS, finisher="finish-past-1", accepted=1, refused=2)
            for name in names
        },
        default={
            name: run((2, 10.5), (4, 10.0), residuals=((1, 2, 3, 0.02), (2, 4, 6, 9e-4))) for name in names
        },
        practice={"one": run((10, 20.0)), "two": run((10, 10.0))},
    )


def titled(found: list[Table], start: str) -> Table:
    return next(table for table in found if table.title.startswith(start))


def all_tables() -> list[Table]:
    cost = {3: Training(0.5, None)}
    return tables(made(), PLACES, METHODS, cost, [Loading(3, 1, 1.0)], {"anderson 3-D": "no reason"})


def test_gains_by_set_and_by_family() -> None:
    found = all_tables()
    rows = {row[:4]: row[4:] for row in titled(found, "How many times less").rows}
    assert rows["hard 3-D", "learned", "S default", "1 %"] == (2, "0 / 0", 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0)
    assert rows["solid 3-D", "learned", "P practice", "0.1 %"][1] == "1 / 0"
    assert rows["solid 3-D", "learned", "P practice", "0.1 %"][-1] == 5.0
    assert "∞" in rows["solid 3-D", "learned", "P practice", "0.1 %"]
    families = titled(found, "Gain in wall time").rows
    assert [row[0] for row in families] == ["one", "random"]
    assert [row[2] for row in families] == [1, 2]


def test_ends_and_costs_are_against_the_best_of_all() -> None:
    found = all_tables()
    ends = {row[:2]: row[2:] for row in titled(found, "Against the best known").rows}
    assert ends["solid 3-D", "practice"][:5] == (1, "0 %", "0 %", 100.0, 100.0)
    assert ends["solid 3-D", "default"][-2:] == ("1 of 1, 2 s", "1 of 1, 2 s")
    assert ends["hard 3-D", "practice"][:3] == (1, "100 %", "100 %")
    assert ends["hard 3-D", "practice"][-1] == "not measured"
    costs = {row[:2]: row[3:] for row in titled(found, "Cost to come").rows}
    assert costs["solid 3-D", "learned"] == ("1 / 20", "2 / 40", "2 / 40", "2 / 40", "2 / 40")
    assert set(costs["solid 3-D", "practice"]) == {"never"}


def test_decisions_are_counted_by_what_they_were_for() -> None:
    rows = [row for row in titled(all_tables(), "Designs of networks").rows if row[0] == "hard 3-D"]
    assert rows == [
        ("hard 3-D", "learned", "hand-over", 2, 2, 0.4),
        ("hard 3-D", "learned", "leap", 0, 2, 0.2),
        ("hard 3-D", "learned", "past design that became the design", 2, 0, None),
    ]


def test_old_runs_know_only_sums() -> None:
    old = runs(learned={"one": run((1, 10.0), accepted=3, refused=1)})
    found = tables(old, PLACES, ["learned"], {}, [], {})
    assert titled(found, "Designs of networks").rows == (("solid 3-D", "learned", "all", 3, 1, None),)


def test_loading_is_shown_once_and_by_every_solve() -> None:
    (row,) = titled(all_tables(), "Loading").rows
    assert row == ("3-D", 1, 1.0, 2.0, round(4 / 3, 2))


def test_break_even_says_never_and_what_is_unknown() -> None:
    rows = {row[1]: row[2:] for row in titled(all_tables(), "Break-even").rows}
    assert rows["S default"] == (3, 2.0, "0.5", "unknown", 900)
    slow = runs(learned={"one": run((4, 1.0))}, default={"one": run((2, 1.0))})
    found = tables(slow, PLACES, METHODS, {3: Training(0.5, 2.0)}, [], {})
    assert titled(found, "Break-even").rows[0][-1] == "never"


def test_what_was_not_run_is_said() -> None:
    found = tables(made(), [*PLACES, place("four", "large")], METHODS, {}, [], {"anderson 3-D": "no reason"})
    rows = {row[0]: row[1:] for row in titled(found, "Runs there are").rows}
    assert rows["hard 3-D"] == (2, 2, 2, 1, "")
    assert rows["large 3-D"] == (1, None, None, None, "nothing was run")
    assert rows["anderson 3-D"][-1] == "no reason"
    for table in found:
        assert markdown(table).count("\n") == len(table.rows) + 1


def test_figures_answer_the_claim() -> None:
    found = {figure.what: figure for figure in figures(made(), PLACES, {2: "no network ships for 2-D"})}
    s = found["wall time against the strongest way without networks (S: default), 3-D, to 1 %, median"]
    assert (s.value, s.goal, s.met) == (2.0, 1.7, True)
    p = found["wall time against practice (P), 3-D, to 1 %, median"]
    assert p.value == math.inf and p.met
    assert found["stiffer than S at equal time, hard 3-D, median (in place of the factor)"].value is not None
    assert found["problems not slower than 0.95x of S to 1 %, 3-D"].value == 100.0
    assert found["end above that of S, 3-D, worst"].value == 0.0
    assert found["wall time against anderson (N), 3-D, to 1 %, median"].note == "not run"
    (plane,) = [figure for what, figure in found.items() if "2-D" in what]
    assert plane.value is None and plane.note == "no network ships for 2-D"


def test_where_no_network_ships_the_default_is_judged() -> None:
    only = {key: found for key, found in made().items() if key[2] != "learned"}
    found = {figure.what: figure for figure in figures(only, PLACES, {3: "no network ships for 3-D"})}
    s = found["wall time against the strongest way without networks (S), 3-D, to 1 %, median"]
    assert s.value is None and s.note == "no network ships for 3-D"
    p = found["wall time of the default against practice (P), 3-D, to 1 %, median"]
    assert p.value == math.inf and p.goal == 20.0
    ways = {row[1:3] for row in titled(tables(only, PLACES, METHODS, {}, [], {}), "How many times").rows}
    assert ways == {("default", "P practice")}, "and not against itself"


def test_figures_without_any_run_say_so() -> None:
    found = figures({}, PLACES, {})
    assert [figure.note for figure in found] == ["not run", "not run"]
    assert all(figure.value is None and figure.met is None for figure in found)


def test_infinite_gains_are_kept_and_shown(tmp_path: Path) -> None:
    report = Report("hybrid", "Claim: x", (Figure("gain", math.inf, "x", 20.0, larger=True),))
    report.save(tmp_path / "hybrid.json")
    assert "Infinity" not in (tmp_path / "hybrid.json").read_text()
    (figure,) = Report.load(tmp_path / "hybrid.json").figures
    assert figure.value == math.inf and figure.met
    assert with_unit(math.inf, "x") == "∞"


def test_pages_are_written_from_any_set_of_runs(tmp_path: Path) -> None:
    report = Report("hybrid", "Claim: x", tuple(figures({}, PLACES, {})), tuple(all_tables()), threads=2)
    report = Report(
        **{**vars(report), "machine": dict.fromkeys(MACHINE, "?") | {"memory_gb": 1.0}, "versions": VERSIONS}
    )
    page = pages.page_of(next(page for page in PAGES if page.name == "hybrid"), {"hybrid": report})
    assert "Runs there are" in page
    assert "not measured" in page


MACHINE = ("processor", "cores", "instruction_set")
VERSIONS = {"trabecula": "0", "python": "3", "numpy": "2"}
