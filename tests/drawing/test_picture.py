"""Pictures decode, have the size asked, show the design, and are the same every time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trabecula.drawing import picture
from trabecula.drawing.glyphs import (
    Arrows,
    farthest_points,
    make_arrows,
    node_points,
    place_tails,
)


def decode(png: bytes) -> np.ndarray:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image, dtype=np.float64)[..., :3] / 255


def plane() -> dict:
    density = np.zeros((20, 40))
    density[:, :20] = 1
    fixed = np.zeros((2, 21, 41), bool)
    fixed[:, :, 0] = True
    fixed[0, 0, 40] = fixed[1, 20, 40] = True
    loads = np.zeros((2, 2, 21, 41))
    loads[0, 1, 0, 40] = -1
    loads[1, 0, :, 40] = 2
    return {"density": density, "spacing": (0.1, 0.1), "fixed": fixed, "loads": loads}


def solid() -> dict:
    density = np.zeros((8, 10, 16))
    density[2:6, 3:8] = 1
    fixed = np.zeros((3, 9, 11, 17), bool)
    fixed[:, :, :, 0] = True
    loads = np.zeros((1, 3, 9, 11, 17))
    loads[0, 1, :, 0, 16] = -1
    return {"density": density, "spacing": (0.1, 0.1, 0.1), "fixed": fixed, "loads": loads}


@pytest.mark.parametrize("design", [plane, solid])
@pytest.mark.parametrize("width", [400, 700])
def test_has_the_width_asked_and_is_not_blank(design, width):
    pixels = decode(picture(**design(), title="A title", word="certified", width=width))
    assert pixels.shape[1] == width
    assert 0.25 * width < pixels.shape[0] < 1.8 * width
    assert 0.02 < (pixels.mean(axis=2) < 0.95).mean() < 0.9


@pytest.mark.parametrize("design", [plane, solid])
def test_is_the_same_every_time(design):
    assert picture(**design(), width=300) == picture(**design(), width=300)


def test_material_is_dark_and_y_runs_up():
    density = np.zeros((10, 30))
    density[:5] = 1
    pixels = decode(picture(density, (1, 1), width=600))
    middle = pixels[:, 300].mean(axis=1)
    assert middle[int(0.3 * len(middle))] > 0.95
    assert middle[int(0.7 * len(middle))] < 0.2


def test_supports_are_blue_and_loads_red():
    bare, full = plane(), plane()
    for name in ("fixed", "loads"):
        del bare[name]

    def coloured(design: dict, strong: int, weak: int) -> int:
        pixels = decode(picture(**design, width=600))
        return int((pixels[..., strong] - pixels[..., weak] > 0.3).sum())

    assert coloured(bare, 2, 0) == coloured(bare, 0, 2) == 0
    assert coloured(full, 2, 0) > 50
    assert coloured(full, 0, 2) > 50


def test_the_word_is_written_in_its_colour():
    pictures = {
        word: decode(picture(np.ones((4, 8)), (1, 1), word=word, width=400))
        for word in ("predicted", "verified", "certified")
    }
    corners = [pixels[30, 20:22].mean(axis=0) for pixels in pictures.values()]
    assert corners[0].argmax() == 0 and corners[1].argmax() == 2 and corners[2].argmax() == 1


def test_passive_parts_are_marked():
    density = np.full((20, 20), 0.5)
    mask = np.zeros(density.shape, bool)
    mask[5:10, 5:10] = True
    plain = picture(density, (1, 1), width=300)
    assert picture(density, (1, 1), solid=mask, width=300) != plain
    assert picture(density, (1, 1), void=mask, width=300) != plain


def test_mathematics_in_a_title_is_text():
    assert picture(np.ones((2, 4)), (1, 1), title="$x_$ \\frac", width=300)


def test_a_long_title_leaves_room_for_the_legend():
    long = decode(picture(**plane(), title="A very long title indeed, " * 9, word="certified", width=700))
    short = decode(picture(**plane(), title="A", word="certified", width=700))
    np.testing.assert_array_equal(long[:56, 520:], short[:56, 520:])


def test_every_pixel_shows_the_mean_of_its_cells():
    density = np.random.default_rng(2).random((300, 900))
    pixels = decode(picture(density, (1, 1), width=300))
    shown = (1 - pixels[..., 0]).sum() / (1 - 0x1C / 255)
    scale = 252 / (900 * 1.03)
    frame = 2 * 1.4 * (1200 * scale) * (1 - 0x9A / 255 - 0.5) / (1 - 0x1C / 255)
    assert shown == pytest.approx(density.sum() * scale**2, abs=2 * abs(frame))


def test_heat_loads_have_no_direction():
    loads = np.zeros((1, 1, 5, 9))
    loads[0, 0, 2, 4] = 1
    assert picture(np.ones((4, 8)), (1, 1), loads=loads, width=300)
    space = np.zeros((1, 1, 5, 5, 9))
    space[0, 0, 2, 2, 4] = 1
    assert picture(np.ones((4, 4, 8)), (1, 1, 1), loads=space, width=300)


def test_huge_grids_are_thinned_first():
    wide = decode(picture(np.ones((30, 4100)), (1, 1), width=500))
    assert wide.shape[1] == 500
    density = np.zeros((120, 130, 140))
    density[20:100, 20:100, 20:120] = 1
    mask = density > 0
    pixels = decode(picture(density, (1, 1, 1), solid=mask, void=~mask, width=300))
    assert (pixels.mean(axis=2) < 0.9).mean() > 0.1


def test_a_design_without_material_shows_its_frame():
    fixed = np.ones((3, 5, 5, 5), bool)
    assert decode(picture(np.zeros((4, 4, 4)), (1, 1, 1), fixed=fixed, width=300)).min() < 0.9


def test_spread_takes_far_points_and_keeps_a_gap():
    line = np.stack([np.arange(101.0), np.zeros(101)], axis=1)
    np.testing.assert_array_equal(farthest_points(line, 5), [0, 25, 50, 75, 100])
    assert np.diff(farthest_points(line, 50, gap=20.0)).min() > 20
    assert len(farthest_points(np.empty((0, 2)), 3)) == 0


def test_node_points_are_in_metres():
    nodes = np.zeros((2, 3), bool)
    nodes[1, 2] = True
    np.testing.assert_allclose(node_points(nodes, (0.5, 0.25)), [[1.0, 0.25]])


def test_arrows_are_unit_vectors_of_every_case():
    drawn = make_arrows(plane()["loads"], (0.1, 0.1))
    assert set(drawn.case.tolist()) == {0, 1}
    np.testing.assert_allclose(np.linalg.norm(drawn.direction, axis=1), 1)
    assert (drawn.case == 1).sum() == 9


def test_arrows_stay_outside_the_box():
    drawn = Arrows(np.array([[1.0, 2.0], [1.0, 0.0]]), np.array([[0.0, -1.0], [0.0, -1.0]]), np.zeros(2, int))
    np.testing.assert_allclose(place_tails(drawn, (2, 2), 0.5), [[1.0, 2.5], [1.0, 0.0]])
