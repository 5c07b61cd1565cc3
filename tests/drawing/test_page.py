"""The page: smooth edges cover what they should, files decode."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trabecula.drawing.distance import distance
from trabecula.drawing.page import Page, rgb

BLACK = "#000000"


def ink(page: Page) -> float:
    """Pixels' worth of black on the page."""
    return float((255.0 - page.pixels[..., 0]).sum()) / 255


def test_a_picture_survives_its_file() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    page = Page(5, 7)
    page.image(pixels, 0, 0)
    with Image.open(io.BytesIO(page.to_png())) as image:
        assert image.info["Software"] == "trabecula"
        np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_areas_cover_as_many_pixels_as_they_are_large(shift: float) -> None:
    page = Page(60, 50)
    page.polygon(np.array([(10, 10), (40, 10), (40, 30), (10, 30)]) + shift, BLACK)
    assert ink(page) == pytest.approx(600, rel=3e-3)
    page = Page(60, 50)
    page.polygon([(10, 40), (50, 40), (10, 10)], BLACK)  # clockwise or not
    assert ink(page) == pytest.approx(600, rel=0.01)
    page = Page(60, 50)
    page.box((10 + shift, 10), (40 + shift, 30), 5.0, BLACK)
    assert ink(page) == pytest.approx(600 - (4 - np.pi) * 25, rel=0.01)
    page = Page(60, 50)
    page.ring((30 + shift, 25), 15.0, 3.0, BLACK)
    assert ink(page) == pytest.approx(2 * np.pi * 15 * 3, rel=0.01)
    page = Page(60, 50)
    page.stroke([[(10, 20 + shift), (50, 20 + shift)], [(30, 10), (30, 40)]], 3.0, BLACK)
    assert ink(page) == pytest.approx(40 * 3 + 30 * 3 - 9 + 2 * np.pi * 1.5**2, rel=0.02)


def test_what_lies_off_the_page_is_cut_off() -> None:
    page = Page(20, 10)
    page.polygon([(-10, -10), (40, -10), (40, 40), (-10, 40)], BLACK)
    assert ink(page) == 200
    page.stroke([[(100, 100), (120, 100)]], 3.0, "#ffffff")
    page.stroke([], 3.0, "#ffffff")
    page.write("far", 200, 5, 10, "#ffffff", bold=False)
    assert ink(page) == 200


def test_colours_mix_by_what_is_covered() -> None:
    page = Page(4, 4)
    page.polygon([(0, 0), (2.5, 0), (2.5, 4), (0, 4)], "#ff0000")
    np.testing.assert_allclose(page.pixels[1, :, 1], [0, 0, 128, 255], atol=1)
    assert (page.pixels[1, :, 0] == 255).all()
    np.testing.assert_array_equal(rgb("#0080ff"), np.array([0, 128, 255], np.float32) / 255)


def test_a_line_of_many_points_is_joined_without_gaps() -> None:
    page = Page(40, 40)
    page.stroke([[(8, 8), (32, 8), (32, 32), (8, 8)]], 4.0, BLACK)
    for x, y in ((8, 8), (31, 8), (31, 31), (20, 8), (31, 20)):
        assert page.pixels[y, x, 0] < 20
    assert ink(page) == pytest.approx(4 * (24 + 24 + 24 * 2**0.5), rel=0.06)


def test_small_and_large_areas_have_equally_true_edges() -> None:
    for size in (30, 600):  # the larger one is drawn into a coarser mask
        page = Page(size + 20, size + 20)
        page.polygon([(10.25, 10), (10.25 + size, 10), (10.25 + size, 10 + size), (10.25, 10 + size)], BLACK)
        assert page.pixels[size // 2, 10, 0] == pytest.approx(64, abs=2)
        assert page.pixels[size // 2, 10 + size, 0] == pytest.approx(191, abs=2)


def test_distances_are_exact_at_nodes_and_end_at_the_limit() -> None:
    random = np.random.default_rng(5)
    nodes = random.random((7, 9, 11)) < 0.01
    nodes[3, 4, 5] = True
    spacing = (0.5, 0.4, 0.7)
    place = np.argwhere(np.ones_like(nodes))[:, ::-1] * spacing
    chosen = np.argwhere(nodes)[:, ::-1] * np.array(spacing)
    exact = np.sqrt(((place[:, None] - chosen) ** 2).sum(axis=2)).min(axis=1)
    found = distance(nodes, spacing, place, 1.3)
    np.testing.assert_allclose(found, np.minimum(exact, 1.3), atol=1e-12)
    between = random.random((50, 3)) * place.max(axis=0)
    off = np.sqrt(((between[:, None] - chosen) ** 2).sum(axis=2)).min(axis=1)
    assert np.abs(distance(nodes, spacing, between, 1.3) - np.minimum(off, 1.3)).max() < 0.35


def test_distances_to_a_single_far_node() -> None:
    nodes = np.zeros((2, 2, 9), dtype=bool)
    nodes[0, 0, 8] = True
    points = np.array([(0.0, 0.0, 0.0), (7.5, 0.0, 0.0), (8.0, 1.0, 0.0)])
    np.testing.assert_allclose(distance(nodes, (1, 1, 1), points, 2.0), [2.0, 0.5, 1.0])
