"""What is written reads back as the same problem."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.problem import (
    Domain,
    FilterOptions,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Region,
    Support,
    dump,
    files,
    load,
    loads,
    parse,
    problems,
    save,
    to_tree,
    with_files,
)
from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Everywhere,
    Nodes,
    Not,
    Plane,
    Range,
    Sphere,
    Stl,
    Where,
)
from trabecula.problem.write import where_tree

NUMBERS = st.integers(-(10**6), 10**6).map(lambda n: n / 997)
POSITIVE = st.integers(1, 10**6).map(lambda n: n / 997)
POINTS = st.tuples(NUMBERS, NUMBERS, NUMBERS)
AXES = st.sampled_from("xyz")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)


def ordered(pair: tuple[float, float]) -> tuple[float, float]:
    return (min(pair), max(pair))


LEAVES: st.SearchStrategy[Where] = st.one_of(
    st.just(Everywhere()),
    st.builds(Plane, AXES, NUMBERS),
    st.builds(lambda axis, pair: Range(axis, *ordered(pair)), AXES, st.tuples(NUMBERS, NUMBERS)),
    st.builds(Sphere, POINTS, POSITIVE),
    st.builds(Cylinder, AXES, POINTS, POSITIVE),
    st.builds(
        lambda a, b: Box(tuple(map(min, a, b)), tuple(map(max, a, b))),
        POINTS,
        POINTS,
    ),
    st.builds(
        Nodes,
        st.lists(st.tuples(*[st.sampled_from([0.0, 0.1, 1 / 3, 1.0])] * 3), min_size=1, max_size=3).map(
            tuple
        ),
    ),
    st.builds(Stl, WORDS),
)
WHERES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)
FORCES = st.builds(
    lambda where, force, pressure: (
        Load(where, force=force) if pressure is None else Load(where, pressure=pressure)
    ),
    WHERES,
    POINTS,
    st.none() | NUMBERS,
)
PROBLEMS = st.builds(
    Problem,
    domain=st.builds(
        Domain, st.tuples(*[POSITIVE] * 3).map(lambda s: tuple(1 + x for x in s)), st.just((5, 4, 3))
    ),
    supports=st.lists(
        st.builds(Support, WHERES, st.sampled_from([("x",), ("z", "y"), ("x", "y", "z")])),
        min_size=1,
        max_size=2,
    ).map(tuple),
    cases=st.lists(
        st.builds(LoadCase, st.lists(FORCES, min_size=1, max_size=2).map(tuple), WORDS, POSITIVE),
        min_size=1,
        max_size=3,
        unique_by=lambda case: case.name,
    ).map(tuple),
    goal=st.one_of(
        st.builds(lambda v: Goal(volume=v), st.floats(0.01, 1)),
        st.builds(lambda c: Goal("volume", compliance=(c,)), POSITIVE),
    ),
    material=st.builds(
        Material,
        POSITIVE,
        st.integers(-900, 490).map(lambda n: n / 1000),
        POSITIVE,
        st.none() | POSITIVE,
        POSITIVE,
        st.none() | WORDS,
    ),
    regions=st.lists(st.builds(Region, WHERES, st.sampled_from(["solid", "void"])), max_size=2).map(tuple),
    options=st.builds(
        Options,
        st.floats(1, 10),
        st.sampled_from([None, "simp", "ramp", "polynomial"]),
        st.builds(
            FilterOptions,
            st.sampled_from(["density", "sensitivity", "helmholtz", "none"]),
            st.none() | POSITIVE,
        ),
        st.booleans(),
        st.sampled_from([(), ("x",), ("z", "x")]),
        st.floats(1e-12, 0.1),
        st.sampled_from([None, "oc", "mma"]),
        st.floats(1e-3, 1),
        st.integers(0, 2**31 - 1),
    ),
    name=WORDS,
)


@settings(max_examples=80, deadline=None)
@given(PROBLEMS)
def test_any_problem_reads_back_the_same_from_yaml_and_json(problem: Problem) -> None:
    assert loads(dump(problem)) == problem
    assert loads(json.dumps(to_tree(problem)), "json") == problem


@pytest.mark.parametrize("name", problems.names())
def test_every_named_problem_reads_back_the_same(name: str, tmp_path: Path) -> None:
    problem = problems.get(name)
    assert loads(dump(problem)) == problem
    for ending in ("yaml", "json"):
        save(problem, tmp_path / f"a.{ending}")
        assert load(tmp_path / f"a.{ending}") == problem


def test_the_file_says_everything() -> None:
    text = dump(problems.mbb())
    for key in (*Options.__dataclass_fields__, "thickness", "young", "radius", "volume"):
        assert f"{key}: " in text


@pytest.mark.parametrize(
    "name", ["a: b", "{x}", "no", "1e3", "null", "# not a comment", "it's", '"', "\\", "- a", "é ☂"]
)
def test_awkward_names_read_back_the_same(name: str) -> None:
    problem = replace(problems.mbb(), name=name)
    assert loads(dump(problem)) == problem


def test_a_filter_may_be_given_by_its_kind_alone() -> None:
    assert (
        loads(dump(problems.mbb()).replace("{kind: density, radius: 0.12}", "none")).options.filter.kind
        == "none"
    )


def test_limits_one_a_case_read_back_the_same() -> None:
    wheel = replace(problems.wheel(), goal=Goal("volume", compliance=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)))
    assert loads(dump(wheel)) == wheel


def test_gravity_and_heat_read_back_the_same() -> None:
    mbb = problems.mbb()
    heavy = replace(mbb, cases=(LoadCase((Load(gravity=(0.0, -9.81)),)),))
    assert loads(dump(heavy)) == heavy
    assert "where" not in dump(heavy).split("loads:")[1].split("regions:")[0]


def test_files_count_from_the_problem_files_folder_and_can_be_renamed(tmp_path: Path) -> None:
    mesh = str(tmp_path / "part.stl")
    cantilever = problems.cantilever_3d()
    where = AnyOf((Not(Stl("part.stl")), AllOf((Stl("b.stl"), Plane("x", 0.0)))))
    problem = replace(
        cantilever,
        domain=replace(cantilever.domain, shape="part.stl"),
        regions=(Region(where, "void"),),
    )
    assert files(problem) == ("part.stl", "b.stl")
    read = parse(to_tree(problem), base=tmp_path)
    assert read.domain.shape == mesh
    assert files(read) == (mesh, str(tmp_path / "b.stl"))
    again = with_files(read, {mesh: "part.stl", str(tmp_path / "b.stl"): "b.stl"})
    assert again == problem
    assert with_files(cantilever, {}) == cantilever


def test_a_selector_of_another_kind_has_no_file_form() -> None:
    class Odd(Where):
        def select(self, lattice: object) -> None:  # type: ignore[override]
            raise NotImplementedError

    with pytest.raises(TypeError, match="Odd"):
        where_tree(Odd())


@pytest.mark.parametrize("small", [1e-9, 1e-05, 2.5e-300, 1e16, 3e22])
def test_every_yaml_reader_takes_the_numbers_of_a_saved_problem_for_numbers(small: float) -> None:
    plain = problems.mbb(elements=(6, 4))
    problem = replace(plain, options=Options(minimum_stiffness=1e-9), material=Material(density=small))
    tree = yaml.safe_load(dump(problem))
    assert tree == json.loads(json.dumps(to_tree(problem)))
    assert tree["material"]["density"] == small


@pytest.mark.parametrize(
    "name", ["on", "1e5", "2026-12-01", "12:30:00", "0x1F", "1_000", "null", "~", "y", "=", "<<"]
)
def test_every_yaml_reader_takes_a_name_for_a_text(name: str) -> None:
    assert yaml.safe_load(dump(replace(problems.mbb(elements=(6, 4)), name=name)))["name"] == name
