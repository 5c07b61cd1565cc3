"""`trabecula generate`: counts, resumes, refuses, and leaves whole shards behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.learning.test_generate import stubbed
from trabecula.cli import generating
from trabecula.cli.generating import counting
from trabecula.learning import generate
from trabecula.learning.store import open_dataset
from trabecula.learning.workers import Tally


@pytest.fixture(autouse=True)
def no_mechanics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples out of thin air."""
    monkeypatch.setattr(generate, "make_sample", stubbed)


def test_it_makes_the_data_set_and_counts_what_was_skipped(run: Run, tmp_path: Path) -> None:
    done = run("generate", "--count", "20", "--dimension", "2", "--seed", "5", "--out", tmp_path / "d")
    assert done.exit_code == 0, done.output
    assert "18 samples made, 2 problems skipped" in done.stderr
    dataset = open_dataset(tmp_path / "d")
    assert (dataset.dimension, dataset.info["seed"]) == (2, 5)
    assert len(list(dataset.samples())) == 18


def test_it_goes_on_where_it_stopped(run: Run, tmp_path: Path) -> None:
    words = ("generate", "--dimension", "3", "--out", tmp_path, "--json", "--count")
    assert json.loads(run(*words, "16").stdout)["samples"] == 15
    again = json.loads(run(*words, "32").stdout)
    assert (again["there"], again["samples"], again["skipped"]) == (16, 15, 1)
    assert "32 problems were there" in run(*words[:-2], "--count", "32").stderr


def test_other_data_in_the_folder_are_not_touched(run: Run, tmp_path: Path) -> None:
    words = ("generate", "--count", "1", "--out", tmp_path, "--quiet")
    assert run(*words).stderr == ""
    refused = run(*words, "--seed", "1")
    assert refused.exit_code == 2
    assert "holds data of another seed: 0, not 1" in refused.stderr


def test_a_scheduler_that_is_not_there_is_bad_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trabecula.learning.workers.PATIENCE", 0.2)
    done = run("generate", "--count", "1", "--out", tmp_path, "--scheduler", "tcp://127.0.0.1:9")
    assert done.exit_code == 2
    assert "no dask scheduler answers" in done.stderr


def test_an_interrupt_ends_with_130_and_keeps_whole_shards(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(settings: generate.DataSettings, index: int) -> object:
        if index == 20:
            raise KeyboardInterrupt
        return stubbed(settings, index)

    monkeypatch.setattr(generate, "make_sample", interrupted)
    done = run("generate", "--count", "32", "--out", tmp_path)
    assert done.exit_code == 130
    assert "the same command goes on" in done.stderr
    assert [path.name for path in open_dataset(tmp_path).shards] == ["shard-000000.npz"]


@pytest.mark.parametrize(
    "words", [("--count", "0"), ("--dimension", "4"), ("--hard", "1.5"), ("--seed", "-1")]
)
def test_numbers_out_of_range_are_refused(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run("generate", "--count", "1", "--out", tmp_path / "d", *words)
    assert done.exit_code == 2
    assert not (tmp_path / "d").exists()


def test_off_a_terminal_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 12))
    monkeypatch.setattr(generating.time, "monotonic", lambda: float(next(clock)))
    with counting(100, 20, quiet=False) as told:
        for done in range(1, 5):
            told(Tally(done, done))
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) < 4
    assert lines[0].startswith("22/100") and "1 skipped" in lines[0] and "a minute" in lines[0]


def test_on_a_terminal_there_is_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with counting(10, 0, quiet=False) as told:
        told(Tally(5, 1))
    assert "6/10" in capsys.readouterr().err
