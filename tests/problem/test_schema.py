"""The schema of the problem file and its reader say the same."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.responses.quantities import Displacement
from trabecula.design import Simp
from trabecula.problem import ProblemError, materials, parse, problems, to_tree
from trabecula.problem.design_tables import FILTERS, INTERPOLATIONS, OPTIMIZERS
from trabecula.problem.keyed import key
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.schema import schema
from trabecula.problem.yaml_strict import parse_text

from .plates import BLOCK, HEATED, PLATE
from .test_fuzz import BASES, ODD, mutated, places

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Grow:
    """A filter of somebody else, as far as files know it."""

    beta: float = key(description="steepness", above=0.0)
    radius: float | None = key(None, "reach", unit="m", above=0.0)
    name: ClassVar[str] = "grow"


@dataclass(frozen=True)
class Bent(Simp):
    """An interpolation with a key of its own."""

    bend: float = key(0.1, "how much it bends", least=0.0, most=1.0)
    name: ClassVar[str] = "bent"


@dataclass(frozen=True)
class Walk:
    """An optimiser with keys of its own."""

    steps: int = key(3, "how many", least=1)
    name: ClassVar[str] = "walk"


OPTIONS = {
    "penalty": 3,
    "interpolation": {"kind": "bent", "bend": 0.5},
    "filter": {"kind": "grow", "beta": 4.0, "radius": 2.0},
    "projection": True,
    "symmetry": ["y"],
    "minimum_stiffness": 1e-6,
    "optimizer": {"kind": "walk", "steps": 2},
    "move": 0.1,
    "seed": 3,
}
OWN: dict[str, Any] = {
    **PLATE,
    "goal": {"minimize": "mean_displacement", "where": {"x": 6}, "axis": 1, "volume": 0.4},
    "limits": [
        {"compliance": 40.0},
        {"mean_displacement": -1.0, "where": {"x": 3}, "case": 0, "sense": "at_least"},
        {"volume": 0.3},
        {"thermal_compliance": 3.0},
    ],
    "options": OPTIONS,
}
WHERES = [
    *({"sphere": {"center": [1, 1, 0], "radius": 1}}, {"box": {"min": [0, 0, 0], "max": [1, 1, 1]}}),
    *({"cylinder": {"axis": "z", "center": [1, 1], "radius": 1}}, {"nodes": [[0, 0, 0]]}, {"x": [0, 1]}),
    *({"not": {"any": [{"x": 0}, {"y": 0, "z": 0}]}}, {"all": [{"z": 1}, "everywhere"]}),
]
FULL: dict[str, Any] = {
    **{k: v for k, v in BLOCK.items() if k != "loads"},
    "material": {
        "young": 1.0,
        "poisson": 0.3,
        "density": 2.0,
        "yield": 3.0,
        "conductivity": 4.0,
        "name": "m",
    },
    "cases": [
        {"name": "a", "weight": 2.0, "loads": [{"where": where, "force": [0, 1, 0]} for where in WHERES]},
        {"loads": [{"where": {"y": 2}, "pressure": 1.0}, {"gravity": [0, -9.81, 0]}]},
    ],
    "regions": [{"where": {"x": [0, 1], "y": 0}, "as": "void"}],
    "options": {"filter": {"kind": "helmholtz", "radius": 1.5}, "interpolation": "ramp", "optimizer": "mma"},
}
BOLTED: dict[str, Any] = {
    "trabecula": 1,
    "units": "mm",
    "domain": {"size": [60, 40, 10], "resolution": 2, "origin": [-30, 0, 0], "shape": {"stl": "part.stl"}},
    "material": {"young": 70e3, "poisson": 0.3},
    "regions": [{"where": {"stl": {"stl": "part.stl", "units": "inch", "origin": "corner"}}, "as": "void"}],
    "holes": [
        {"at": [-20, 10, 0], "axis": "z", "diameter": 6.6, "wall": 4, "fix": "all"},
        {"at": [20, 10, 10], "axis": "-z", "diameter": 6, "depth": 5, "force": [0, -500, 0]},
    ],
    "goal": {"minimize": "compliance", "volume": 0.4},
}
SHAPED = {**BOLTED, "units": {"numbers": "SI", "results": "mm"}, "supports": [], "loads": []}
TREES = [
    *BASES,
    OWN,
    BOLTED,
    SHAPED,
    FULL,
    HEATED,
    {**FULL, "options": {"filter": "none", "optimizer": {"kind": "oc"}}},
]


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    """Parts of somebody else, in the tables as long as this module is tested."""
    with pytest.MonkeyPatch.context() as patch:
        for table, cls in (
            (QUANTITIES, Displacement),
            (FILTERS, Grow),
            (INTERPOLATIONS, Bent),
            (OPTIMIZERS, Walk),
        ):
            patch.setattr(table, "_rows", dict(table._rows))
            table.register(cls.name, cls)
        yield


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def test_it_is_a_schema_and_every_description_is_a_text() -> None:
    Draft202012Validator.check_schema(schema())
    assert json.loads(json.dumps(schema())) == schema()


@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_what_the_reader_takes_is_valid(validator: Draft202012Validator, tree: Any) -> None:
    parse(tree)
    assert not [error.message for error in validator.iter_errors(tree)]


def test_examples_and_named_problems_are_valid(validator: Draft202012Validator) -> None:
    files = sorted((ROOT / "examples").glob("*.yaml"))
    trees = [parse_text(path.read_text()) for path in files]
    trees += [to_tree(problems.get(name)) for name in problems.names()]
    assert len(files) >= 4
    for tree in trees:
        assert not [error.message for error in validator.iter_errors(tree)]


@pytest.mark.parametrize(
    "spelling", ["steel", "Stainless-Steel", " ABS ", "aluminum", "Cortical Bone", "PA12"]
)
def test_materials_are_spelled_as_the_reader_takes_them(
    validator: Draft202012Validator, spelling: str
) -> None:
    assert materials.find(spelling) is not None
    assert validator.is_valid({**PLATE, "material": spelling})
    assert not validator.is_valid({**PLATE, "material": f"{spelling}2"})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_what_it_refuses_the_reader_refuses(tree: Any) -> None:
    refused_by_both(tree)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([OWN, FULL]),
    st.integers(0, 10**6),
    st.sampled_from(["change", "remove", "null"]),
    st.data(),
)
def test_what_it_refuses_of_parts_of_ones_own_the_reader_refuses(
    base: Any, place: int, how: str, data: st.DataObject
) -> None:
    tree = copy.deepcopy(base)
    where = list(places(tree))
    holder, name = where[place % len(where)]
    if how == "remove":
        del holder[name]
    else:
        holder[name] = None if how == "null" else copy.deepcopy(data.draw(st.sampled_from(ODD)))
    refused_by_both(tree)


VALIDATOR: list[Draft202012Validator] = []


def refused_by_both(tree: Any) -> None:
    """A tree that the schema refuses is refused by the reader."""
    if not VALIDATOR:
        VALIDATOR.append(Draft202012Validator(schema()))
    errors = [error.message[:300] for error in VALIDATOR[0].iter_errors(tree)]
    if not errors:
        return
    try:
        parse(tree)
    except ProblemError:
        return
    raise AssertionError(f"only the schema refuses: {errors}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"laods": []},
        {"domain": {"size": [6.0, 1.0], "elements": [24, 4.5]}},
        {"domain": {"size": [6.0, 1.0]}},
        {"material": "steal"},
        {"supports": []},
        {"supports": [{"where": {"x": 0}, "fix": ["w"]}]},
        {"loads": [{"where": {"x": 6}}]},
        {"loads": [{"where": {"x": "6"}, "force": [0, 1]}]},
        {"goal": {"minimize": "compliences", "volume": 0.4}},
        {"goal": {"minimize": "mean_displacement", "volume": 0.4}},
        {"goal": {"minimize": "compliance", "axis": 1, "volume": 0.4}},
        {"goal": {"minimize": "compliance", "volume": 1.4}},
        {"limits": [{"volume": 0.4, "compliance": 2}]},
        {"limits": [{"mean_displacement": 0.4}]},
        {"options": {"filter": {"kind": "cone"}}},
        {"options": {"filter": {"kind": "grow"}}},
        {"options": {"filter": {"kind": "density", "beta": 4}}},
        {"options": {"interpolation": {"kind": "bent", "bend": 2}}},
        {"options": {"optimizer": {"steps": 2}}},
        {"options": {"penalty": 0.5}},
        {"physics": "magnetism"},
    ],
    ids=json.dumps,
)
def test_what_a_user_gets_wrong_is_seen_by_both(
    validator: Draft202012Validator, wrong: dict[str, Any]
) -> None:
    assert not validator.is_valid({**PLATE, **wrong})
    with pytest.raises(ProblemError):
        parse({**PLATE, **wrong})


KNOWN = re.compile(r"unknown key; known here: ([\w, ]+)")


def schemas_at(root: Any, node: Any) -> Iterator[Any]:
    """All schemas that stand for one place: what `$ref`, `anyOf` and `oneOf` lead to."""
    yield node
    if "$ref" in node:
        yield from schemas_at(root, root["$defs"][node["$ref"].rpartition("/")[2]])
    for inner in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from schemas_at(root, inner)


def below(root: Any, nodes: list[Any], step: Any) -> list[Any]:
    """All schemas of a key or an item."""
    found = []
    for node in nodes:
        inner = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        found += list(schemas_at(root, inner)) if inner is not None else []
    return found


def mappings(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every mapping in a tree."""
    if isinstance(tree, dict):
        yield path
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for step, inner in pairs:
        yield from mappings(inner, (*path, step))


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def test_every_key_that_the_reader_knows_is_in_it_and_no_other() -> None:
    root = schema()
    known: dict[str, set[str]] = {}
    written: dict[str, set[str]] = {}
    for base in TREES:
        for path in mappings(base):
            tree = copy.deepcopy(base)
            at(tree, path)["zzz"] = 1
            with pytest.raises(ProblemError) as caught:
                parse(tree)
            found = KNOWN.search(str(caught.value))
            assert found, (path, str(caught.value))
            nodes = list(schemas_at(root, root))
            for step in path:
                nodes = below(root, nodes, step)
            keys = {name for node in nodes for name in node.get("properties", {})}
            is_where = any("sphere" in node.get("properties", {}) for node in nodes)
            place = "where" if is_where else "/".join(str(s) for s in path if not isinstance(s, int))
            known.setdefault(place, set()).update(found[1].split(", "))
            written.setdefault(place, set()).update(keys)
    assert known == written
    assert len(known) > 15


