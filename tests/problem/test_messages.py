"""Every refusal names the key, the value, what is allowed, and how to mend it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from trabecula.discretisation import prepare
from trabecula.problem import ProblemError, parse
from trabecula.problem.errors import Caution

from .plates import BLOCK, HEATED, PLATE, REMOVE, bent

NAN, INF = float("nan"), float("inf")
Row = tuple[dict[str, Any], dict[str, Any], str, list[str]]

READING: list[Row] = [
    # what the file is
    (PLATE, {"trabecula": 2}, "trabecula", ["got 2", "1"]),
    (PLATE, {"trabecula": True}, "trabecula", ["got true"]),
    (PLATE, {"trabecula": REMOVE}, "trabecula", ["missing"]),
    (PLATE, {"laods": []}, "laods", ["unknown key", "did you mean 'loads'?"]),
    (PLATE, {"name": 7}, "name", ["got 7", "quotes"]),
    (PLATE, {"name": "two\nlines"}, "name", ["printable"]),
    (PLATE, {"name": None}, "name", ["got nothing"]),
    (PLATE, {"material": REMOVE}, "material", ["missing"]),
    (PLATE, {"a" * 100: 1}, "'" + "a" * 60 + "'", ["unknown key"]),
    # domain
    (PLATE, {"domain": 3}, "domain", ["got 3", "size, elements"]),
    (PLATE, {"domain__size": [6.0]}, "domain.size", ["two lengths (plane stress) or three"]),
    (PLATE, {"domain__size": 6.0}, "domain.size", ["got 6", "a list of two or three lengths"]),
    (PLATE, {"domain__size": [1, 2, 3, 4]}, "domain.size", ["got 4 items", "at most 3"]),
    (PLATE, {"domain__size": [6.0, 0]}, "domain.size[1]", ["got 0", "above 0"]),
    (PLATE, {"domain__size": [-6.0, 1]}, "domain.size[0]", ["got -6", "above 0"]),
    (PLATE, {"domain__size": [NAN, 1]}, "domain.size[0]", ["got nan", "finite"]),
    (PLATE, {"domain__size": [INF, 1]}, "domain.size[0]", ["got inf", "finite"]),
    (PLATE, {"domain__size": [".inf", 1]}, "domain.size[0]", ["must be finite"]),
    (PLATE, {"domain__size": [10**400, 1]}, "domain.size[0]", ["beyond all bounds"]),
    (PLATE, {"domain__size": [1e-200, 1]}, "domain.size[0]", ["0 or at least"]),
    (PLATE, {"domain__size": ["6 m", 1]}, "domain.size[0]", ["got '6 m'", "without unit"]),
    (PLATE, {"domain__size": ["6", 1]}, "domain.size[0]", ["got '6'", "take off the quotes"]),
    (PLATE, {"domain__size": [True, 1]}, "domain.size[0]", ["got true", "a length"]),
    (PLATE, {"domain__elements": [24, 0]}, "domain.elements[1]", ["got 0", "from 1"]),
    (PLATE, {"domain__elements": [24, 4.5]}, "domain.elements[1]", ["got 4.5", "whole number"]),
    (PLATE, {"domain__elements": [24]}, "domain.elements", ["2 whole numbers"]),
    (PLATE, {"domain__elements": REMOVE}, "domain", ["either elements or resolution"]),
    (PLATE, {"domain__resolution": 0.1}, "domain", ["either elements or resolution"]),
    (PLATE, {"domain__thickness": 0}, "domain.thickness", ["got 0", "above 0"]),
    (PLATE, {"domain__shape": "part.stl"}, "domain.shape", ["3-D domain"]),
    (PLATE, {"domain__mesh": "part.msh"}, "domain.mesh", ["got 'part.msh'", "shape"]),
    (BLOCK, {"domain__thickness": 2}, "domain.thickness", ["2-D domain", "leave it out"]),
    (BLOCK, {"domain__shape": 4}, "domain.shape", ["a file name"]),
    # material
    (PLATE, {"material": "steal"}, "material", ["got 'steal'", "titanium", "did you mean 'steel'?"]),
    (PLATE, {"material": 5}, "material", ["got 5", "young"]),
    (PLATE, {"material__young": 0}, "material.young", ["got 0", "above 0"]),
    (PLATE, {"material__young": -1}, "material.young", ["got -1", "above 0"]),
    (PLATE, {"material__young": REMOVE}, "material.young", ["missing"]),
    (PLATE, {"material__poisson": 0.5}, "material.poisson", ["got 0.5", "above -1 and below 0.5"]),
    (PLATE, {"material__poisson": -1}, "material.poisson", ["got -1", "above -1"]),
    (PLATE, {"material__Young": 1}, "material.Young", ["unknown key", "did you mean 'young'?"]),
    (PLATE, {"loads__1": {"gravity": [0, -9.81]}}, "material.density", ["missing"]),
    (HEATED, {"material": {"young": 1}}, "material.conductivity", ["missing"]),
    # supports
    (PLATE, {"supports": []}, "supports", ["is empty", "at least one support"]),
    (PLATE, {"supports": {}}, "supports", ["got {}", "a list of supports"]),
    (PLATE, {"supports__0__fix": REMOVE}, "supports[0]", ["either fix or temperature"]),
    (PLATE, {"supports__0__fix": []}, "supports[0].fix", ["got []", "x, y"]),
    (PLATE, {"supports__0__fix": ["x", "x"]}, "supports[0].fix", ["at most once"]),
    (PLATE, {"supports__0__fix": ["z"]}, "supports[0].fix[0]", ["got 'z'", "one of x, y"]),
    (PLATE, {"supports__0__fix": "x"}, "supports[0].fix", ["a list of x, y"]),
    (PLATE, {"supports__0__where": REMOVE}, "supports[0].where", ["missing"]),
    (PLATE, {"supports__0": {"where": {"x": 0}, "temperature": 0}}, "supports[0]", ["fix", "thermal"]),
    (HEATED, {"supports__0": {"where": {"x": 0}, "fix": ["x"]}}, "supports[0]", ["temperature"]),
    (HEATED, {"supports__0__temperature": "warm"}, "supports[0].temperature", ["got 'warm'"]),
    # loads and cases
    (PLATE, {"loads": REMOVE}, "loads", ["neither", "cases"]),
    (PLATE, {"cases": []}, "loads", ["needs one load case"]),
    (PLATE, {"loads": []}, "loads", ["is empty", "force"]),
    (PLATE, {"loads__0__force": REMOVE}, "loads[0]", ["exactly one of force, pressure, gravity, heat"]),
    (PLATE, {"loads__0__pressure": 1}, "loads[0]", ["exactly one"]),
    (PLATE, {"loads__0__force": [0, -1, 0]}, "loads[0].force", ["a list of 2 forces"]),
    (PLATE, {"loads__0__force": [0, "a"]}, "loads[0].force[1]", ["got 'a'"]),
    (PLATE, {"loads__0__where": REMOVE}, "loads[0].where", ["missing", "everywhere"]),
    (PLATE, {"loads__0": {"gravity": [0, 1], "where": {"x": 1}}}, "loads[0].where", ["leave where out"]),
    (PLATE, {"loads__0": {"where": {"x": 6}, "heat": 1}}, "loads[0]", ["force, pressure or gravity"]),
    (HEATED, {"loads__0": {"where": {"x": 1}, "force": [0, 1]}}, "loads[0]", ["loads with heat"]),
    (PLATE, {"loads": REMOVE, "cases": []}, "cases", ["is empty"]),
    (PLATE, {"loads": REMOVE, "cases": [{"loads": []}]}, "cases[0].loads", ["is empty"]),
    (
        PLATE,
        {"loads": REMOVE, "cases": [{"weight": 0, "loads": PLATE["loads"]}]},
        "cases[0].weight",
        ["got 0", "above 0"],
    ),
    (
        PLATE,
        {"loads": REMOVE, "cases": [{"name": "a", "loads": PLATE["loads"]}] * 2},
        "cases[1].name",
        ["'a' is given twice"],
    ),
    # where
    (PLATE, {"loads__0__where": {}}, "loads[0].where", ["is empty", "everywhere"]),
    (PLATE, {"loads__0__where": "left"}, "loads[0].where", ["got 'left'", "a mapping"]),
    (PLATE, {"loads__0__where": {"z": 1}}, "loads[0].where.z", ["two axes", "three numbers"]),
    (PLATE, {"loads__0__where": {"spere": 1}}, "loads[0].where.spere", ["did you mean 'sphere'?"]),
    (PLATE, {"loads__0__where": {"x": "end"}}, "loads[0].where.x", ["got 'end'", "[from, to]"]),
    (PLATE, {"loads__0__where": {"x": [1]}}, "loads[0].where.x", ["[from, to]"]),
    (PLATE, {"loads__0__where": {"x": [2, 1]}}, "loads[0].where.x", ["write [1, 2]"]),
    (PLATE, {"loads__0__where": {"stl": "a.stl"}}, "loads[0].where.stl", ["3-D domain"]),
    (PLATE, {"loads__0__where": {"nodes": []}}, "loads[0].where.nodes", ["is empty"]),
    (PLATE, {"loads__0__where": {"nodes": [[7, 0]]}}, "loads[0].where.nodes[0]", ["spans x 0..6"]),
    (PLATE, {"loads__0__where": {"any": []}}, "loads[0].where.any", ["is empty"]),
    (PLATE, {"loads__0__where": {"any": [{"q": 1}]}}, "loads[0].where.any[0].q", ["unknown key"]),
    (PLATE, {"loads__0__where": {"not": {}}}, "loads[0].where.not", ["is empty"]),
    (
        PLATE,
        {"loads__0__where": {"sphere": {"center": [0, 0], "radius": 0}}},
        "loads[0].where.sphere.radius",
        ["above 0"],
    ),
    (
        PLATE,
        {"loads__0__where": {"sphere": {"center": [0, 0]}}},
        "loads[0].where.sphere.radius",
        ["missing"],
    ),
    (
        PLATE,
        {"loads__0__where": {"cylinder": {"axis": "x", "center": [0, 0], "radius": 1}}},
        "loads[0].where.cylinder.axis",
        ["got 'x'", "one of z"],
    ),
    (
        PLATE,
        {"loads__0__where": {"box": {"min": [1, 1], "max": [0, 0]}}},
        "loads[0].where.box",
        ["min at most max"],
    ),
    # regions
    (PLATE, {"regions": [{"where": {"y": 0}, "as": "sold"}]}, "regions[0].as", ["did you mean 'solid'?"]),
    (PLATE, {"regions": [{"where": {"y": 0}}]}, "regions[0].as", ["missing"]),
    # goal
    (PLATE, {"goal__volume": 0}, "goal.volume", ["got 0", "above 0 and at most 1"]),
    (PLATE, {"goal__volume": 1.1}, "goal.volume", ["got 1.1", "at most 1"]),
    (PLATE, {"goal__volume": REMOVE}, "goal.volume", ["missing", "volume: 0.4"]),
    (PLATE, {"goal__compliance": 4}, "goal.compliance", ["got 4", "to be left out"]),
    (PLATE, {"goal__minimize": "mass"}, "goal.minimize", ["got 'mass'", "compliance, volume"]),
    (PLATE, {"goal": {"minimize": "volume"}}, "goal.compliance", ["missing", "compliance: 12.5"]),
    (PLATE, {"goal": {"minimize": "volume", "compliance": 0}}, "goal.compliance", ["above 0"]),
    (PLATE, {"goal": {"minimize": "volume", "compliance": [1, 2]}}, "goal.compliance", ["got 2", "or 1"]),
    # options
    (PLATE, {"options": {"projection": "no"}}, "options.projection", ["got 'no'", "write false"]),
    (PLATE, {"options": {"projection": 1}}, "options.projection", ["got 1", "true or false"]),
    (PLATE, {"options": {"penalty": 0.5}}, "options.penalty", ["got 0.5", "at least 1"]),
    (PLATE, {"options": {"penalty": 11}}, "options.penalty", ["at most 10"]),
    (PLATE, {"options": {"minimum_stiffness": 0}}, "options.minimum_stiffness", ["at least 1e-12"]),
    (PLATE, {"options": {"move": 0}}, "options.move", ["got 0"]),
    (PLATE, {"options": {"seed": -1}}, "options.seed", ["got -1", "from 0"]),
    (PLATE, {"options": {"interpolation": "simpp"}}, "options.interpolation", ["did you mean 'simp'?"]),
    (PLATE, {"options": {"optimizer": "adam"}}, "options.optimizer", ["one of oc, mma"]),
    (PLATE, {"options": {"symmetry": ["z"]}}, "options.symmetry[0]", ["one of x, y"]),
    (PLATE, {"options": {"symmetry": ["x", "x"]}}, "options.symmetry", ["at most once"]),
    (PLATE, {"options": {"filter": {"radius": -1}}}, "options.filter.radius", ["got -1", "above 0"]),
    (PLATE, {"options": {"filter": {"kind": "cone"}}}, "options.filter.kind", ["density, sensitivity"]),
    (PLATE, {"options": {"filter": "nothing"}}, "options.filter", ["got 'nothing'", "one of density"]),
    (PLATE, {"options": {"filter": 0.1}}, "options.filter", ["got 0.1", "kind, radius"]),
    (
        PLATE,
        {"regions": [{"where": {"any": [{"x": 0}] * 100}, "as": "void"}] * 40},
        "where",
        ["hold 4042 selectors", "3000"],
    ),
    (
        BLOCK,
        {"regions": [{"where": {"stl": "a.stl"}, "as": "void"}] * 21},
        "where",
        ["hold 21 STL files", "20 of them"],
    ),
    (PLATE, {"options": {"filtr": {}}}, "options.filtr", ["did you mean 'filter'?"]),
]

VOID = {"where": {"x": [3, 6]}, "as": "void"}
CHECKING: list[Row] = [
    (PLATE, {"loads__0__where": {"y": 7}}, "loads[0].where", ["selects no nodes", "x 0..6, y 0..1"]),
    (PLATE, {"supports__0__where": {"x": -1}}, "supports[0].where", ["selects no nodes", "x 0..6"]),
    (PLATE, {"regions": [{"where": {"x": 9}, "as": "void"}]}, "regions[0].where", ["selects no elements"]),
    (PLATE, {"regions": [VOID]}, "loads[0].where", ["selects only passive void"]),
    (
        PLATE,
        {"regions": [VOID], "supports__1": {"where": {"x": 6}, "fix": ["x"]}},
        "supports[1].where",
        ["void"],
    ),
    (PLATE, {"loads__0__where": {"x": 0}}, "loads[0]", ["acts only where the part is held"]),
    (PLATE, {"loads__0__force": [0, 0]}, "loads[0]", ["is zero", "leave it out"]),
    (
        PLATE,
        {"loads__1": {"where": {"x": 6}, "force": [0, 1]}},
        "loads",
        ["add up to nothing"],
    ),
    (
        PLATE,
        {"loads__0": {"where": {"nodes": [[3, 0.5]]}, "pressure": 1}},
        "loads[0].where",
        ["no faces of the surface"],
    ),
    (PLATE, {"supports__0__fix": ["y"]}, "supports", ["can slide in x", "`fix: [x]`"]),
    (PLATE, {"supports__0__fix": ["x"]}, "supports", ["can slide in y", "`fix: [y]`"]),
    (
        PLATE,
        {"supports__0__where": {"x": 0, "y": 0}},
        "supports",
        ["can turn about z", "another point"],
    ),
    (PLATE, {"regions": [{"where": {"x": [2, 3]}, "as": "void"}]}, "supports", ["the piece at x 3..6"]),
    (PLATE, {"regions": [{"where": {"y": [0, 0.5]}, "as": "solid"}]}, "goal.volume", ["0.5", "got 0.4"]),
    (PLATE, {"regions": [{"where": {"y": [0, 1]}, "as": "solid"}]}, "regions", ["cover the whole domain"]),
    (
        PLATE,
        {"regions": [{"where": {"y": [0, 1]}, "as": "void"}]},
        "regions[0].where",
        ["covers the whole domain, of which nothing is left", "make it smaller"],
    ),
    (
        PLATE,
        {"regions": [{"where": {"x": part}, "as": "void"} for part in ([0, 3], [3, 6])]},
        "regions",
        ["leave nothing"],
    ),
    (PLATE, {"options": {"filter": {"radius": 0.2}}}, "options.filter.radius", ["under one voxel", "0.375"]),
    (PLATE, {"options": {"filter": {"radius": 7}}}, "options.filter.radius", ["larger than the domain"]),
    (
        PLATE,
        {"regions": [{"where": {"x": [0, 1]}, "as": "solid"}], "options": {"symmetry": ["x"]}},
        "options.symmetry",
        ["not symmetric in x", "x = 3"],
    ),
    (
        HEATED,
        {"supports__1": {"where": {"y": 0}, "temperature": 30}},
        "supports[1].temperature",
        ["got 30", "supports[0] has 20", "counted from"],
    ),
    (
        HEATED,
        {"regions": [{"where": {"x": [0.25, 0.5]}, "as": "void"}]},
        "supports",
        ["no held temperature", "temperature: 0"],
    ),
    (
        PLATE,
        {"domain__elements": [10**6, 10**6]},
        "domain.elements",
        ["1e+12 elements", "GB", "--max-memory"],
    ),
]


def _names(rows: list[Row]) -> list[str]:
    return [f"{where}-{said[0]}" for _, _, where, said in rows]


@pytest.mark.parametrize(("base", "changes", "where", "said"), READING, ids=_names(READING))
def test_a_wrong_file_is_refused_in_one_clear_message(
    base: dict[str, Any], changes: dict[str, Any], where: str, said: list[str]
) -> None:
    with pytest.raises(ProblemError) as caught:
        parse(bent(base, **changes))
    _assert_clear(caught.value, where, said)


@pytest.mark.parametrize(("base", "changes", "where", "said"), CHECKING, ids=_names(CHECKING))
def test_a_meaningless_problem_is_refused_before_it_is_solved(
    base: dict[str, Any], changes: dict[str, Any], where: str, said: list[str]
) -> None:
    problem = parse(bent(base, **changes))
    with pytest.raises(ProblemError) as caught:
        prepare(problem)
    _assert_clear(caught.value, where, said)


def _assert_clear(error: ProblemError, where: str, said: list[str]) -> None:
    message = str(error)
    assert error.where == where
    assert message.startswith(f"{where}: ")
    for part in said:
        assert part in message
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize("base", [PLATE, BLOCK, HEATED])
def test_the_unbent_problems_are_sound(base: dict[str, Any]) -> None:
    assert prepare(parse(copy.deepcopy(base)))[1] == []


def test_a_file_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ProblemError, match="is not a mapping"):
        parse([1, 2])


def test_errors_survive_pickling_and_speak_without_a_key() -> None:
    error = ProblemError("a", "b", "c", "d")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "a: b; c; d"
    assert str(ProblemError("", "b")) == "b"
    assert str(Caution("a", "b")) == "a: b"


def test_a_tree_that_holds_itself_is_refused() -> None:
    where: dict[str, Any] = {}
    where["not"] = where
    with pytest.raises(ProblemError, match="nested"):
        parse(bent(PLATE, loads__0__where=where))
    odd: dict[str, Any] = {}
    odd["a"] = odd
    with pytest.raises(ProblemError, match=r"got \{a"):
        parse(bent(PLATE, name=odd))
