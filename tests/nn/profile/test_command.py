"""`trabecula profile` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.nn.profile.models import save, small
from trabecula.cli.app import app

Run = Callable[..., Result]
ROOFS = ("--runs", "2", "--peak", "10", "--bandwidth", "5")
SOURCE = """
from torch import nn

def plain():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 1))

class Wide(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, groups=4))

number = 3
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "mine.py").write_text(SOURCE)
    save(small(), tmp_path)

    def go(*words: str) -> Result:
        environment = {"COLUMNS": "140", "NO_COLOR": "1"}
        return CliRunner().invoke(app, ["profile", *words], env=environment)

    return go


def test_a_network_by_name_is_shown_with_its_layers_totals_and_rules(run: Run) -> None:
    found = run("mine:Wide", "--shape", "1x3x8x8", *ROOFS)
    assert found.exit_code == 0, found.stderr
    for word in ("MACs", "convolution", "DRAM", "given", "mine:Wide", "G1", "G2", "G4", "relu"):
        assert word in found.stdout
    assert found.stderr == ""


def test_a_file_is_shown_and_fused_layers_say_so(run: Run) -> None:
    found = run("small.onnx", *ROOFS)
    assert found.exit_code == 0, found.stderr
    assert "fused" in found.stdout and "depthwise" in found.stdout


def test_one_json_object_says_all_of_it(run: Run) -> None:
    found = run("mine:Wide", "--shape", "1x3x8x8", "--json", "--batch", "8", *ROOFS)
    values = json.loads(found.stdout)
    assert values["macs"] == 3 * 32 * 64 + 32 * 8 * 9 * 36
    assert {rule["rule"] for rule in values["rules"]} == {"G1", "G2", "G4"}
    assert values["roofline"]["measured"] is False


def test_quiet_leaves_out_the_layers_and_nothing_broken_says_so(run: Run) -> None:
    found = run("mine:plain", "--shape", "1X3x8x8", "--quiet", "--peak", "10", "--runs", "1")
    assert found.exit_code == 0
    assert "flop/B" not in found.stdout and "measured" in found.stdout and "nothing to say" in found.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mine:Wide",), "needs the shape"),
        (("mine:Wide", "--shape", "1x3"), "does not run on 1x3"),
        (("mine:Wide", "--shape", "one"), "write sizes with x"),
        (("mine:Wide", "--shape", "0x3"), "write sizes with x"),
        (("mine:Narrow", "--shape", "1x3"), "has no 'Narrow'"),
        (("mine:number", "--shape", "1x3"), "not a torch.nn.Module"),
        (("network.pt", "--shape", "1x3"), "MODEL.onnx"),
        (("missing.onnx",), "no such file"),
        (("small.onnx", "--shape", "1x4x8x8"), "not 1x4x8x8"),
        (("small.onnx", "--peak", "-1"), "must be above zero"),
    ],
)
def test_what_cannot_be_profiled_is_one_message_and_exit_code_2(
    run: Run, words: tuple[str, ...], message: str
) -> None:
    found = run(*words)
    assert found.exit_code == 2
    assert message in found.stderr and found.stderr.count("\n") == 1 and found.stdout == ""


def test_without_torch_the_message_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("trabecula.nn.profile")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    found = run("small.onnx")
    assert found.exit_code == 2 and "trabecula[learn]" in found.stderr


def test_the_help_loads_no_torch() -> None:
    code = (
        "import sys\nfrom trabecula.cli.app import app\n"
        "try:\n    app(['profile', '--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'onnx', 'numpy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip().splitlines()[-1] == "[]"
