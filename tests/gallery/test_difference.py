"""Differences of designs: 0 for images of one another, 1 for unrelated ones; only a problem's own images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import trabecula as tb
from trabecula.discretisation import prepare
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.gallery.difference import Comparison, solid_voxels
from trabecula.gallery.symmetries import Move, symmetries
from trabecula.problem import problems


def discrete(name: str, elements: tuple[int, ...]) -> DiscreteProblem:
    return prepare(problems.get(name, elements))[0]


def test_unrelated_designs_differ_by_one() -> None:
    random = np.random.default_rng(1)
    comparison = Comparison(np.ones((60, 60), bool), (Move((0, 1)),))
    one, other = random.random((2, 60, 60)) < 0.3
    assert comparison.difference(one, other) == pytest.approx(1.0, abs=0.05)
    assert comparison.difference(one, one) == 0.0


def test_passive_voxels_say_nothing() -> None:
    free = np.zeros((4, 4), bool)
    free[:2] = True
    comparison = Comparison(free, (Move((0, 1)),))
    one, other = np.zeros((2, 4, 4), bool)
    one[0, :] = other[0, :] = True
    other[3, :] = True
    assert comparison.difference(one, other) == 0.0


def test_mirror_images_count_as_one_where_the_problem_is_symmetric() -> None:
    problem = discrete("cantilever", (12, 6))
    assert {move.flips for move in symmetries(problem)} == {(), (0,)}  # about its middle line, the load turns
    comparison = Comparison.of(problem)
    design = np.random.default_rng(2).random((6, 12)) < 0.4
    assert comparison.difference(design, np.flip(design, 0)) == 0.0
    assert comparison.difference(design, np.flip(design, 1)) > 0.12


def test_a_half_beam_has_no_images() -> None:
    assert symmetries(discrete("mbb", (12, 4))) == (Move((0, 1)),)


def test_a_square_is_turned_where_loads_and_supports_turn_with_it() -> None:
    corners = [(0.0, 0.0), (1.0, 1.0)]
    supports = tuple(tb.Support(tb.where.Box(at, at), ("x", "y")) for at in [(1.0, 0.0), (0.0, 1.0)])
    loads = tuple(
        tb.Load(tb.where.Box(at, at), force=force)
        for at, force in zip(corners, [(1.0, 1.0), (-1.0, -1.0)], strict=True)
    )
    square = replace(
        problems.get("cantilever", (8, 8)),
        domain=tb.Domain((1.0, 1.0), (8, 8), 1.0),
        supports=supports,
        cases=(tb.LoadCase(loads),),
        regions=(),
    )
    found = symmetries(prepare(square)[0])
    assert Move((1, 0)) in found  # x and y change places
    assert Move((0, 1), (0, 1)) in found  # turned by half a turn
    assert Move((0, 1), (0,)) not in found


def test_other_limits_leave_no_images() -> None:
    problem = discrete("cantilever", (12, 6))
    limited = replace(problem, goal=replace(problem.goal, limits=(tb.Limit("volume", 0.4),)))
    assert symmetries(limited) == (Move((0, 1)),)


def test_solid_voxels_are_as_many_as_the_material_fills() -> None:
    problem = discrete("mbb", (12, 4))
    physical = np.random.default_rng(3).random((4, 12))
    mask = solid_voxels(physical, problem)
    assert mask.sum() == round(physical.sum())
    assert physical[mask].min() >= physical[~mask].max()
