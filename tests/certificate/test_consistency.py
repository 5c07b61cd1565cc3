"""What a result says of itself beside the certificate, held to the problem and to itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import trabecula as tb
from trabecula.certificate.consistency import FIELDS, UNKNOWABLE, check_record
from trabecula.discretisation import discretise
from trabecula.problem import problems

TAKEN = {
    "what": "hand-over",
    "where": "24x8 drawn-0",
    "accepted": True,
    "before": 2.0,
    "after": 1.0,
    "seconds": 0.1,
    "network": "corrector-2d shipped",
}


@cache
def result() -> tb.Result:
    return tb.solve(problems.mbb((24, 8)), proposals=2, threads=1)


def differing(changed: Mapping[str, Any], **of_record: Any) -> set[str]:
    record = result().record()
    record = replace(record, values={**record.values, **changed}, **of_record)
    checks = check_record(discretise(result().problem), record)
    return {check.name for check in checks if check.verdict == "differs"}


def test_an_honest_record_agrees_and_says_what_nothing_follows_from() -> None:
    assert differing({}) == set()
    checks = check_record(discretise(result().problem), result().record())
    assert {check.name for check in checks if check.verdict == "unchecked"} == set(UNKNOWABLE)


def test_a_result_says_every_field_and_no_other() -> None:
    assert set(result().to_json()) == set(FIELDS)
    record = result().record()
    for field in FIELDS:
        values = {key: value for key, value in record.values.items() if key != field}
        checks = check_record(discretise(result().problem), replace(record, values=values))
        assert "fields" in {check.name for check in checks if check.verdict == "differs"}
    assert differing({"award": "gold"}) == {"fields"}


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"name": "Another"}, "name"),
        ({"name": None}, "name"),
        ({"elements": [24, 9]}, "elements"),
        ({"elements": "24x8"}, "elements"),
        ({"word": "predicted"}, "word"),
        ({"status": "limit"}, "converged"),
        ({"status": "splendid"}, "status"),
        ({"status": "infeasible"}, "status"),
        ({"status": "not solvable"}, "status"),
        ({"converged": 1}, "converged"),
        ({"iterations": 3}, "iterations"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"start": "random"}, "start"),
        ({"start": "uniform"}, "stages"),
        ({"start": "classical"}, "history"),
        ({"version": "the best"}, "version"),
        ({"machine": ""}, "machine"),
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
        ({"solves": -1}, "solves"),
        ({"seconds": None}, "seconds"),
        ({"seconds": 0.0}, "stages"),
        ({"out": 3}, "out"),
        ({"stages": []}, "stages"),
        ({"stages": [{"name": "proof", "iterations": 5, "seconds": 0.0}]}, "stages"),
        ({"learned": None}, "learned"),
        ({"learned": [3]}, "learned"),
        ({"learned": [{**TAKEN, "what": "wonder"}]}, "learned"),
        ({"learned": [{**TAKEN, "after": 3.0}]}, "learned"),
        ({"learned": [{**TAKEN, "accepted": False}]}, "learned"),
        ({"learned": [{**TAKEN, "seconds": -1.0}]}, "learned"),
        ({"learned": [{**TAKEN, "before": "bad"}]}, "learned"),
        ({"learned": [{**TAKEN, "what": "past", "after": None}]}, "learned"),
    ],
)
def test_what_does_not_follow_is_named(changed: dict[str, Any], name: str) -> None:
    assert name in differing(changed)


@pytest.mark.parametrize(
    "trial",
    [
        TAKEN,
        {**TAKEN, "before": None},
        {**TAKEN, "accepted": False, "after": None},
        {**TAKEN, "what": "past", "accepted": False},
        {**TAKEN, "what": "proposal", "accepted": True, "after": 3.0},
    ],
)
def test_trials_that_can_be_agree(trial: dict[str, Any]) -> None:
    assert differing({"learned": [trial]}) == set()


def test_the_state_file_is_not_believed() -> None:
    assert differing({}, penalty=1.0) == {"penalty"}
    assert differing({}, beta=32.0) == {"beta"}


def test_a_limit_that_is_missed_is_not_converged() -> None:
    proof = replace(result().certificate, volume_violation=0.02 * 0.5)
    assert differing({}, certificate=proof) == {"limit"}
    within = replace(result().certificate, volume_violation=1e-3 * 0.5)
    assert differing({}, certificate=within) == set()
