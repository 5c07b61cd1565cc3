"""The table of patches is complete and closed."""

from __future__ import annotations

import pytest

from trabecula.surface.patches import (
    ALTERNATING,
    CROSSED,
    EDGE_CORNERS,
    FACE_CORNERS,
    FACE_EDGES,
    patches,
)


@pytest.mark.parametrize("joined", [0, 0b111111, 0b010101])
def test_every_crossed_edge_has_a_patch_of_at_least_three(joined):
    for configuration in range(256):
        found = patches(configuration, joined)
        assert [p >= 0 for p in found] == CROSSED[configuration].tolist()
        for number in range(max(found) + 1):
            assert found.count(number) >= 3


def test_opposite_corners_are_two_patches():
    assert max(patches(0b10000001, 0)) == 1


def test_an_alternating_face_decides_between_one_patch_and_two():
    configuration = 0b00001001  # corners 0 and 3: diagonal on the face z = 0
    assert ALTERNATING[configuration].sum() == 1
    face = int(ALTERNATING[configuration].argmax())
    assert max(patches(configuration, 0)) == 1
    assert max(patches(configuration, 1 << face)) == 0


def test_faces_and_edges_agree_on_their_corners():
    for corners, edges in zip(FACE_CORNERS, FACE_EDGES, strict=True):
        assert {int(c) for e in edges for c in EDGE_CORNERS[e]} == {int(c) for c in corners}
