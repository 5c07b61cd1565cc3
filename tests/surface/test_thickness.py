"""What is thinner than three voxels is found, whatever way it runs, and is told with its remedy."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.surface.thickness import describe_thin_share, measure_thin_share


@pytest.mark.parametrize("thick, thin", [(1, True), (2, True), (3, False), (4, False), (7, False)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_members_count_by_their_thickness(thick, thin, axis):
    bar = np.zeros((12, 12, 30), dtype=bool)
    bar[2 : 2 + thick, 3 : 3 + thick] = True
    assert measure_thin_share(np.moveaxis(bar, 2, axis)) == (1.0 if thin else 0.0)


@pytest.mark.parametrize("direction", [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (3, 1, 2)])
@pytest.mark.parametrize("diameter, share", [(2.0, 1.0), (4.5, 0.0)])
def test_round_members_count_whatever_way_they_run(direction, diameter, share):
    places = np.moveaxis(np.indices((30, 30, 30)), 0, -1) - 14.5
    way = np.array(direction) / np.linalg.norm(direction)
    away = np.linalg.norm(np.cross(places, way), axis=-1)
    assert measure_thin_share(away <= diameter / 2) == pytest.approx(share, abs=0.06)


def test_the_share_is_that_of_the_thin_members():
    both = np.zeros((20, 20, 60), dtype=bool)
    both[2:18, 2:18, 2:22] = True
    both[9:11, 9:11, 22:58] = True
    thin = 4 * 35  # the layer at the block counts as the block's edge
    assert measure_thin_share(both) == pytest.approx(thin / both.sum())


def test_plates_are_measured_in_their_plane_and_nothing_is_thin_of_nothing():
    plate = np.zeros((20, 30), dtype=bool)
    plate[3:6, 2:28] = True
    assert measure_thin_share(plate) == 0
    plate[5] = False
    assert measure_thin_share(plate) == 1
    assert measure_thin_share(np.zeros((4, 4), dtype=bool)) == 0


def test_edges_and_corners_of_a_thick_block_are_not_thin():
    assert measure_thin_share(np.ones((5, 6, 7), dtype=bool)) == 0


def test_the_sentence_names_the_share_and_the_remedy():
    assert describe_thin_share(0.01) == ""
    text = describe_thin_share(0.312)
    assert text.startswith("31 % of the part is thinner than three voxels")
    assert "larger filter radius or finer voxels" in text
