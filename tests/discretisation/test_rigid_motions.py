"""Free rigid motions are found, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.problem.plates import BLOCK, HEATED, PLATE, bent
from trabecula.discretisation import rigid_motions as motions
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.discretise import discretise
from trabecula.discretisation.rigid_motions import loose
from trabecula.problem.read import parse


def supported(base: dict[str, Any], *supports: tuple[dict[str, Any], str], **changes: Any) -> DiscreteProblem:
    held = [{"where": where, "fix": list(fix)} for where, fix in supports]
    return discretise(parse(bent(base, supports=held, **changes)))


def words(discrete: DiscreteProblem) -> list[tuple[str, ...]]:
    return [piece.motions for piece in loose(discrete)]


CORNER = {"x": 0, "y": 0}


@pytest.mark.parametrize(
    ("supports", "free"),
    [
        ([({"x": 0}, "xy")], None),
        ([(CORNER, "xy"), ({"x": 6, "y": 0}, "y")], None),
        ([(CORNER, "xy")], ("can turn about z",)),
        ([({"y": 0}, "y")], ("can slide in x",)),
        ([({"x": 0}, "x")], ("can slide in y",)),
        ([(CORNER, "x")], ("can slide in y", "can turn about z")),
        ([(CORNER, "x"), ({"x": 0, "y": 1}, "x"), ({"x": 6, "y": 1}, "y")], None),
        # Three rollers whose lines meet in one point: enough in number, not in rank.
        ([(CORNER, "y"), ({"x": 0, "y": 1}, "y"), ({"x": 6, "y": 1}, "x")], ("can turn about z",)),
    ],
)
def test_motions_of_a_plate(supports: list[tuple[dict[str, Any], str]], free: tuple[str, ...] | None) -> None:
    discrete = supported(PLATE, *supports, loads__0__where={"x": 3, "y": 1})
    assert words(discrete) == ([] if free is None else [free])


@pytest.mark.parametrize(
    ("supports", "free"),
    [
        ([({"x": 0}, "xyz")], None),
        ([({"x": 0}, "x")], ("can slide in y", "can slide in z", "can turn about x")),
        ([({"y": 0}, "y")], ("can slide in x", "can slide in z", "can turn about y")),
        ([({"x": 0, "y": 0}, "xyz")], ("can turn about z",)),
        ([({"x": 0, "z": 0}, "xyz")], ("can turn about y",)),
        ([({"nodes": [[0, 0, 0]]}, "xyz")], ("can turn about x", "can turn about y", "can turn about z")),
        ([({"nodes": [[0, 0, 0], [4, 2, 1]]}, "xyz")], ("can turn about a slanted axis",)),
        ([({"y": 0}, "xy")], ("can slide in z",)),
        (
            [({"nodes": [[0, 0, 0]]}, "xyz"), ({"nodes": [[4, 0, 0]]}, "yz"), ({"nodes": [[0, 0, 1]]}, "y")],
            None,
        ),
    ],
)
def test_motions_of_a_block(supports: list[tuple[dict[str, Any], str]], free: tuple[str, ...] | None) -> None:
    discrete = supported(BLOCK, *supports, loads__0={"where": {"x": 2, "y": 2}, "force": [1, 1, 1]})
    assert words(discrete) == ([] if free is None else [free])


def test_close_supports_far_from_the_middle_are_told_from_one() -> None:
    wide = {"domain": {"size": [1000.0, 1.0], "elements": [2000, 2]}, "loads__0__where": {"x": 500, "y": 1}}
    assert words(supported(PLATE, (CORNER, "xy"), ({"x": 0.5, "y": 0}, "y"), **wide)) == []
    assert words(supported(PLATE, (CORNER, "xy"), **wide)) == [("can turn about z",)]


def test_each_piece_is_tested_and_told_where_it_is() -> None:
    gap = [{"where": {"x": [2, 3]}, "as": "void"}]
    (piece,) = loose(supported(PLATE, ({"x": 0}, "xy"), regions=gap))
    assert str(piece) == "the piece at x 3..6, y 0..1"
    assert piece.loaded
    assert piece.motions == ("can slide in x", "can slide in y", "can turn about z")
    (piece,) = loose(supported(PLATE, ({"x": 6}, "xy"), regions=gap, loads__0__where={"x": 4}))
    assert str(piece) == "the piece at x 0..2, y 0..1"
    assert not piece.loaded


def hinged(cut: np.ndarray, **changes: Any) -> DiscreteProblem:
    discrete = supported(PLATE, ({"x": 0}, "xy"), **changes)
    return replace(discrete, upper=np.where(cut, 0.0, 1.0), lower=np.zeros(cut.shape))


def test_pieces_that_meet_in_a_corner_are_hinged_there() -> None:
    cut = np.zeros((4, 24), dtype=bool)
    cut[:2, 12:] = cut[2:, :12] = True
    assert words(hinged(cut)) == [("can turn about z",)]
    held_too = replace(
        hinged(cut), fixed=supported(PLATE, ({"x": 0}, "xy"), ({"x": 6}, "y"), loads__0__where={"y": 0}).fixed
    )
    assert words(held_too) == []


def test_a_chain_of_hinges_is_tested_link_by_link() -> None:
    cut = np.zeros((4, 24), dtype=bool)
    cut[:2, 8:16] = cut[2:, :8] = cut[2:, 16:] = True
    chain = loose(hinged(cut))
    assert [piece.low[0] for piece in chain] == [4.0, 2.0]
    assert chain[1].motions == ("can turn about z",)
    assert "can turn about z" in chain[0].motions
    assert not chain[0].whole


def test_in_3d_an_edge_is_a_hinge() -> None:
    discrete = supported(BLOCK, ({"x": 0}, "xyz"))
    upper = np.ones((2, 4, 8))
    upper[:, :2, 4:] = upper[:, 2:, :4] = 0
    assert words(replace(discrete, upper=upper)) == [("can turn about z",)]


def test_a_mechanism_of_very_many_links_counts_as_one_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motions, "_MOST_HINGED", 1)
    cut = np.zeros((4, 24), dtype=bool)
    cut[:2, 12:] = cut[2:, :12] = True
    assert words(hinged(cut)) == []


def test_heat_needs_a_way_to_a_held_temperature() -> None:
    discrete = discretise(parse(HEATED))
    assert loose(discrete) == []
    upper = np.ones((4, 4))
    upper[:, 1] = 0
    (piece,) = loose(replace(discrete, upper=upper))
    assert "no held temperature" in piece.motions[0]
    upper[:] = 1
    upper[:2, 2:] = upper[2:, :2] = 0  # heat passes a corner
    assert loose(replace(discrete, upper=upper)) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_rank_is_that_of_the_held_rigid_modes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    discrete = supported(BLOCK, ({"x": 0}, "xyz"))
    fixed = np.zeros_like(discrete.fixed)
    for _ in range(rng.integers(1, 7)):
        fixed[tuple(rng.integers(0, n) for n in fixed.shape)] = True
    component, z, y, x = np.nonzero(fixed)
    at = np.stack([x, y, z], axis=1) * 0.5
    turns = np.stack([np.cross(axis, at) for axis in np.eye(3)], axis=2)
    rows = np.concatenate([np.eye(3)[component], turns[np.arange(len(at)), component]], axis=1)
    held = loose(replace(discrete, fixed=fixed))
    assert bool(held) == (np.linalg.matrix_rank(rows) < 6)


def test_slanted_slides_are_named_as_such() -> None:
    slanted = np.array([[1.0], [1.0], [0.0]]) / np.sqrt(2)
    assert motions._in_words(slanted, 2) == ("can slide in a slanted direction",)
