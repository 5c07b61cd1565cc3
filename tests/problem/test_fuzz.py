"""No file crashes, hangs or floods memory: whatever comes, the answer is a problem or one clear message."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trabecula.discretisation import prepare
from trabecula.problem import (
    ProblemError,
    dump,
    loads,
    parse,
    problems,
    to_tree,
)
from trabecula.problem.yaml_strict import parse_text

from .plates import BLOCK, HEATED, PLATE

LIMIT = 115e6  # bytes: some ten thousand elements
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 3, 0.5, -0.0, 1e-300, 1e300, -1e30, 1e30, 10**18, 10**400),
    *(float("nan"), float("inf"), "", "x", "no", "nan", "1", "everywhere", "\x00", "a" * 300),
    *([], {}, [[]], [{}], [0, 1], [1, 0], [0, 0, 0], [[0, 0]], ["x"], ["x", "y", "z"]),
    *({"x": 0}, {"y": [0, 1]}, {"not": {"x": 0}}, {"any": [{"x": 0}]}, {"nodes": [[0, 0]]}),
    *({"sphere": {"center": [0, 0], "radius": 1}}, {"stl": "/dev/zero"}, {"stl": "."}),
    *({"gravity": [0, -9.81]}, {"where": {"x": 1}, "pressure": 1}, {"where": "everywhere", "as": "void"}),
]
KEYS = [
    "x",
    "y",
    "z",
    "where",
    "fix",
    "force",
    "pressure",
    "gravity",
    "heat",
    "temperature",
    "as",
    "shape",
    "not",
]
BASES = [PLATE, BLOCK, HEATED, to_tree(problems.wheel((20, 20))), to_tree(problems.jet_bracket((27, 10, 16)))]


def survives(tree: Any) -> None:
    """Take a tree through everything that comes before a solve."""
    try:
        problem = parse(tree)
        prepare(problem, max_memory=LIMIT)
        assert loads(dump(problem)) == problem
    except ProblemError as error:
        assert str(error)
        assert "\n" not in str(error)
        assert len(str(error)) < 1500


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a tree with every key in it."""
    for key in list(tree.keys() if isinstance(tree, dict) else range(len(tree))):
        yield tree, key
        if isinstance(tree[key], (dict, list)):
            yield from places(tree[key])


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A valid tree with one to four of its places changed, removed, doubled or added to."""
    tree = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 4))):
        where = list(places(tree))
        if not where:
            break
        holder, key = draw(st.sampled_from(where))
        how = draw(st.sampled_from(["change", "change", "remove", "double", "add", "scale"]))
        if how == "change":
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif how == "remove":
            del holder[key]
        elif how == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif how == "add" and isinstance(holder, dict):
            holder[draw(st.sampled_from(KEYS))] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif how == "scale" and isinstance(holder[key], (int, float)) and abs(holder[key]) < 10**300:
            holder[key] *= draw(st.sampled_from([-1, 0, 0.5, 1.5, 1e3, 1e-6, 1e20]))
    return tree


@settings(max_examples=400, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_no_mutated_problem_crashes(tree: Any) -> None:
    survives(tree)


@settings(max_examples=200, deadline=2000)
@given(st.text(max_size=300), st.sampled_from(["yaml", "json"]))
@example("a: !!binary aGVsbG8=", "yaml")
@example("%YAML 9.9\n---\na: 1", "yaml")
@example("\ud800", "yaml")
@example("'\\ud800'", "json")
@example("a: \u2028", "yaml")
@example("--- !!map {a: 1}", "yaml")
@example("|\n", "yaml")
@example("? a", "yaml")
@example("{a, b}", "yaml")
@example("", "yaml")
@example("...", "yaml")
def test_no_text_crashes_the_reader(text: str, kind: Any) -> None:
    try:
        loads(text, kind)
    except ProblemError as error:
        assert str(error)


@settings(max_examples=200, deadline=2000)
@given(st.data())
def test_no_damaged_file_crashes(data: st.DataObject) -> None:
    text = dump(problems.bridge((24, 6)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 30))
        put = data.draw(
            st.text(st.sampled_from(" \n\t:,[]{}&*!|>'\"%@`#-?0123456789.eE+xyz\x00\x85é"), max_size=6)
        )
        text = text[:at] + put + text[at + cut :]
    try:
        tree = parse_text(text)
    except ProblemError:
        return
    survives(tree)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("odd", range(len(ODD)))
def test_no_single_odd_value_crashes(base: Any, odd: int) -> None:
    paths = list(places(base))
    # A different tenth of the places for every odd value, so that all are met over the table.
    for i in range(odd % 10, len(paths), 10):
        tree = copy.deepcopy(base)
        holder, key = list(places(tree))[i]
        holder[key] = copy.deepcopy(ODD[odd])
        survives(tree)


@settings(max_examples=100, deadline=2000)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*PLATE, *KEYS]), inner, max_size=6)
        ),
        max_leaves=20,
    )
)
def test_no_tree_crashes_the_reader(tree: Any) -> None:
    survives(tree)
    with contextlib.suppress(ProblemError):
        loads(json.dumps(tree), "json")
