"""Networks of one's own on the command line: made, listed, taken back, and never in the way of a solve."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from trabecula.cli.user_networks import say_warnings
from trabecula.learning import fine_tuning as room
from trabecula.learning.fine_tuning import (
    FineTuningRequest,
    FineTuningResult,
    GateFigures,
    GateVerdict,
)
from trabecula.surrogate import (
    Card,
    NetworkWarning,
    shipped_model,
    user_networks,
)

SOLID = """\
trabecula: 1
name: Solid
domain: {size: [4, 2, 1], elements: [40, 20, 10]}
material: steel
supports: [{where: {x: 0}, fix: [x, y, z]}]
loads: [{where: {x: 4, y: 0}, force: [0, -1000, 0]}]
goal: {minimize: compliance, volume: 0.2}
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty history and networks in use, in folders of their own."""
    monkeypatch.setenv("TRABECULA_HISTORY_DIR", str(tmp_path / "history"))
    monkeypatch.setenv("TRABECULA_NETWORKS", "1")
    monkeypatch.setenv("TRABECULA_NETWORKS_DIR", str(tmp_path / "networks"))
    return tmp_path / "networks"


def installed(name: str = "corrector-3d") -> Card:
    """What ships, as a version of one's own."""
    base = shipped_model("corrector", 3)
    assert base is not None
    story = {**base.card.story, "base": base.card.sha256, "past solves": {"trained on": 9, "held out": 3}}
    card = replace(base.card, name=name, story=story)

    def write(part: Path) -> Card:
        (part / card.file).write_bytes(base.content)
        (part / "manifest.json").write_text(json.dumps({name: card.to_json()}))
        return card

    return user_networks.install(name, write)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("corrector", "give --data and --out"),
        ("corrector --data d", "give --data and --out"),
        ("corrector --data d --out o --dimension 3", "--dimension goes with"),
        ("corrector --from-history --out o", "--from-history does not go with --out"),
        ("corrector --roll-back --from-history", "--roll-back does not go with --from-history"),
        ("corrector --from-history --dimension 4", "--dimension"),
        ("corrector --from-history --judge 0", "only if the solver says so"),
        ("leap --from-history", "past solves cannot teach a leap"),
        ("corrector --from-history --dimension 3", "holds 0 solves in 3-D"),
        ("corrector --roll-back", "there is no corrector-2d or corrector-3d of your own"),
    ],
)
def test_what_cannot_be_is_one_message(run: Run, kept: Path, words: str, said: str) -> None:
    done = run("train", *words.split())
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if "--dimension 4" not in words:  # which is typer's own message, in a box
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_unreadable_history_is_one_message(run: Run, kept: Path, tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "entries").mkdir()
    (tmp_path / "history" / "index.sqlite").mkdir()
    done = run("train", "corrector", "--from-history", "--dimension", "3")
    assert done.exit_code == 2
    assert done.stderr.startswith("trabecula: ")
    assert len(done.stderr.strip().splitlines()) == 1


def outcome(objections: tuple[str, ...]) -> FineTuningResult:
    figures = {
        "no network": GateFigures(25.0, 0.001, None),
        "in use": GateFigures(21.0, 0.0, 0.75),
        "new": GateFigures(18.0, 0.0, 1.0),
    }
    base = shipped_model("corrector", 3)
    assert base is not None
    card = replace(base.card, version="" if objections else "0001")
    return FineTuningResult(card, GateVerdict(figures, figures, (3, 8), objections))


@pytest.mark.parametrize(
    ("objections", "said"),
    [
        ((), "installed as corrector-3d 0001; trabecula train corrector --roll-back takes it away"),
        (("on the fixed problems it takes more",), "not installed: on the fixed problems it takes more"),
    ],
)
def test_the_gates_figures_are_told(
    run: Run, kept: Path, monkeypatch: pytest.MonkeyPatch, objections: tuple[str, ...], said: str
) -> None:
    asked: list[FineTuningRequest] = []

    def fine_tune(wish: FineTuningRequest, *others: object) -> FineTuningResult:
        asked.append(wish)
        return outcome(objections)

    monkeypatch.setattr(room, "fine_tune", fine_tune)
    words = ("train", "corrector", "--from-history", "--threads", "1")
    done = run(*words, "--judge", "3", "--dimension", "3", "--seed", "7")
    assert done.exit_code == 0, done.output
    assert "3 past solves held out, solves to within 1 % and 0.5 %:" in done.stdout
    assert "new         18.0, ends 0.00 % above the best, 100 % taken" in done.stdout
    assert "no network  25.0, ends 0.10 % above the best\n" in done.stdout
    assert done.stdout.rstrip().endswith(said)
    assert asked == [FineTuningRequest("corrector", 3, None, 200, 3, 7)]
    found = json.loads(run(*words, "--json").stdout)
    assert found["installed"] is (not objections)
    assert found["version"] == (None if objections else "0001")
    assert found["gate"]["own"]["new"]["solves"] == 18.0
    assert asked[1] == FineTuningRequest("corrector", None, None, 200, 8, 0)
    assert run(*words, "-q").output == ""


