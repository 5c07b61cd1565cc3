"""How a design came to be, as an animated GIF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trabecula.drawing.font import set_line, shorten
from trabecula.numerics.errstate import own_errstate

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 32_000_000
"""Pixels of all frames together at most, one byte each: the memory an animation takes."""

_MARGIN, _CAPTION = 12, 32
_LETTERS = 9.0
_DARK = np.array([0x1C, 0x21, 0x29])
"""Colour of solid material; void is white, and the palette the steps between."""


@own_errstate
def animate(
    densities: Sequence[NDArray[np.floating]],
    captions: Sequence[str],
    spacing: Sequence[float],
    *,
    width: int = 640,
    milliseconds: int = 80,
    last_milliseconds: int = 2000,
) -> bytes:
    """Make an animated GIF of a design on its way.

    All frames have one palette of 256 greys. They are as large as the last density asks for; where that would
    be more than `MOST_PIXELS` in all, frames are left out evenly, the first and the last never.

    Parameters
    ----------
    densities
        `[y, x]` or `[z, y, x]` each, from 0 (void, white) to 1 (solid, dark), in order, at least one. Their
        grids may differ: each is shown on the last one's by its nearest cells. A solid design is shown as
        its mean along z, like an X-ray picture.
    captions
        A line below each frame, as many as densities.
    spacing
        Edge lengths of a cell of the last density along x, y(, z), in metres.
    width
        Width in pixels; the height follows from the design, within a fifth and three halves of it.
    milliseconds, last_milliseconds
        How long a frame is shown, and how long the last one; GIF knows hundredths of a second.

    Returns
    -------
    bytes
        The GIF file, the same bytes every time; it repeats without end.

    Raises
    ------
    ValueError
        If there is no density, a caption is missing, or dimensions differ.
    """
    if not len(densities) or len(captions) != len(densities):
        raise ValueError(
            f"animate: {len(captions)} captions for {len(densities)} densities; give one for each, "
            "and at least one"
        )
    for density in densities:
        if density.ndim not in (2, 3) or density.ndim != len(spacing):
            raise ValueError(
                f"animate: a density of shape {density.shape} with {len(spacing)} spacings; give [y, x] with "
                "two or [z, y, x] with three"
            )
    rows, columns = densities[-1].shape[-2:]
    inner = width - 2 * _MARGIN
    height = int(np.clip(inner * rows * spacing[1] / (columns * spacing[0]), 0.2 * width, 1.5 * width))
    scale = min(inner / (columns * spacing[0]), height / (rows * spacing[1]))
    size = (max(1, round(columns * spacing[0] * scale)), max(1, round(rows * spacing[1] * scale)))
    page = (width, height + 2 * _MARGIN + _CAPTION)
    shown = _choose_frames(len(densities), max(2, MOST_PIXELS // (page[0] * page[1])))

    def frames() -> Iterator[Image]:
        for k in shown:
            yield _draw_frame(_resample(densities[k], (rows, columns)), captions[k], size, page)

    drawn_frames, file = frames(), BytesIO()
    next(drawn_frames).save(
        file,
        "GIF",
        save_all=True,
        append_images=drawn_frames,
        duration=[milliseconds] * (len(shown) - 1) + [last_milliseconds],
        loop=0,
        optimize=False,
    )
    return file.getvalue()


def _choose_frames(count: int, most: int) -> list[int]:
    """Rows of at most `most` frames, evenly spaced, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [round(k * (count - 1) / (most - 1)) for k in range(most)]


def _resample(density: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """A density `[y, x]`, or the mean along z of one `[z, y, x]`, by the nearest cells of another grid."""
    plane = np.asarray(density.mean(axis=0) if density.ndim == 3 else density, dtype=np.float64)
    nearest = [
        ((np.arange(n) + 0.5) * m / n).astype(np.int64) for n, m in zip(shape, plane.shape, strict=True)
    ]
    return plane[np.ix_(*nearest)]


def _draw_frame(
    plane: NDArray[np.float64], caption: str, size: tuple[int, int], page: tuple[int, int]
) -> Image:
    """A frame in the greys of the palette: the design in the middle, the caption below."""
    from PIL import Image, ImageDraw

    greys = np.rint(255 * (1 - np.clip(np.nan_to_num(plane[::-1]), 0, 1))).astype(np.uint8)
    way = Image.Resampling.NEAREST if size[0] >= greys.shape[1] else Image.Resampling.BOX
    design = Image.fromarray(greys).resize(size, way)
    # drawn as greys, so that letters have smooth edges, and then named the rows of a palette
    frame = Image.new("L", page, 255)
    left, top = (page[0] - size[0]) // 2, (page[1] - _CAPTION - size[1]) // 2
    ImageDraw.Draw(frame).rectangle((left - 1, top - 1, left + size[0], top + size[1]), outline=160)
    frame.paste(design, (left, top))
    line = set_line(shorten(caption, _LETTERS, page[0] - 2 * _MARGIN), _LETTERS)
    line.draw(ImageDraw.Draw(frame), _MARGIN, page[1] - _MARGIN, "#000000")
    frame.putpalette(_palette())
    return frame


def _palette() -> bytes:
    """256 colours from solid to white, red, green and blue each."""
    share = np.arange(256)[:, None] / 255
    return bytes(np.rint(_DARK + share * (255 - _DARK)).astype(np.uint8))