def printed(**environment: str) -> str:
    without = {name: value for name, value in os.environ.items() if name != "TRABECULA_PLUGINS"}
    words = [sys.executable, "-m", "trabecula", "schema"]
    return subprocess.run(
        words, check=True, capture_output=True, text=True, env={**without, **environment}
    ).stdout


def test_the_published_one_is_what_the_command_prints() -> None:
    """`trabecula schema > docs/schema.json` writes it again."""
    assert (ROOT / "docs" / "schema.json").read_text() == printed()


def test_the_command_knows_what_plugins_add(tmp_path: Path) -> None:
    (tmp_path / "my_filter.py").write_text(
        "import trabecula as tb\nfrom dataclasses import dataclass\n\n"
        "@dataclass(frozen=True)\nclass Mine:\n    '''A filter of mine.'''\n"
        "    sharpness: float = tb.key(2.0, 'how sharp', above=0)\n\n"
        "tb.FILTERS.register('mine', Mine)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    tree = json.loads(printed(TRABECULA_PLUGINS="my_filter", PYTHONPATH=path))
    valid = Draft202012Validator(tree)
    mine = {**PLATE, "options": {"filter": {"kind": "mine", "sharpness": 3}}}
    assert valid.is_valid(mine)
    assert not Draft202012Validator(json.loads(printed())).is_valid(mine)
