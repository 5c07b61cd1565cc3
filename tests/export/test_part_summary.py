from __future__ import annotations

import pytest

from trabecula.export.part_summary import describe_part

PART = {
    "mass": 2.0,
    "volume": 0.5,
    "pieces": 2,
    "removed": 0.03,
    "cavities": 1,
    "loaded": 0.7,
    "held": True,
    "free_supports": [2],
    "cases": [
        {
            "name": "a",
            "displacement": {"largest": 1e-3, "at": [0.0, 1.0]},
            "stress": {"largest": 2e6, "at": [0.5, 0.5], "safety": 3.5},
        },
        {"name": "b", "displacement": {"largest": 5e-4, "at": None}, "stress": None},
    ],
}


def test_a_part_is_said_in_a_few_lines_that_name_the_worst_case() -> None:
    said = dict(describe_part(PART))
    assert said["mass"] == "2 kg, 50 % of the domain"
    assert said["moves"] == "at most 1 mm in 'a' at (0, 1) m"
    assert said["stress"] == "at most 2 MPa in 'a' at (0.5, 0.5) m"
    assert said["safety"] == "3.5 against yield"
    assert said["one piece"].startswith("no, 2 pieces; does not touch support 2")
    for each in ("30 % of a load acts on no material", "1 closed cavity", "3 % of the material"):
        assert each in said["one piece"]


def test_heat_is_said_by_its_temperature() -> None:
    cases = [{"name": "load", "temperature": {"largest": 12.0, "at": [1.0, 0.0]}, "stress": None}]
    said = dict(describe_part(PART | {"cases": cases}))
    assert said["warmer by"] == "at most 12 K at (1, 0) m" and "moves" not in said


@pytest.mark.parametrize(
    "part", [{}, {"cases": 3}, {"cases": [3]}, {"cases": [{"stress": 3}], "loaded": "all"}]
)
def test_what_is_no_part_is_said_without_figures(part: dict[str, object]) -> None:
    assert [name for name, _ in describe_part(part)] == ["mass", "one piece"]
