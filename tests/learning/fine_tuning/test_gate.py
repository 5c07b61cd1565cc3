"""The solver decides: the same network is not better, one that knows is, and one that forgets is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.learning.fine_tuning.small import Knowing, ignorant, solved
from trabecula.discretisation import discretise
from trabecula.learning.fine_tuning import GateFigures, gate
from trabecula.learning.fine_tuning.gate import (
    IN_USE,
    NEW,
    PLAIN,
    objections,
)
from trabecula.optimize.analysis import Analysis
from trabecula.surrogate import Model


@pytest.fixture(scope="module")
def base() -> Model:
    return ignorant()


def problem() -> tuple[Analysis, np.ndarray]:
    made = solved(0.25)
    return Analysis(discretise(made.problem), 1), made.coarser[-1].astype(np.float64)


def test_the_same_network_is_not_better(base: Model) -> None:
    told: list[str] = []
    verdict = gate([problem()], [problem()], base, base, told.append, iterations=12)
    assert not verdict.is_passed
    assert len(verdict.objections) == 1
    assert "on your own problems it takes" in verdict.objections[0]
    assert verdict.own[NEW] == verdict.own[IN_USE]
    assert verdict.problems == (1, 1)
    assert told == ["judged 1 of the own problems", "judged 1 of the fixed problems"]
    said = json.loads(json.dumps(verdict.to_json()))
    assert said["passed"] is False
    assert said["own"]["problems"] == 1
    assert set(said["fixed"]) == {"problems", PLAIN, IN_USE, NEW}


def test_one_that_knows_the_answer_passes(base: Model) -> None:
    verdict = gate([problem()], [problem()], base, Knowing(base, solved(0.25).design), iterations=30)
    assert verdict.is_passed, verdict.objections
    assert verdict.own[NEW].solves < verdict.own[IN_USE].solves
    assert verdict.own[NEW].taken == 1.0


def figures(solves: float, end: float = 0.0) -> GateFigures:
    return GateFigures(solves, end, 1.0)


@pytest.mark.parametrize(
    ("own", "fixed", "said"),
    [
        ((20, 0.0, 19, 0.0), (20, 0.0, 20.3, 0.0), []),
        ((20, 0.0, 19.8, 0.0), (20, 0.0, 20, 0.0), ["on your own problems it takes 19.8 solves"]),
        ((20, 0.0, 15, 0.0), (20, 0.0, 21, 0.0), ["on the fixed problems it takes 21.0 solves"]),
        ((20, 0.0, 15, 0.002), (20, 0.0, 20, 0.0005), ["on your own problems its designs end 0.20 %"]),
        ((20, 0.0, 15, 0.0), (20, 0.001, 20, 0.003), ["on the fixed problems its designs end 0.30 %"]),
        ((20, 0.0, float("nan"), 0.0), (20, 0.0, float("nan"), 0.0), ["on your own", "on the fixed"]),
    ],
    ids=["better", "alike", "forgets", "ends worse", "forgets how to end", "undefined"],
)
def test_better_on_ones_own_and_not_worse_elsewhere(
    own: tuple[float, ...], fixed: tuple[float, ...], said: list[str]
) -> None:
    sets = [{IN_USE: figures(*s[:2]), NEW: figures(*s[2:])} for s in (own, fixed)]
    found = objections(*sets)
    assert len(found) == len(said)
    assert all(text.startswith(begin) for text, begin in zip(found, said, strict=True))
