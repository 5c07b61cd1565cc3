"""Planes of symmetry are found where there are some, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from trabecula.discretisation import discretise
from trabecula.discretisation.mirror_planes import mirror_planes
from trabecula.problem import parse

BASE = {
    "trabecula": 1,
    "domain": {"size": [4.0, 2.0], "elements": [16, 8]},
    "supports": [
        {"where": {"x": 0, "y": 0}, "fix": ["x", "y"]},
        {"where": {"x": 4, "y": 0}, "fix": ["x", "y"]},
    ],
    "loads": [{"gravity": [0, -9.81]}, {"where": {"y": 2}, "force": [0, -1000.0]}],
    "material": "concrete",
    "goal": {"minimize": "compliance", "volume": 0.4},
}


def planes(**changes: object) -> tuple[int, ...]:
    tree = {**BASE, **changes}
    return mirror_planes(discretise(parse({k: v for k, v in tree.items() if v is not None})))


def test_a_bridge_is_symmetric_in_its_middle_and_not_upside_down():
    assert planes() == (0,)


@pytest.mark.parametrize(
    "changes",
    [
        {"supports": [BASE["supports"][0], {"where": {"x": 4, "y": 0}, "fix": ["y"]}]},
        {"loads": [{"gravity": [0, -9.81]}, {"where": {"y": 2, "x": [0, 1]}, "force": [0, -1000.0]}]},
        {"loads": [{"gravity": [1.0, -9.81]}]},
        {"loads": [{"gravity": [0, -9.81]}, {"where": {"y": 2}, "force": [10.0, -1000.0]}]},
        {"regions": [{"where": {"x": [0, 1], "y": [1, 2]}, "as": "void"}]},
    ],
)
def test_whatever_is_on_one_side_only_takes_the_plane_away(changes: dict[str, object]):
    assert planes(**changes) == ()


def test_cases_may_be_mirror_images_of_each_other_with_the_same_weight():
    dead = {"loads": [{"gravity": [0, -9.81]}]}
    west = {"loads": [{"where": {"y": 2, "x": [0, 1]}, "force": [10.0, -5.0]}], "weight": 2.0}
    east = {"loads": [{"where": {"y": 2, "x": [3, 4]}, "force": [-10.0, -5.0]}], "weight": 2.0}
    assert planes(loads=None, cases=[dead, west, east]) == (0,)
    assert planes(loads=None, cases=[dead, west, {**east, "weight": 1.0}]) == ()
    assert planes(loads=None, cases=[dead, west]) == ()
    push = {"loads": [{"where": {"y": 2}, "force": [10.0, 0.0]}]}
    assert planes(loads=None, cases=[dead, push]) == (0,), "the mirrored push is the opposite of the push"


def test_a_solid_table_has_two_planes():
    feet = [
        {"where": {"y": 0, "x": x, "z": z}, "fix": ["x", "y", "z"]}
        for x in ([0, 0.5], [3.5, 4])
        for z in ([0, 0.5], [1.5, 2])
    ]
    domain = {"size": [4.0, 2.0, 2.0], "elements": [8, 4, 4]}
    loads = [{"gravity": [0, -9.81, 0]}, {"where": {"y": 2}, "force": [0, -1.0, 0]}]
    assert planes(domain=domain, supports=feet, loads=loads) == (0, 2)


def test_a_goal_that_nothing_is_known_of_has_none():
    discrete = discretise(parse(BASE))
    assert mirror_planes(replace(discrete, goal=replace(discrete.goal, minimize="anything"))) == ()
    assert np.array_equal(discrete.lower, np.flip(discrete.lower, -1))


def test_with_own_weight_the_planes_join_those_that_are_asked_for():
    problem = parse({**BASE, "options": {"symmetry": ["y"]}})
    assert discretise(problem).options.symmetry == ("y", "x")
    assert problem.options.symmetry == ("y",), "what was asked stays as it is"
    assert discretise(parse({**BASE, "options": {"symmetry": ["x"]}})).options.symmetry == ("x",)
    light = parse({**BASE, "loads": BASE["loads"][1:]})
    assert discretise(light).options.symmetry == ()
