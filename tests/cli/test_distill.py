"""`trabecula distill`: networks and batches by name, one sentence where something does not fit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.cli.conftest import Run
from trabecula.cli import distill as command

TOY = """
import torch
from torch import nn

def made(width):
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(width, 2))

class Big(nn.Sequential):
    def __init__(self):
        super().__init__(*made(6))

def small():
    return made(3)

def batches():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(12, 1, 5, 5, generator=g)
    return [(x[k : k + 4], (x[k : k + 4].mean((1, 2, 3)) > 0).long()) for k in (0, 4, 8)]

def stream():
    yield from batches()

def breaking():
    yield batches()[0]
    raise KeyError("row 7")

def failing():
    return {}["key"]

def number():
    return 3

def inputs():
    return [x for x, _ in batches()]

def empty():
    return []

def strange():
    return [(torch.zeros(4, 1, 5, 5), torch.zeros(3, dtype=torch.long))]

def later():
    return [batches()[0], (torch.zeros(4, 2, 5, 5), torch.zeros(4, dtype=torch.long))]

ready = batches()
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with the networks of a user."""
    (tmp_path / "toynets.py").write_text(TOY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.delitem(sys.modules, "toynets", raising=False)
    return tmp_path


BASE = ("distill", "toynets:Big", "toynets:small", "--epochs", "2", "--quiet", "--data")


def test_a_student_is_trained_and_its_weights_are_written(run: Run, toy: Path) -> None:
    words = ("distill", "toynets:Big", "toynets:small", "--data", "toynets:batches", "--epochs", "2")
    done = run(
        *words, "--validation", "toynets:ready", "--method", "soft-targets", "--method", "attention=10"
    )
    assert done.exit_code == 0, done.stderr
    assert "teacher" in done.stdout
    assert "soft-targets" in done.stdout
    assert "written: student.pt" in done.stderr
    state = torch.load(toy / "student.pt", weights_only=True)
    assert state["0.weight"].shape == (3, 1, 3, 3)


def test_the_same_words_give_the_same_weights(run: Run, toy: Path) -> None:
    for name in ("a.pt", "b.pt"):
        assert run(*BASE, "toynets:batches", "--out", toy / "new" / name).exit_code == 0
        torch.rand(5)
    a, b = (torch.load(toy / "new" / name, weights_only=True) for name in ("a.pt", "b.pt"))
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_json_says_sizes_errors_and_losses(run: Run, toy: Path) -> None:
    words = ("distill", "toynets:Big", "toynets:small", "--data", "toynets:stream", "--epochs", "2", "--json")
    done = run(
        *words,
        "--validation",
        "toynets:stream",
        "--method",
        "born-again",
        "--set",
        "born-again.generations=2",
    )
    said = json.loads(done.stdout)
    assert said["teacher"]["parameters"] == 74
    assert said["student"]["parameters"] == 38
    assert 0 <= said["student"]["error"] <= 1
    assert 0 <= said["ensemble"]["error"] <= 1
    assert [(line["round"], line["epoch"]) for line in said["record"]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert said["file"] == "student.pt"


def test_saved_weights_make_the_teacher(run: Run, toy: Path) -> None:
    assert run(*BASE, "toynets:batches", "--out", "first.pt").exit_code == 0
    words = ("distill", "toynets:small", "toynets:small", "--data", "toynets:batches", "--epochs", "1", "-q")
    assert run(*words, "--weights", "first.pt").exit_code == 0
    refused = run(*BASE, "toynets:batches", "--weights", "first.pt")
    assert refused.exit_code == 2
    assert "first.pt does not fit the network" in refused.stderr


def test_training_goes_on_from_a_checkpoint(run: Run, toy: Path) -> None:
    assert run(*BASE, "toynets:batches", "--checkpoint", "run.ckpt", "--out", "a.pt").exit_code == 0
    assert run(*BASE, "toynets:batches", "--checkpoint", "run.ckpt", "--out", "b.pt").exit_code == 0
    a, b = (torch.load(toy / name, weights_only=True) for name in ("a.pt", "b.pt"))
    assert all(torch.equal(a[key], b[key]) for key in a)
    other = run(*BASE, "toynets:batches", "--checkpoint", "run.ckpt", "--seed", "4")
    assert other.exit_code == 2
    assert "other settings" in other.stderr


def test_the_teacher_alone_may_teach(run: Run, toy: Path) -> None:
    assert run(*BASE, "toynets:inputs", "--task-weight", "0").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["toynets:nothing"], "toynets has no 'nothing'; it has Big, batches"),
        (["toynets"], "write module:name"),
        (["toynets:number"], "gives int, not batches"),
        (["toynets:failing"], "'toynets:failing' fails: KeyError: 'key'"),
        (["toynets:breaking"], "'toynets:breaking' fails: KeyError: 'row 7'"),
        (["toynets:empty"], "no batches to learn from"),
        (["toynets:inputs"], "no targets; give task_weight=0"),
        (["toynets:strange"], "no task loss between outputs (4, 2) and targets (3,)"),
        (["toynets:later"], "to have 1 channels, but got 2 channels instead"),
        (["toynets:batches", "--method", "magic"], "'magic' is not known; it is one of logits"),
        (["toynets:batches", "--method", "fsp"], "as wide in the student as in the teacher"),
        (["toynets:batches", "--set", "soft-targets.temperature=-1"], "must be above 0"),
        (["toynets:batches", "--outputs", "cats"], "'cats'; it is one of classes, densities"),
        (["toynets:batches", "--rate", "0"], "--rate is 0.0"),
        (["toynets:batches", "--out", "."], "is a folder; give a file"),
        (["toynets:batches", "--weights", "toynets.py"], "no state_dict that torch can read"),
        (["toynets:batches", "--weights", "nowhere.pt"], "nowhere.pt: no such file"),
        (["toynets:batches", "--validation", "toynets:inputs"], "needs targets"),
        (["toynets:batches", "--validation", "toynets:empty"], "has no batches"),
        (["toynets:batches", "--validation", "toynets:strange"], "do not go together"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence_and_exit_code_two(
    run: Run, toy: Path, words: list[str], said: str
) -> None:
    done = run(*BASE, *words)
    assert done.exit_code == 2, done.stdout
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (toy / "student.pt").exists()


def test_networks_that_cannot_be_made_are_one_sentence(run: Run, toy: Path) -> None:
    for names in (("toynets:made", "toynets:small"), ("toynets:Big", "toynets:number")):
        done = run("distill", *names, "--data", "toynets:batches")
        assert done.exit_code == 2
        assert done.stderr.startswith("trabecula: 'toynets:")


def test_without_torch_it_says_what_to_install(run: Run, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    done = run(*BASE, "toynets:batches")
    assert done.exit_code == 2
    assert "pip install 'trabecula[learn]'" in done.stderr


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from trabecula.nn.distill import Epoch

    console = Console(force_terminal=True, width=80)
    monkeypatch.setattr(command, "messages", lambda: console)
    with console.capture() as shown, command.progress(4, silent=False) as report:
        assert report is not None
        report(Epoch(1, "student", 2, {"total": 0.5}))
    assert isinstance(shown.get(), str)
    with command.progress(4, silent=True) as report:
        assert report is None


def test_errors_of_networks_without_weights_can_be_measured() -> None:
    from trabecula.nn.distill import CLASSES

    batches = [(torch.eye(2), torch.tensor([0, 0]))]
    assert command.error_of(nn.Identity(), lambda _: batches, CLASSES) == 0.5
