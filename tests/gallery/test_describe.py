"""Descriptions of designs whose holes, members, thickness, symmetry and overhang are known."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.gallery.describe import count_holes, describe, overhang_share
from trabecula.gallery.thinning import skeleton


def frame() -> np.ndarray:
    """A ladder of three rungs: two rails, two holes."""
    mask = np.zeros((21, 41), bool)
    mask[[0, 1, 2, -3, -2, -1]] = True
    for x in (0, 19, 38):
        mask[:, x : x + 3] = True
    return mask


def torus() -> np.ndarray:
    z, y, x = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in (9, 25, 25)], indexing="ij")
    return np.asarray((np.hypot(x, y) - 8.0) ** 2 + z**2 <= 3.0**2)


def test_holes_and_tunnels_are_counted_exactly() -> None:
    assert count_holes(frame()) == (2, 1, 0)
    assert count_holes(torus()) == (1, 1, 0)
    shell = np.ones((5, 5, 5), bool)
    shell[2, 2, 2] = False
    assert count_holes(shell) == (0, 1, 1)
    assert count_holes(np.zeros((3, 3), bool)) == (0, 0, 0)


@pytest.mark.parametrize("mask", [frame(), torus()], ids=["frame", "torus"])
def test_a_skeleton_has_the_topology_of_its_solid(mask: np.ndarray) -> None:
    lines = skeleton(mask)
    assert count_holes(lines) == count_holes(mask)
    assert (lines <= mask).all()
    assert lines.sum() < 0.4 * mask.sum()  # rails of three voxels become lines of one


def test_a_ladder_of_three_rungs_has_its_members() -> None:
    found = describe(frame(), (1.0, 1.0))
    assert found.holes == 2
    assert found.members in (3, 4, 5, 6, 7)  # rails in two parts each, three rungs; corners bend
    assert found.thickness == pytest.approx(3.0, abs=1.0)
    assert found.symmetry["x"] == found.symmetry["y"] == 1.0
    assert found.directions["x"] > found.directions["y"]
    assert sum(found.directions.values()) == pytest.approx(1.0)


def test_a_bar_runs_along_its_axis_in_space() -> None:
    bar = np.zeros((7, 9, 30), bool)
    bar[2:5, 3:6, :] = True
    found = describe(bar, (1.0, 1.0, 1.0))
    assert max(found.directions, key=lambda axis: found.directions[axis]) == "x"
    assert (found.holes, found.members, found.pieces) == (0, 1, 1)
    assert "1 member, 0 holes" in found.words


def test_overhangs_are_undersides_that_nothing_holds() -> None:
    wall = np.zeros((6, 8), bool)
    wall[:, 2:4] = True
    assert overhang_share(wall) == 0.0  # it stands on the ground
    table = wall.copy()
    table[5, :] = True  # a top: all but its cells beside the wall hangs
    assert overhang_share(table) == pytest.approx(4 / 6)
    slope = np.tril(np.ones((6, 6), bool))[:, ::-1]
    assert overhang_share(slope) == 0.0
