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


SHAPE = {"minimum_member": 1e-3, "minimum_gap": 3e-3, "maximum_member": 12e-3, "overhang": 0.355}


def test_members_gaps_and_overhang_are_said_with_their_resolution() -> None:
    said = dict(describe_part(PART | SHAPE | {"resolution": 5e-4}))
    assert said["members"] == "1 mm (2 voxels) to 12 mm (24 voxels) thick"
    assert said["clearance"] == "at least 3 mm (6 voxels) between members"
    assert said["overhang"].startswith("35.5 % of the area facing down is flatter than 45 degrees")


@pytest.mark.parametrize("units, scale", [("SI", 1.0), ("mm", 1e3)])
def test_members_of_a_voxel_are_said_with_what_mends_them(units: str, scale: float) -> None:
    shape = {key: scale * value for key, value in SHAPE.items() if key != "overhang"}
    said = dict(describe_part(PART | shape | {"resolution": scale * 1e-3}, units))
    assert said["members"].startswith("1 mm (one voxel) to 12 mm (12 voxels) thick; members thinner than two")
    assert said["members"].endswith("take finer voxels, or a larger filter radius")


def test_a_part_of_one_thickness_says_it_once_and_what_is_unknown_is_left_out() -> None:
    alike = {"minimum_member": 4e-3, "maximum_member": 4e-3, "minimum_gap": None, "resolution": 1e-3}
    said = dict(describe_part(PART | alike))
    assert said["members"] == "4 mm (4 voxels) thick" and "clearance" not in said and "overhang" not in said
    assert "members" not in dict(describe_part(PART | SHAPE))


def test_heat_is_said_by_its_temperature() -> None:
    cases = [{"name": "load", "temperature": {"largest": 12.0, "at": [1.0, 0.0]}, "stress": None}]
    said = dict(describe_part(PART | {"cases": cases}))
    assert said["warmer by"] == "at most 12 K at (1, 0) m" and "moves" not in said


@pytest.mark.parametrize(
    "part", [{}, {"cases": 3}, {"cases": [3]}, {"cases": [{"stress": 3}], "loaded": "all"}]
)
def test_what_is_no_part_is_said_without_figures(part: dict[str, object]) -> None:
    assert [name for name, _ in describe_part(part)] == ["mass", "one piece"]
