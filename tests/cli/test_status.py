"""Outcomes at the command line: the code, the JSON object and one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import trabecula as tb
from tests.cli.conftest import SMALL, Run
from trabecula.status import Status

INFEASIBLE = SMALL.replace("{minimize: compliance, volume: 0.5}", "{minimize: volume, compliance: 1.0e-9}")
FLAT = SMALL.replace("size: [2, 1]", "size: [2000, 1]").replace("x: 2,", "x: 2000,")


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [(INFEASIBLE, "infeasible", "even the full solid"), (FLAT, "not solvable", "times as long as wide")],
)
def test_a_solve_without_a_design_is_told_in_json_and_by_its_code(
    run: Run, tmp_path: Path, text: str, status: str, said: str
) -> None:
    (tmp_path / "p.yaml").write_text(text)
    done = run("solve", tmp_path / "p.yaml", "--out", tmp_path / "r", "--json")
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert (found["status"], found["word"], found["converged"]) == (status, None, False)
    assert found["compliance"] is None and found["certificate"] is None
    assert said in found["message"] and said in done.stderr
    assert done.stderr.count("\n") <= 4 and "Traceback" not in done.stderr
    assert not (tmp_path / "r" / "result.json").exists()


def test_a_result_says_how_it_ended(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(SMALL)
    done = run("solve", tmp_path / "p.yaml", "--out", tmp_path / "r", "--json", "--iterations", "2")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["status"], found["word"]) == (3, "limit", "verified")
    assert "--resume" in found["message"]
    assert tb.Result.load(tmp_path / "r").status is Status.LIMIT
