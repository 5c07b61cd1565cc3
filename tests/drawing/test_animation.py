"""Animations are read back frame by frame: shape, greys, captions, times, and a bound on memory."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from trabecula.drawing import animation
from trabecula.drawing.animation import animate


def read(content: bytes) -> tuple[list[np.ndarray], list[int]]:
    """Frames, uint8 `[row, column, colour]`, and the milliseconds each is shown."""
    assert content[:6] == b"GIF89a"
    with Image.open(io.BytesIO(content)) as image:
        frames = [
            (np.asarray(frame.convert("RGB")), frame.info["duration"])
            for frame in ImageSequence.Iterator(image)
        ]
        assert image.info["loop"] == 0
    return [frame for frame, _ in frames], [time for _, time in frames]


def steps(count: int, shape: tuple[int, int] = (20, 40)) -> list[np.ndarray]:
    """Designs that fill up from the left."""
    return [(np.arange(shape[1]) < shape[1] * k / (count - 1)) * np.ones(shape) for k in range(count)]


def names(count: int) -> list[str]:
    return [f"iteration {k}" for k in range(count)]


def test_every_frame_comes_back_in_its_place_and_the_last_stays_longest() -> None:
    frames, times = read(animate(steps(5), names(5), (0.1, 0.1), width=424))
    assert times == [80, 80, 80, 80, 2000]
    assert len({frame.shape for frame in frames}) == 1 and frames[0].shape[1] == 424
    for k, frame in enumerate(frames):
        design = frame[12:212, 12:412]
        dark = (design == [0x1C, 0x21, 0x29]).all(axis=2)
        np.testing.assert_array_equal(dark[100], np.arange(400) < 100 * k)
        assert dark.all(axis=0).sum() == 100 * k


def test_greys_are_between_white_and_the_colour_of_material_and_y_runs_up() -> None:
    density = np.full((10, 20), 0.5)
    density[0] = 1
    density[9] = 0
    frames, _ = read(animate([density], ["x"], (1, 1), width=224))
    assert frames[0][17, 100].tolist() == [255, 255, 255], "the top row is void"
    np.testing.assert_allclose(frames[0][60, 100], [(255 + c) / 2 for c in (0x1C, 0x21, 0x29)], atol=1)
    assert frames[0][107, 100].tolist() == [0x1C, 0x21, 0x29]


def test_coarse_grids_are_shown_by_their_nearest_cells_on_the_last_ones() -> None:
    coarse = np.array([[1.0, 0.0], [0.0, 0.0]])
    fine = np.zeros((4, 4))
    fine[:2, :2] = 1
    frames, _ = read(
        animate([coarse, np.kron(coarse, np.ones((4, 4))), fine], ["a", "b", "c"], (1, 1), width=224)
    )
    for frame in frames[1:]:
        np.testing.assert_array_equal(frame[:214], frames[0][:214])
    assert (frames[0][112:212, 12:112] == [0x1C, 0x21, 0x29]).all()
    assert (frames[0][12:112, 12:212] == 255).all()


def test_captions_are_written_below_whatever_they_say() -> None:
    for text in ("iteration 7", "Γέφυρα 橋", "x" * 10_000, "\x1b\ud800"):
        (plain, shown), _ = read(animate([np.ones((4, 8))] * 2, ["", text], (1, 1), width=300))
        below = shown.shape[0] - animation._CAPTION
        np.testing.assert_array_equal(plain[:below], shown[:below])
        assert (plain[below:] == 255).all() and (shown[below:] < 100).any()
        assert (shown[:, -animation._MARGIN + 1 :] == 255).all(), "and none is cut off"


def test_a_solid_design_is_shown_as_its_mean_along_z() -> None:
    density = np.zeros((4, 5, 10))
    density[:2] = 1
    frames, _ = read(animate([np.zeros((2, 2, 3)), density], ["a", "b"], (1, 1, 1), width=224))
    assert (frames[0][12:112, 12:212] == 255).all()
    np.testing.assert_allclose(frames[1][60, 100], [(255 + c) / 2 for c in (0x1C, 0x21, 0x29)], atol=1)


def test_too_many_frames_are_thinned_and_the_ends_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    many = steps(101)
    all_of_them, _ = read(animate(many, names(101), (1, 1), width=224))
    monkeypatch.setattr(animation, "MOST_PIXELS", 10 * all_of_them[0].shape[0] * 224)
    few, times = read(animate(many, names(101), (1, 1), width=224))
    assert len(all_of_them) == 101 and len(few) == 10
    np.testing.assert_array_equal(few[0], all_of_them[0])
    np.testing.assert_array_equal(few[-1], all_of_them[-1])
    assert times[-1] == 2000
    monkeypatch.setattr(animation, "MOST_PIXELS", 1)
    assert len(read(animate(many, names(101), (1, 1), width=224))[0]) == 2


def test_is_the_same_every_time_and_flat_shapes_keep_their_page() -> None:
    assert animate(steps(3), names(3), (1, 1)) == animate(steps(3), names(3), (1, 1))
    for shape in ((1, 400), (400, 1)):
        frames, _ = read(animate([np.ones(shape)], ["x"], (1, 1), width=200))
        assert frames[0].shape[1] == 200
        assert (frames[0] < 100).any()


@pytest.mark.parametrize(
    ("densities", "captions", "spacing", "said"),
    [
        ([], [], (1, 1), "0 captions for 0 densities"),
        ([np.ones((2, 2))], [], (1, 1), "0 captions for 1 densities"),
        ([np.ones((2, 2))], ["a"], (1, 1, 1), "with 3 spacings"),
        ([np.ones((2, 2)), np.ones((2, 2, 2))], ["a", "b"], (1, 1, 1), r"shape \(2, 2\) with 3 spacings"),
    ],
)
def test_what_does_not_fit_together_is_refused(densities, captions, spacing, said) -> None:
    with pytest.raises(ValueError, match=said):
        animate(densities, captions, spacing)
