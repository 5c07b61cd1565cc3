"""The picture of a question: the designs side by side, each with the letter to answer with."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from trabecula.drawing.page import Page
from trabecula.taste.exhibits import Exhibit

LETTERS = "abcdefghijklmnopqrstuvwxyz"

_WIDTH, _HEAD, _GAP = 480, 40, 16
_INK, _SOFT = "#20242a", "#5b6470"


def draw_question(shown: Sequence[Exhibit]) -> bytes:
    """One PNG of the designs, with letters from the left and from above."""
    from PIL import Image

    images = []
    for exhibit in shown:
        image = Image.open(io.BytesIO(exhibit.result.plot())).convert("RGB")
        images.append(image.resize((_WIDTH, max(1, round(image.height * _WIDTH / image.width)))))
    height = max(image.height for image in images) + _HEAD + _GAP
    rows = -(-len(images) // 2)
    page = Page(2 * (_WIDTH + _GAP) + _GAP, rows * height + _GAP)
    for k, (image, exhibit) in enumerate(zip(images, shown, strict=True)):
        left, top = _GAP + (k % 2) * (_WIDTH + _GAP), _GAP + (k // 2) * height
        page.write(LETTERS[k], left, top + 22, 14, _INK, True)
        page.write(exhibit.words, left + 30, top + 20, 8, _SOFT, False)
        page.image(np.asarray(image), left, top + _HEAD)
    return page.to_png()
