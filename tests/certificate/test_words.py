from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.certificate.grids import cantilever
from trabecula.certificate import Certificate
from trabecula.certificate.limits import relative_violation
from trabecula.certificate.words import shortcomings, word_of
from trabecula.part import Part, PartCase, PartLimit
from trabecula.problem.model import Goal
from trabecula.status import Status

PART = Part(
    mask=np.ones((2, 2), dtype=bool),
    threshold=0.5,
    volume=0.5,
    mass=1.0,
    compliance=10.0,
    pieces=1,
    removed=0.0,
    cavities=None,
    loaded=1.0,
    held=True,
    cases=(),
    limits=(),
)
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
    assert word_of(replace(FULL, **changed), status, 10.0, 0.5, PART) == word  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"cavities": 2, "free_supports": (2,)}, ""),  # notes, no bars
        ({"compliance": 10.19}, ""),
        ({"compliance": 10.21}, "2.1 % less stiff"),
        ({"compliance": 14.0}, "40 % less stiff"),
        ({"compliance": 540.0}, "54 times the compliance of the design"),
        ({"compliance": 140.0, "loaded": None}, "raise options.minimum_stiffness"),
        ({"compliance": 8.2}, "18 % stiffer"),
        ({"compliance": math.nan}, "stiffer"),
        ({"pieces": 4}, "4 pieces"),
        ({"pieces": 0}, "0 pieces"),
        ({"held": False}, "touches no support"),
        ({"loaded": 0.9991}, ""),
        ({"loaded": 0.69}, "31 % of the load acts on no material"),
        ({"loaded": 0.0}, "100 % of the load acts on no material"),
        ({"loaded": math.nan}, "of the load acts on no material"),
        ({"limits": (PartLimit("volume", 0.5, 0.51, False),)}, "volume is 0.51 where 0.5 is the limit"),
        ({"limits": (PartLimit("volume", 0.5, 0.5, True),)}, ""),
    ],
)
def test_certified_means_one_held_part_that_carries_its_loads(changed: dict[str, object], said: str) -> None:
    part = replace(PART, **changed)  # type: ignore[arg-type]
    assert word_of(FULL, Status.CONVERGED, 10.0, 0.5, part) == ("verified" if said else "certified")
    reason = shortcomings(FULL, Status.CONVERGED, 10.0, part)
    assert said in reason and bool(reason) == bool(said)
    assert not said or "; " in reason  # and what would mend it


@pytest.mark.parametrize(
    ("member", "said"),
    [
        (1.0, "its thinnest member is one voxel thick: take finer voxels, or a larger filter radius"),
        (2.0, "its thinnest member is 2 voxels thick: take finer voxels, or a larger filter radius"),
        (5.0, "densities; take finer voxels, or a larger filter radius"),
        (None, "densities; take finer voxels, or a larger filter radius"),
    ],
)
def test_a_part_that_is_less_stiff_says_how_thin_it_is(member: float | None, said: str) -> None:
    length = None if member is None else 1e-3 * member
    part = replace(PART, compliance=12.0, minimum_member=length, resolution=1e-3)
    reason = shortcomings(FULL, Status.CONVERGED, 10.0, part)
    assert reason.startswith("the part is 20 % less stiff") and reason.endswith(said)


def test_the_case_whose_load_acts_on_nothing_is_named() -> None:
    shares = {"a": 1.0, "b": 0.5}
    cases = tuple(PartCase(name, None, None, None, None, (), share) for name, share in shares.items())
    part = replace(PART, cases=cases, loaded=0.5)
    assert "50 % of the load 'b'" in shortcomings(FULL, Status.CONVERGED, 10.0, part)


def test_without_a_part_nothing_is_certified() -> None:
    assert word_of(FULL, Status.CONVERGED, 10.0, 0.5) == "verified"
    assert "finished part" in shortcomings(FULL, Status.CONVERGED, 10.0, None)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_nothing_is_verified_without_finite_numbers(number: float) -> None:
    assert word_of(FULL, Status.CONVERGED, number, 0.5) == "predicted"
    assert word_of(FULL, Status.CONVERGED, 10.0, number) == "predicted"


def test_a_violation_is_relative_to_its_limit() -> None:
    problem = cantilever((4, 4), 0.4)
    assert relative_violation(problem, 0.02) == pytest.approx(0.05)
    assert relative_violation(replace(problem, goal=Goal("volume", None, (3.0,))), 0.02) == 0.02
