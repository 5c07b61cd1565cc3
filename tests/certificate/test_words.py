from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.certificate.grids import cantilever
from trabecula.certificate import Certificate
from trabecula.certificate.limits import relative_violation
from trabecula.certificate.words import word_of
from trabecula.problem.model import Goal
from trabecula.status import Status

FULL = Certificate(1e-9, 0.01, 164.0, 0.42, 0.0, True, 0.3)


@pytest.mark.parametrize(
    ("changed", "status", "word"),
    [
        ({}, Status.CONVERGED, "certified"),
        ({"equilibrium_residual": 1e-8, "kkt_residual": 0.1}, Status.CONVERGED, "certified"),
        ({"connected": False}, Status.CONVERGED, "certified"),
        ({}, Status.LIMIT, "verified"),
        ({}, Status.INFEASIBLE, "verified"),
        ({"equilibrium_residual": 1.1e-8}, Status.CONVERGED, "verified"),
        ({"equilibrium_residual": 1e-6}, Status.CONVERGED, "verified"),
        ({"kkt_residual": 0.11}, Status.CONVERGED, "verified"),
        ({"kkt_residual": None}, Status.CONVERGED, "verified"),
        ({"kkt_residual": math.nan}, Status.CONVERGED, "verified"),
        ({"lower_bound": None, "gap": None}, Status.CONVERGED, "verified"),
        ({"equilibrium_residual": 1.1e-6}, Status.CONVERGED, "predicted"),
        ({"equilibrium_residual": None}, Status.CONVERGED, "predicted"),
        ({"equilibrium_residual": math.nan}, Status.CONVERGED, "predicted"),
        ({"equilibrium_residual": math.inf}, Status.CONVERGED, "predicted"),
        ({"grey": None}, Status.CONVERGED, "predicted"),
        ({"volume_violation": math.nan}, Status.CONVERGED, "predicted"),
    ],
)
def test_a_word_is_earned(changed: dict[str, float | None], status: Status, word: str) -> None:
    assert word_of(replace(FULL, **changed), status, 10.0, 0.5) == word  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nothing_is_verified_without_finite_numbers(number: float) -> None:
    assert word_of(FULL, Status.CONVERGED, number, 0.5) == "predicted"
    assert word_of(FULL, Status.CONVERGED, 10.0, number) == "predicted"


def test_a_violation_is_relative_to_its_limit() -> None:
    problem = cantilever((4, 4), 0.4)
    assert relative_violation(problem, 0.02) == pytest.approx(0.05)
    assert relative_violation(replace(problem, goal=Goal("volume", None, (3.0,))), 0.02) == 0.02
