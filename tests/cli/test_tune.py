"""`trabecula tune`: a module's function, searched; what is wrong said in one message."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MODULE = '''
"""Two candidates, one of them timed elsewhere."""
from trabecula.nn.tune import Int, Milliseconds, Network, Recipe
import torch

def wide(trial):
    width = trial.suggest_int("width", 1, 40)
    rate = trial.suggest_float("rate", 0.01, 1.0)
    yield Milliseconds(width / 4)
    for epoch in (1, 2):
        yield width / 40 * epoch / 2

def plain(trial):
    return 0.5

def broken(trial):
    raise KeyError("width")

def build(width):
    return torch.nn.Linear(4, width)

recipe = Recipe({"width": Int(1, 4)}, build, lambda model: None, lambda model: 0.5, torch.ones(1, 4))
word = "nothing to call"
'''


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the current directory, of a name no other test uses."""
    name = f"tuned_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


def test_a_function_is_searched_for_the_reward_and_shown_best_first(run: Run, mine: str) -> None:
    done = run("tune", f"{mine}:wide", "--trials", 12, "--target", 4, "--hard", "--pruner", "none")
    assert done.exit_code == 0
    lines = [line for line in done.stdout.splitlines() if "width=" in line]
    values = [float(line.split()[1]) for line in lines]
    assert len(values) == 10 and values == sorted(values, reverse=True)
    assert "12 done" in done.stdout
    assert "trial 11: done, metric" in done.stderr


def test_the_same_storage_goes_on(run: Run, mine: str) -> None:
    words = ("tune", f"{mine}:wide", "--storage", "t.db", "--target", 4, "--quiet")
    assert run(*words, "--trials", 3).stderr == ""
    found = json.loads(run(*words, "--trials", 5, "--json").stdout)
    assert len(found["trials"]) == 5
    assert found["goal"] == "Reward(target=4.0, under=-0.07, over=-0.07)"
    best = found["trials"][found["best"]]
    assert best["value"] == max(each["value"] for each in found["trials"] if each["value"])
    assert found["front"] and found["done"] + found["pruned"] == 5


def test_a_front_has_no_best(run: Run, mine: str) -> None:
    found = json.loads(run("tune", f"{mine}:wide", "--trials", 6, "--pareto", "--json").stdout)
    assert found["best"] is None and len(found["front"]) >= 1
    shown = run("tune", f"{mine}:wide", "--trials", 6, "--pareto", "-q")
    assert shown.stdout.count("yes") == len(found["front"])


def test_a_recipe_and_a_function_that_returns_are_candidates_too(run: Run, mine: str) -> None:
    assert "width=" in run("tune", f"{mine}:recipe", "--trials", 1, "--target", 1).stdout
    assert "0.5" in run("tune", f"{mine}:plain", "--trials", 1).stdout


def test_pruned_trials_are_counted(run: Run, mine: str) -> None:
    done = run("tune", f"{mine}:wide", "--trials", 25)
    assert "dropped early" in done.stdout and "worse than the others" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("wide", "--weight", "-0.1"), "need a --target"),
        (("wide", "--hard"), "need a --target"),
        (("wide", "--target", 1, "--hard", "--weight", "-0.1"), "not both"),
        (("wide", "--target", 0), "positive number of milliseconds"),
        (("wide", "--target", 1, "--weight", 1), "at most zero"),
        (("wide", "--pareto", "--target", 1), "leave out --target"),
        (("wide", "--pruner", "best"), "there are median, asha"),
        (("wide", "--workers", 2), "need a storage"),
        (("wide", "--storage", "no/t.db"), "is no folder"),
        (("plain", "--target", 1), "needs the latency"),
        (("broken",), "trial 0 (no settings) failed: KeyError"),
        (("word",), "nothing to call"),
        (("absent",), "has no 'absent'"),
    ],
)
def test_what_cannot_be_done_is_one_message(
    run: Run, mine: str, words: tuple[object, ...], said: str
) -> None:
    function, *options = words
    done = run("tune", f"{mine}:{function}", "--trials", 2, *options)
    assert done.exit_code == 2
    assert said in done.stderr and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_the_extra_it_says_what_to_install(
    run: Run, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("trabecula.nn.tune")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    done = run("tune", f"{mine}:wide", "--trials", 1)
    assert done.exit_code == 2 and "pip install 'trabecula[learn]'" in done.stderr
