"""What is plainly meant is told, in the very words to write: more mistakes of first days, by their kind."""

from __future__ import annotations

from typing import Any

import pytest

from trabecula.problem import ProblemError, load, loads, parse

from .plates import bent

PLANE: dict[str, Any] = {
    "trabecula": 1,
    "domain": {"size": [6.0, 1.0], "elements": [24, 4]},
    "material": "steel",
    "supports": [{"where": {"x": 0}, "fix": "all"}],
    "loads": [{"where": {"x": 6}, "force": [0, -1000]}],
    "goal": {"minimize": "compliance", "volume": 0.4},
}
SOLID: dict[str, Any] = {
    **PLANE,
    "domain": {"size": [6.0, 1.0, 2.0], "elements": [12, 2, 4]},
    "loads": [{"where": {"x": 6}, "force": [0, -1000, 0]}],
}
HOLE = {"at": [1, 0.5, 0], "axis": "z", "diameter": 0.4}

SAID: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (PLANE, {"supports__0__fix": "pinned"}, "write `fix: all`"),
    (PLANE, {"supports__0__fix": True}, "write `fix: all`"),
    (PLANE, {"supports__0__fix": "roller"}, "write [y] if it rolls along x"),
    (PLANE, {"supports__0__fix": ["ux", "uy"]}, "write x"),
    (PLANE, {"supports__0__fix": [1, 2]}, "write x"),
    (PLANE, {"domain__size": "6x1"}, "write [6, 1]"),
    (PLANE, {"domain__size": {"x": 6, "y": 1}}, "write [6, 1]"),
    (PLANE, {"domain__elements": "24, 4"}, "write [24, 4]"),
    (PLANE, {"loads__0__force": {"y": -5}}, "write [0, -5]"),
    (PLANE, {"loads__0__force": [[0, -5]]}, "write [0, -5]"),
    (PLANE, {"loads__0__force": [0, -5, 0]}, "write [0, -5]"),
    (PLANE, {"loads__0__force": [0, "\u22125"]}, "write -5"),
    (PLANE, {"loads__0__force": [0, "-1_000"]}, "write -1000"),
    (PLANE, {"loads__0__where": "right"}, "write {x: 6}"),
    (PLANE, {"loads__0__where": "top-left"}, "write {y: 1, x: 0}"),
    (PLANE, {"loads__0__where": [6, 1]}, "write {nodes: [[6, 1]]}"),
    (PLANE, {"loads__0__where": {"x": "max"}}, "write 6"),
    (PLANE, {"loads__0__where": {"x": "50%"}}, "write 3"),
    (PLANE, {"loads__0__where": {"nodes": [6, 1]}}, "write [[6, 1]]"),
    (PLANE, {"loads__0__where": {"box": [[1, 0], [2, 1]]}}, "write {min: [1, 0], max: [2, 1]}"),
    (PLANE, {"loads__0__where": {"any": {"x": 6}}}, "brackets around it"),
    (PLANE, {"loads__0__where": {"point": [6, 1]}}, "write `nodes: [[x, y]]`"),
    (PLANE, {"loads__0__where": {"sphere": {"center": [6, 1], "diameter": 1}}}, "write `radius`, half of it"),
    (PLANE, {"loads__0__where": {"x:6": None}}, "put a blank after the colon: `x: 6`"),
    (PLANE, {"loads": {"where": {"x": 6}, "force": [0, -5]}}, "put `- ` before it"),
    (PLANE, {"supports": {"where": {"x": 0}, "fix": "all"}}, "put `- ` before it"),
    (PLANE, {"goal": "compliance"}, "write {minimize: compliance, volume: 0.4}"),
    (PLANE, {"goal": "volume"}, "write {minimize: volume, compliance: 12.5}"),
    (PLANE, {"material": ["steel", "aluminium"]}, "the name of one material"),
    (PLANE, {"material": 210e9}, "write {young: 2.1e+11, poisson: 0.3}"),
    (PLANE, {"options": {"iterations": 100}}, "give it to the command line"),
    (PLANE, {"options": {"filter": 0.1}}, "write {radius: 0.1}"),
    (PLANE, {"options": {"symmetry": True}}, "write [x]"),
    (PLANE, {"options": None}, "leave it out where nothing is meant"),
    (PLANE, {"regions": [{"where": {"x": [0, 1]}, "as": "filled"}]}, "write `as: solid`"),
    (PLANE, {"regions": [{"where": {"x": [0, 1]}, "kind": "solid"}]}, "write `as: solid` or `as: void`"),
    (PLANE, {"trabecula": 2}, "needs the format version, 1"),
    (PLANE, {"units": "MM"}, "write `units: mm`"),
    (SOLID, {"loads__0__where": "front"}, "write {z: 2}"),
    (SOLID, {"holes": [{**HOLE, "diameter": "M6"}]}, "write 0.0066, which lets an M6 bolt through"),
    (SOLID, {"units": "mm", "holes": [{**HOLE, "diameter": "m8"}]}, "write 9, which lets an M8 bolt through"),
    (SOLID, {"holes": [{**HOLE, "axis": [0, 0, 1]}]}, "write z"),
    (
        SOLID,
        {"holes": [{"at": [1, 0.5, 0], "axis": "z", "radius": 0.2}]},
        "write `diameter`, twice the radius",
    ),
    (SOLID, {"holes": [{**HOLE, "count": 4}]}, "one entry of `holes` for every hole"),
    (SOLID, {"holes": HOLE}, "brackets around it"),
]


@pytest.mark.parametrize(("base", "changes", "said"), SAID)
def test_what_is_plainly_meant_is_told(base: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse(bent(base, **changes))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write {minimize: compliance, volume: 0.4}"),
        (" {minimize: compliance, volume: 0,4}", "a comma separates entries"),
        ("\u00a0{minimize: compliance, volume: 0.4}", "plain blanks in place of non-breaking ones"),
        (" &one {minimize: compliance, volume: 0.4}", "anchors are not allowed; write the values out"),
        (" {minimize: compliance, <<: 1}", "write its keys out: nothing is merged"),
    ],
)
def test_what_yaml_makes_of_a_slip_is_told(text: str, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        loads(
            "trabecula: 1\ndomain: {size: [2, 1], elements: [4, 2]}\nmaterial: steel\n"
            "supports: [{where: {x: 0}, fix: all}]\nloads: [{where: {x: 2}, force: [0, -1]}]\n"
            f"goal:{text}"
        )
    assert said in str(caught.value)


def test_a_folder_is_not_said_to_be_missing(tmp_path: Any) -> None:
    with pytest.raises(ProblemError, match="is a folder"):
        load(tmp_path)
