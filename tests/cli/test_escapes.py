"""What comes from a file never acts on a terminal, is never markup, and is never a line of its own."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from tests.cli.conftest import SMALL, Run
from trabecula.cli.plain import PlainConsole
from trabecula.export.report import report
from trabecula.storage.visible import on_one_line, visible

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\x7f[red]x[/red][/nothing][link=http://evil]y"
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@given(st.text())
def test_a_visible_text_holds_nothing_that_acts(text: str) -> None:
    assert not ACTING.search(visible(text))
    assert "\n" not in on_one_line(text)
    visible(text).encode()  # and no half character


@pytest.mark.parametrize("text", ["Brücke 3 µm", "橋\tx\n", "a b", "é", "👩\u200d🔧"])
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text(), st.booleans())
def test_a_console_prints_texts_as_texts(text: str, as_text: bool) -> None:
    file = io.StringIO()
    console = PlainConsole(file=file, width=200, highlight=False)
    table = Table(text, box=None)
    table.add_row(Text(text) if as_text else text)
    console.print(table)
    console.print(Text(text) if as_text else text, soft_wrap=True)
    assert not ACTING.search(file.getvalue())


def test_colours_of_our_own_are_kept() -> None:
    file = io.StringIO()
    PlainConsole(file=file, force_terminal=True, color_system="standard").print(Text("certified", "green"))
    assert file.getvalue() == "\x1b[32mcertified\x1b[0m\n"


@pytest.mark.parametrize("words", [["show"], ["check"], ["show", "--json"], ["export", "--report"]])
def test_names_in_a_result_never_reach_the_terminal(run: Run, solved: Path, words: list[str]) -> None:
    (solved / "problem.yaml").write_text(
        SMALL.replace("name: Small", 'name: "[red]x[/red][/nothing][link=http://evil]y"')
    )
    values = json.loads((solved / "result.json").read_text())
    values["start"] = values["machine"] = values["version"] = EVIL + "\ncertified"
    for stage in values["stages"]:
        stage["name"] = EVIL
    values["learned"] = [
        {
            "what": EVIL,
            "where": EVIL,
            "accepted": True,
            "before": 1,
            "after": 1,
            "seconds": 1,
            "network": EVIL,
        }
    ]
    (solved / "result.json").write_text(json.dumps(values))
    folder = Path(shutil.move(solved, solved.with_name("out\x1b[31m\u202e")))
    done = run(words[0], folder, *words[1:])
    assert done.exit_code in (0, 4), done.output  # 4: the name is covered by the check
    assert not ACTING.search(done.stdout + done.stderr)
    if words == ["show"]:
        assert r"\x1b[2J" in done.stdout, "shown as what it is"
        assert "[red]x[/red]" in done.stdout, "markup is text"
        assert not [line for line in done.stdout.splitlines() if line.startswith("certified")]
    if words == ["export", "--report"]:
        page = (folder / "report.html").read_text()
        assert not ACTING.search(page)
        assert "<script" not in page


@pytest.mark.parametrize("field", ["word", "status", "start"])
def test_a_refusal_shows_escapes_as_what_they_are(run: Run, solved: Path, field: str) -> None:
    values = json.loads((solved / "result.json").read_text())
    values[field] = EVIL if field != "start" else [EVIL]
    (solved / "result.json").write_text(json.dumps(values))
    done = run("show", solved)
    assert done.exit_code == 2
    assert not ACTING.search(done.stderr)
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_file_of_a_wild_name_is_one_line(run: Run, tmp_path: Path) -> None:
    done = run("solve", tmp_path / f"a\n{EVIL.replace('/', '')}.yaml")
    assert done.exit_code == 2
    assert not ACTING.search(done.stderr)


def test_a_page_escapes_all_that_comes_from_outside() -> None:
    wild = '<script>alert(1)</script>"\x1b\u202e&'
    page = report(
        {"name": wild, "version": wild, "word": wild, "start": wild, "threads": wild, "iterations": wild,
         "elements": [wild], "stages": [{"name": wild, "iterations": wild}], "compliance": wild,
         "certificate": {"gap": wild, "connected": wild}},
        [{"compliance": 1.0, "stage": wild}, {"compliance": 2.0, "stage": wild + "x"}, {"volume": wild}],
        b"", {"name": wild, "supports": [{wild: wild}]}, f"name: x # {wild}", wild,
    )  # fmt: skip
    assert "<script" not in page
    assert not ACTING.search(page)
