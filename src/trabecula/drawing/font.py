"""The letters of a picture: a font of the system that has them, else the one that Pillow brings along.

Pillow's own font has ASCII only. So the usual folders are looked through for fonts that are known to have
more, and a line is set in the first of them that has a glyph for every letter of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import combining, normalize

from trabecula.storage.visible import visible

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

FONTS = (
    # Latin, Greek and Cyrillic
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSans[wdth,wght].ttf",
    "LiberationSans-Regular.ttf",
    "OpenSans-Regular.ttf",
    "FreeSans.ttf",
    "Arial.ttf",
    "segoeui.ttf",
    "Helvetica.ttc",
    # Chinese, Japanese and Korean, mostly with Latin, Greek and Cyrillic
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansCJKjp-Regular.otf",
    "NotoSansCJKkr-Regular.otf",
    "SourceHanSans-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
    "msyh.ttc",
    "YuGothR.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "Arial Unicode.ttf",
    "unifont.ttf",
)
"""File names of fonts without serifs, the first one preferred; found whatever the case of their letters."""

_PLAIN = str.maketrans(
    {"–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "×": "x", "·": ".", "⁄": "/", "ß": "ss"}
)
"""What is written where no font has the letter."""

_BOLD = 0.035
"""What a bold letter is thicker on each side, as a share of a capital's height."""

_MEASURED = 200
"""Size at which the height of a capital is measured."""


@dataclass(frozen=True)
class Line:
    """A line of text in a font that can write it.

    Attributes
    ----------
    text
        What is written: of the text that was asked for, without what no font has.
    font
        Of Pillow, in the size asked.
    pen
        Pixels that letters are thicker on each side.
    """

    text: str
    font: FreeTypeFont
    pen: float

    @property
    def width(self) -> float:
        """In pixels."""
        return self.font.getlength(self.text) + 2 * self.pen

    def draw(self, page: ImageDraw, left: float, base: float, colour: str) -> None:
        """Write it, beginning at `left` on the base line `base`, both rounded to whole pixels."""
        place = (round(left + self.pen), round(base))
        page.text(place, self.text, colour, self.font, anchor="ls", stroke_width=self.pen)


def set_line(text: str, height: float, bold: bool = False) -> Line:
    """Set a text as one line.

    Blanks of any kind become spaces, and what would act on a terminal is shown as an escape.

    Parameters
    ----------
    height
        Of a capital letter, in pixels.
    """
    plain = visible(normalize("NFC", " ".join(text.split())))
    path, missing = _choose_font(plain)
    shown = "".join(_substitute(letter, path) if letter in missing else letter for letter in plain)
    size = max(1, round(height / _measure_capital(path)))
    return Line(shown, _load_font(path, size), _BOLD * height if bold else 0.0)


def shorten(text: str, height: float, room: float) -> str:
    """A text that is no wider than `room` pixels, with dots at its end where some of it had to go; nothing
    where not even the dots have room."""
    plain = " ".join(text.split())
    most = int(max(room, 0.0))  # letters, for none is narrower than a pixel
    if len(plain) <= most and set_line(plain, height).width <= room:
        return plain
    low, high = -1, min(len(plain), most)
    while low < high:
        middle = (low + high + 1) // 2
        if set_line(plain[:middle].rstrip() + "...", height).width <= room:
            low = middle
        else:
            high = middle - 1
    return plain[:low].rstrip() + "..." if low >= 0 else ""


def _choose_font(text: str) -> tuple[str | None, frozenset[str]]:
    """The font with the fewest letters missing, the first of several, and the letters that it lacks."""
    letters = frozenset(text)
    best: tuple[str | None, frozenset[str]] | None = None
    for path in chain(_find_fonts(), [None]):
        missing = frozenset(letter for letter in letters if not _has_letter(path, letter))
        if not missing:
            return path, missing
        if best is None or len(missing) < len(best[1]):
            best = path, missing
    assert best is not None
    return best


def _substitute(letter: str, path: str | None) -> str:
    """A letter without its marks or a plain one like it, where the font has that; else the letter itself,
    which the font shows as a box."""
    base = "".join(part for part in normalize("NFKD", letter) if not combining(part)).translate(_PLAIN)
    return base if all(_has_letter(path, part) for part in base) else letter


@lru_cache(maxsize=1)
def _find_fonts() -> tuple[str, ...]:
    """Paths of the fonts that the system has, the preferred one first."""
    wanted = {name.lower(): rank for rank, name in enumerate(FONTS)}
    found: dict[int, str] = {}
    for folder in _font_folders():
        for root, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                rank = wanted.get(name.lower())
                if rank is not None:
                    found.setdefault(rank, str(Path(root, name)))
    return tuple(path for _, path in sorted(found.items()) if _is_font(path))


def _font_folders() -> Iterator[Path]:
    """Where fonts lie on Linux, macOS and Windows, the user's first."""
    home = Path.home()
    if sys.platform == "darwin":
        yield from (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    elif sys.platform == "win32":
        yield Path(os.environ.get("LOCALAPPDATA", home)) / "Microsoft/Windows/Fonts"
        yield Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
    else:
        yield Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "fonts"
        yield home / ".fonts"
        shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        yield from (Path(folder) / "fonts" for folder in shared.split(":") if folder)


def _is_font(path: str) -> bool:
    """Whether a file is a font at all."""
    try:
        _measure_capital(path)
    except OSError:
        return False
    return True


@lru_cache(maxsize=64)
def _load_font(path: str | None, size: int) -> FreeTypeFont:
    """A font by its path, or Pillow's own."""
    from PIL import ImageFont

    if path is not None:
        return ImageFont.truetype(path, size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@lru_cache(maxsize=64)
def _measure_capital(path: str | None) -> float:
    """Height of a capital letter as a share of the font's size."""
    return -_load_font(path, _MEASURED).getbbox("H", anchor="ls")[1] / _MEASURED


@lru_cache(maxsize=4096)
def _has_letter(path: str | None, letter: str) -> bool:
    """Whether a font has a letter: it looks unlike what the font shows for a code that is no letter."""
    if letter.isascii():
        return True
    font = _load_font(path, 20)
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))