def test_versions_are_listed_and_rolled_back_one_by_one(run: Run, kept: Path) -> None:
    assert run("history", "networks").stdout == "no networks of your own; what ships is in use\n"
    for _ in range(2):
        installed()
    assert run("history", "networks").stdout.splitlines() == [
        "corrector-3d 0001  replaced  from 9 past solves",
        "corrector-3d 0002  in use  from 9 past solves",
    ]
    back = run("train", "corrector", "--roll-back")
    assert back.exit_code == 0
    assert back.stderr == "corrector-3d: version 0002 withdrawn, version 0001 is in use\n"
    found = json.loads(run("train", "corrector", "--roll-back", "--json").stdout)
    assert found == {"name": "corrector-3d", "withdrawn": "0001", "in_use": "shipped"}
    assert run("train", "corrector", "--roll-back").exit_code == 2
    listed = json.loads(run("history", "networks", "--json").stdout)
    assert listed["folder"] == str(kept) and listed["on"] is True
    assert [row["state"] for row in listed["networks"]] == ["withdrawn", "withdrawn"]


def test_with_networks_for_both_dimensions_one_must_be_named(run: Run, kept: Path) -> None:
    installed()
    installed("corrector-2d")
    done = run("train", "corrector", "--roll-back")
    assert done.exit_code == 2
    assert "corrector-2d and corrector-3d of your own; --dimension says which" in done.stderr
    assert "corrector-2d: " in run("train", "corrector", "--roll-back", "--dimension", "2").stderr


def test_damaged_versions_are_listed_as_such(run: Run, kept: Path) -> None:
    installed()
    (kept / "corrector-3d" / "0001" / "manifest.json").write_text("{")
    assert "damaged" in run("history", "networks").stdout


def test_clearing_says_that_networks_stay_and_removes_them_on_request(run: Run, kept: Path) -> None:
    installed()
    said = run("history", "clear").stdout
    assert "1 network made from past solves stays; --networks removes it too" in said
    assert len(user_networks.versions("corrector-3d")) == 1
    assert "1 network removed" in run("history", "clear", "--networks").stdout
    assert not kept.exists()


@pytest.mark.parametrize("damaged", [False, True])
def test_a_solve_says_which_network_took_part_and_goes_on_without_a_damaged_one(
    run: Run, kept: Path, tmp_path: Path, damaged: bool
) -> None:
    installed()
    if damaged:
        (kept / "corrector-3d" / "0001" / "corrector-3d.onnx").write_bytes(b"nothing")
    (tmp_path / "solid.yaml").write_text(SOLID)
    words = ("--start", "learned", "--proposals", "1", "--iterations", "2", "--no-leap", "--threads", "1")
    done = run("solve", tmp_path / "solid.yaml", "--out", tmp_path / "r", *words)
    assert done.exit_code == 3, done.output
    notes = [line for line in done.stderr.splitlines() if "passed over" in line]
    assert len(notes) == damaged
    assert all(note.startswith("trabecula: note: your own corrector-3d is passed over") for note in notes)
    said = json.loads((tmp_path / "r" / "result.json").read_text())["learned"]
    assert {row["network"] for row in said if row["what"] == "proposal"} == {"proposer-3d shipped"}
    hands = {row["network"] for row in said if row["what"] == "hand-over"}
    assert hands == (set() if damaged else {"corrector-3d 0001"})  # what ships has no part behind a proposer
    assert ("by corrector-3d 0001" in done.stdout) is not damaged


def test_the_same_note_is_said_once_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with say_warnings():
        for text in ("one", *["many"] * 400):
            warnings.warn(text, NetworkWarning, stacklevel=1)
    assert capsys.readouterr().err.splitlines() == [
        "trabecula: note: one",
        "trabecula: note: many",
        "trabecula: note: 400 times in all: many",
    ]
