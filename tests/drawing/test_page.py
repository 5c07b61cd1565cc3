"""The page: smooth edges cover what they should, letters are read, files decode."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trabecula.drawing.distance import distance
from trabecula.drawing.lettering import letters
from trabecula.drawing.page import Page, rgb, text_width
from trabecula.drawing.png import encode

BLACK = "#000000"


def ink(page: Page) -> float:
    """Pixels' worth of black on the page."""
    return float((1 - page.pixels[..., 0]).sum())


def test_a_picture_survives_its_file() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    with Image.open(io.BytesIO(encode(pixels))) as image:
        assert image.info["Software"] == "trabecula"
        np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_areas_cover_as_many_pixels_as_they_are_large(shift: float) -> None:
    page = Page(60, 50)
    page.polygon(np.array([(10, 10), (40, 10), (40, 30), (10, 30)]) + shift, BLACK)
    assert ink(page) == pytest.approx(600, rel=2e-3)
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
    page.stroke([[[(10, 20 + shift), (50, 20 + shift)]], [[(30, 10), (30, 40)]]], 3.0, BLACK)
    assert ink(page) == pytest.approx(40 * 3 + 30 * 3 - 9 + 2 * np.pi * 1.5**2, rel=0.02)


def test_what_lies_off_the_page_is_cut_off() -> None:
    page = Page(20, 10)
    page.polygon([(-10, -10), (40, -10), (40, 40), (-10, 40)], BLACK)
    assert ink(page) == 200
    page.stroke([[[(100, 100), (120, 100)]]], 3.0, "#ffffff")
    page.stroke([], 3.0, "#ffffff")
    page.write("far", 200, 5, 10, "#ffffff", bold=False)
    assert ink(page) == 200


def test_colours_mix_by_what_is_covered() -> None:
    page = Page(4, 4)
    page.polygon([(0, 0), (2.5, 0), (2.5, 4), (0, 4)], "#ff0000")
    np.testing.assert_allclose(page.pixels[1, :, 1], [0, 0, 0.5, 1])
    np.testing.assert_allclose(page.pixels[1, :, 0], 1)
    np.testing.assert_array_equal(rgb("#0080ff"), np.array([0, 128, 255], np.float32) / 255)


def test_every_printable_letter_is_drawn_and_no_two_alike() -> None:
    seen = {}
    for code in range(33, 127):
        page = Page(30, 30)
        page.write(chr(code), 5, 22, 14, BLACK, bold=False)
        assert ink(page) > 3
        seen[page.to_png()] = chr(code)
    assert len(seen) == 94


def test_letters_stand_on_their_line_within_their_width() -> None:
    page = Page(200, 60)
    page.write("Hamburg 109", 10, 40, 14, BLACK, bold=False)
    rows, columns = np.nonzero(page.pixels[..., 0] < 0.5)
    assert columns.min() >= 9
    assert abs(columns.max() - (10 + text_width("Hamburg 109", 14))) <= 3
    assert 24 <= rows.min() <= 27
    upright = page.pixels[27:39, 10, 0]
    assert (upright < 0.01).all(), "stems fill whole pixels"
    assert text_width("Hamburg 109", 14, bold=True) > text_width("Hamburg 109", 14)
    assert text_width("a b", 14) > text_width("ab", 14)


def test_marks_are_put_on_letters_and_the_unknown_is_a_box() -> None:
    assert letters("é") == [("e", ["\u0301"])]
    assert letters("e\u0301") == [("e", ["\u0301"])]
    assert letters("½\t") == [("1", []), ("⁄", []), ("2", []), (" ", [])]
    drawn = []
    for text in ("o", "ö", "ő", "ç", "c", "日", "□"):
        page = Page(30, 40)
        page.write(text, 8, 26, 14, BLACK, bold=True)
        drawn.append(ink(page))
    assert drawn[0] < drawn[1] < drawn[2] + 3
    assert drawn[3] > drawn[4]
    assert drawn[5] == drawn[6] > 0


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
