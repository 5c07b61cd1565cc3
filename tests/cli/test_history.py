"""`trabecula history`, and what a solve on the command line does with it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run
from trabecula.learning.history import Store
from trabecula.results.result import Result


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history in use, in a folder of its own."""
    monkeypatch.setenv("TRABECULA_HISTORY", "1")
    monkeypatch.setenv("TRABECULA_HISTORY_DIR", str(tmp_path / "history"))
    return tmp_path / "history"


def listed(run: Run) -> dict[str, object]:
    done = run("history", "list", "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_what_was_solved_is_listed_and_forgotten(run: Run, small: Path, tmp_path: Path, kept: Path) -> None:
    done = run("solve", small, "--out", tmp_path / "r", "--proposals", "2")
    assert done.exit_code == 0
    assert "solved before" not in done.stderr
    found = listed(run)
    assert found["folder"] == str(kept)
    assert found["on"] is True
    (entry,) = found["entries"]
    assert (entry["name"], entry["elements"], entry["converged"]) == ("Small", [24, 12], True)
    assert found["bytes"] == entry["bytes"] > 0
    text = run("history", "list").stdout
    assert "Small" in text and "24 x 12" in text and "1 kept" in text
    assert run("history", "clear").stdout == f"1 solve removed from {kept}\n"
    assert not kept.exists()
    assert listed(run)["entries"] == []
    assert run("history", "list").stdout == "0 kept, 0 of 500 MB\n"


def test_path_says_where(run: Run, kept: Path) -> None:
    assert run("history", "path").stdout == f"{kept}\n"


def test_a_second_solve_says_that_it_tries_the_first_design(
    run: Run, small: Path, tmp_path: Path, kept: Path
) -> None:
    words = ("solve", small, "--proposals", "2", "--out", tmp_path / "r")
    run(*words, "-q")
    again = run(*words)
    assert "note: solved before; the design found then is tried too" in again.stderr
    assert not (tmp_path / "r" / "past.npy").exists()
    small.write_text(small.read_text().replace("volume: 0.5", "volume: 0.45").replace("Small", "Lighter"))
    assert "note: like 'Small', solved before" in run(*words).stderr
    assert run(*words, "-q").output == ""
    assert "solved before" not in run(*words, "--start", "uniform").stderr


def test_it_can_be_left_out_once_or_for_good(
    run: Run, small: Path, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("solve", small, "--proposals", "1", "--out", tmp_path / "r", "-q")
    run(*words, "--no-history")
    assert listed(run)["entries"] == []
    monkeypatch.setenv("TRABECULA_HISTORY", "0")
    run(*words)
    assert listed(run)["entries"] == []
    assert "switches it off" in run("history", "list").stdout
    run(*words, "--history")
    assert len(Store(kept, 1).entries()) == 1


def test_resuming_tries_the_same_past_design(run: Run, small: Path, tmp_path: Path, kept: Path) -> None:
    words = ("solve", small, "--proposals", "2", "-q", "--out")
    run(*words, tmp_path / "first")
    assert run(*words, tmp_path / "whole", "--no-history").exit_code == 0
    assert run(*words, tmp_path / "cut", "--iterations", "2").exit_code == 3
    assert (tmp_path / "cut" / "past.npy").is_file()
    run("history", "clear")
    assert run("solve", "--resume", tmp_path / "cut", "--iterations", "300", "-q").exit_code == 0
    assert not (tmp_path / "cut" / "past.npy").exists()
    cut, whole = Result.load(tmp_path / "cut"), Result.load(tmp_path / "whole")
    assert cut.compliance <= whole.compliance * 1.002
    (entry,) = listed(run)["entries"]
    assert entry["converged"] is True


@pytest.mark.parametrize("content", [b"nothing", b"", None])
def test_a_damaged_past_design_is_bad_input(
    run: Run, small: Path, tmp_path: Path, content: bytes | None
) -> None:
    out = tmp_path / "r"
    assert run("solve", small, "--iterations", "2", "--proposals", "1", "--out", out, "-q").exit_code == 3
    if content is None:
        np.save(out / "past.npy", np.full((3, 3), 7.0))
    else:
        (out / "past.npy").write_bytes(content)
    done = run("solve", "--resume", out, "--iterations", "9", "-q")
    assert done.exit_code == 2
    assert "past.npy: is damaged" in done.stderr


def test_what_cannot_be_kept_is_one_line_and_no_failure(
    run: Run, small: Path, tmp_path: Path, kept: Path
) -> None:
    kept.write_text("a file where the folder should be")
    done = run("solve", small, "--proposals", "1", "--out", tmp_path / "r")
    assert done.exit_code == 0
    assert [line for line in done.stderr.splitlines() if "history" in line] == [
        "trabecula: note: not kept in the history (file exists)"
    ]
    assert run("solve", small, "--proposals", "1", "--out", tmp_path / "r", "-q").output == ""


def test_an_unreadable_history_is_one_message(run: Run, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(store: Store) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(Store, "entries", locked)
    done = run("history", "list")
    assert done.exit_code == 2
    assert done.stderr.startswith("trabecula: the history cannot be read (database is locked)")


def test_similar_designs_are_listed_the_most_alike_first(
    run: Run, small: Path, tmp_path: Path, kept: Path
) -> None:
    words = ("solve", small, "--proposals", "1", "-q", "--out")
    run(*words, tmp_path / "first")
    nothing = run("history", "similar", tmp_path / "first")
    assert (nothing.exit_code, nothing.stdout) == (0, "nothing like it is kept\n")
    small.write_text(small.read_text().replace("volume: 0.5", "volume: 0.45").replace("Small", "Lighter"))
    run(*words, tmp_path / "second")
    small.write_text(
        small.read_text().replace("y: 0}, force", "y: 1}, force").replace("Lighter", "Other way")
    )
    run(*words, tmp_path / "third")
    done = run("history", "similar", tmp_path / "first")
    assert done.exit_code == 0, done.output
    assert "Lighter" in done.stdout and "24 x 12" in done.stdout
    found = json.loads(run("history", "similar", tmp_path / "second", "-n", "1", "--json").stdout)
    (one,) = found["similar"]
    assert one["name"] == "Other way"  # the mirror image of the same
    assert 0 <= one["difference"] < 0.05
    assert found["by"]


def test_what_is_no_result_has_nothing_similar(run: Run, tmp_path: Path, kept: Path) -> None:
    done = run("history", "similar", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "does not exist" in done.stderr
