"""What was probably not meant is told once, with what would mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.problem.solids import box_triangles, write_stl
from trabecula.discretisation import prepare
from trabecula.problem import Caution, parse, problems

PLATE: dict[str, Any] = {
    "trabecula": 1,
    "domain": {"size": [2.0, 1.0], "elements": [80, 40]},
    "material": "steel",
    "supports": [{"where": {"x": 0}, "fix": ["x", "y"]}],
    "loads": [{"where": {"x": 2, "y": [0.4, 0.6]}, "force": [0, -1000]}],
    "goal": {"minimize": "compliance", "volume": 0.4},
}
BLOCK: dict[str, Any] = {
    "trabecula": 1,
    "domain": {"size": [0.2, 0.1, 0.1], "elements": [20, 10, 10]},
    "material": "steel",
    "supports": [{"where": {"x": 0}, "fix": ["x", "y", "z"]}],
    "loads": [{"where": {"x": 0.2}, "force": [0, -1000, 0]}],
    "goal": {"minimize": "compliance", "volume": 0.4},
}


def ball(x: float, radius: float, kind: str) -> dict[str, Any]:
    return {"where": {"sphere": {"center": [x, 0.5], "radius": radius}}, "as": kind}


def box(low: list[float], high: list[float], kind: str) -> dict[str, Any]:
    return {"where": {"box": {"min": low, "max": high}}, "as": kind}


def notes(tree: dict[str, Any], base: Path | None = None, **changes: Any) -> list[Caution]:
    return prepare(parse(tree | changes, base=base))[1]


def only(found: list[Caution]) -> str:
    (one,) = found
    return str(one)


@pytest.mark.parametrize("name", problems.names())
def test_named_problems_need_no_note(name: str) -> None:
    assert prepare(problems.get(name))[1] == []


# Regions without effect.


def test_a_bolt_hole_that_a_later_boss_fills_is_told() -> None:
    regions = [ball(1.0, 0.1, "void"), ball(1.0, 0.2, "solid")]
    assert only(notes(PLATE, regions=regions)) == (
        "regions[0].where: has no effect, for regions[1] comes later and covers all of it:"
        " put it behind regions[1], or leave it out"
    )
    assert notes(PLATE, regions=regions[::-1]) == []


def test_one_hole_of_several_that_is_filled_is_told() -> None:
    holes = {"where": {"any": [ball(x, 0.1, "void")["where"] for x in (0.5, 1.0, 1.5)]}, "as": "void"}
    assert only(notes(PLATE, regions=[holes, ball(1.0, 0.2, "solid")])).startswith(
        "regions[0].where.any[1]: has no effect, for regions[1] comes later"
    )


def test_a_hole_between_the_centres_of_elements_is_told() -> None:
    holes = {
        "where": {"any": [ball(0.5, 0.1, "void")["where"], ball(1.0, 0.01, "void")["where"]]},
        "as": "void",
    }
    assert only(notes(PLATE, regions=[holes])) == (
        "regions[0].where.any[1]: selects no elements and has no effect: widen it to the centre of an"
        " element, or leave it out"
    )


def test_several_that_undo_one_are_named() -> None:
    halves = [{"where": {"x": [a, b], "y": [0.3, 0.7]}, "as": "solid"} for a, b in ((0.8, 1.0), (1.0, 1.2))]
    found = only(notes(PLATE, regions=[ball(1.0, 0.1, "void"), *halves]))
    assert "regions[1] and regions[2] come later and cover all of it: put it behind regions[2]" in found


def test_what_is_only_partly_undone_or_asked_for_twice_is_not_told() -> None:
    ring = [ball(1.0, 0.2, "solid"), ball(1.0, 0.1, "void")]
    assert notes(PLATE, regions=ring) == []
    assert notes(PLATE, regions=[ball(1.0, 0.1, "void"), ball(1.0, 0.2, "void")]) == []


def test_solid_outside_the_shape_is_told_and_a_hole_that_the_shape_has_is_not(tmp_path: Path) -> None:
    write_stl(tmp_path / "part.stl", box_triangles((0, 0, 0), (0.2, 0.05, 0.1)))
    above, hole = (
        box([0.0, 0.06, 0.0], [0.1, 0.1, 0.1], "solid"),
        box([0.1, 0.06, 0.0], [0.2, 0.1, 0.1], "void"),
    )
    domain = BLOCK["domain"] | {"shape": "part.stl"}
    found = notes(BLOCK, tmp_path, domain=domain, regions=[above, hole])
    assert only(found).startswith("regions[0].where: lies outside domain.shape, where nothing is")


# Loads over void.

TOP = {"where": {"y": 1}, "force": [0, -1000]}


@pytest.mark.parametrize(("start", "share"), [(1.9, None), (1.75, "12%"), (1.0, "50%")])
def test_a_tenth_of_a_load_over_void_is_told(start: float, share: str | None) -> None:
    void = {"where": {"x": [start, 2.0], "y": [0.8, 1.0]}, "as": "void"}
    found = notes(PLATE, loads=[TOP], regions=[void])
    if share is None:
        assert found == []
    else:
        assert only(found) == (
            f"loads[0].where: {share} of it is passive void; the rest carries the load: make the selection or"
            " the void smaller if it should not"
        )


def test_a_load_around_a_hole_is_no_load_over_void() -> None:
    rim = {"where": {"sphere": {"center": [1.0, 0.5], "radius": 0.13}}, "force": [0, -1000]}
    assert notes(PLATE, loads=[rim], regions=[ball(1.0, 0.1, "void")]) == []


# Loads that are narrow somewhere.


def test_parts_that_count_as_one_element_wide_are_told_with_their_share() -> None:
    where = {"any": [{"y": 1, "x": [0.5, 0.8]}, {"nodes": [[2.0, 0.5]]}]}
    assert only(notes(PLATE, loads=[{"where": where, "force": [0, -1000]}])) == (
        "loads[0].where: 8% of it acts on parts that hold no whole edge and count as one element wide, so"
        " that they carry less on a finer grid: make them loads of their own to say what they carry"
    )


def test_a_pressure_on_another_area_than_was_asked_for_is_told() -> None:
    push = {"where": {"x": 0.2, "y": [0.015, 0.045]}, "pressure": 1e5}
    assert only(notes(BLOCK, loads=[push])).startswith("loads[0].where: 33% of it is the difference")
    push = {"where": {"x": 0.2, "y": [0.02, 0.05]}, "pressure": 1e5}
    assert notes(BLOCK, loads=[push]) == []


# Supports.


def test_a_support_that_holds_two_layers_is_told() -> None:
    odd = PLATE["domain"] | {"elements": [81, 41]}
    assert only(
        notes(PLATE, domain=odd, supports=[*PLATE["supports"], {"where": {"x": 1}, "fix": ["y"]}])
    ) == (
        "supports[1].where: x = 1 lies midway between two layers of nodes, and both are held; take an even"
        " number of elements along x for one in the middle"
    )
    pin = {"where": {"nodes": [[1.0, 0.0]]}, "fix": ["y"]}
    assert "[1, 0] lies midway between nodes" in only(
        notes(PLATE, domain=odd, supports=[*PLATE["supports"], pin])
    )
    assert notes(PLATE, supports=[*PLATE["supports"], pin]) == []


def test_a_part_of_a_support_that_holds_nothing_is_told() -> None:
    where = {"any": [{"x": 0}, {"x": [1.001, 1.004]}, {"x": [1.001, 1.004], "y": 0}]}
    found = notes(PLATE, supports=[{"where": where, "fix": ["x", "y"]}])
    assert only(found) == (
        "supports[0].where.any[1] and supports[0].where.any[2]: selects no nodes, so nothing is held there:"
        " move it or leave it out"
    )
    void = {"where": {"x": [0.9, 1.1], "y": [0.0, 0.2]}, "as": "void"}
    where = {"any": [{"x": 0}, {"x": 1, "y": 0}]}
    found = notes(PLATE, supports=[{"where": where, "fix": ["x", "y"]}], regions=[void])
    assert only(found).startswith(
        "supports[0].where.any[1]: selects only passive void, so nothing is held there"
    )


# Closed cavities.

SOLID = box([0.05, 0.02, 0.02], [0.15, 0.08, 0.08], "solid")
POCKET = box([0.08, 0.04, 0.04], [0.12, 0.06, 0.06], "void")


def test_void_that_is_closed_in_by_solid_is_told_and_a_way_out_ends_it() -> None:
    assert only(notes(BLOCK, regions=[SOLID, POCKET])) == (
        "regions: the void at x 0.08..0.12, y 0.04..0.06, z 0.04..0.06 is a closed cavity in passive solid"
        " and cannot be emptied: lead a void region outside"
    )
    channel = box([0.1, 0.05, 0.04], [0.11, 0.1, 0.05], "void")
    assert notes(BLOCK, regions=[SOLID, POCKET, channel]) == []


def test_void_that_the_design_may_open_is_no_closed_cavity() -> None:
    assert notes(BLOCK, regions=[POCKET]) == []
    assert notes(BLOCK, regions=[SOLID, box([0.08, 0.0, 0.04], [0.12, 0.06, 0.06], "void")]) == []


def test_several_cavities_are_one_note() -> None:
    second = box([0.13, 0.04, 0.04], [0.14, 0.06, 0.06], "void")
    (found,) = notes(BLOCK, regions=[SOLID, POCKET, second])
    assert found.count == 2
    assert "and 1 more are closed cavities" in found.message
