"""Letters as strokes: our own alphabet in the manner of technical lettering, so that a picture needs no font.

A letter is written in units of a seventh of a capital's height, x to the right and y up from the base line.
Strokes are parted by `;`. A stroke begins at a point and goes on by `l x y` (a line), `h x y` (a quarter of
an ellipse that leaves along x and arrives along y), `v x y` (one that leaves along y and arrives along x) or
`q cx cy x y` (a parabola with a control point). A stroke of one point is a dot.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CAPITAL = 7.0
"""Height of a capital letter in units."""

SPACE = 3.0
GAP = 1.9
"""Width of a blank, and the distance between letters, in units."""

_PIECES = 7

_LETTERS = {
    "A": "0 0 l 2.8 7 l 5.6 0; .9 2.3 l 4.7 2.3",
    "B": "0 3.75 l 2.7 3.75 h 4.5 5.35 v 2.7 7 l 0 7 l 0 0 l 2.9 0 h 4.9 1.85 v 2.7 3.75",
    "C": "5.3 5.1 v 2.9 7 h 0 3.5 v 2.9 0 h 5.3 1.9",
    "D": "0 0 l 0 7 l 2.1 7 h 5.3 3.5 v 2.1 0 l 0 0",
    "E": "4.3 7 l 0 7 l 0 0 l 4.3 0; 0 3.65 l 3.8 3.65",
    "F": "4.3 7 l 0 7 l 0 0; 0 3.5 l 3.8 3.5",
    "G": "5.3 5.2 v 2.9 7 h 0 3.5 v 2.9 0 h 5.5 2.2 l 5.5 3.3 l 3.2 3.3",
    "H": "0 0 l 0 7; 5.1 0 l 5.1 7; 0 3.65 l 5.1 3.65",
    "I": "0 0 l 0 7",
    "J": "3.2 7 l 3.2 1.9 v 1.6 0 h 0 1.6",
    "K": "0 0 l 0 7; 4.6 7 l 0 2.5; 1.7 4.15 l 4.9 0",
    "L": "0 7 l 0 0 l 4 0",
    "M": "0 0 l 0 7 l 3.1 1.6 l 6.2 7 l 6.2 0",
    "N": "0 0 l 0 7 l 5 0 l 5 7",
    "O": "0 3.5 v 3 7 h 6 3.5 v 3 0 h 0 3.5",
    "P": "0 0 l 0 7 l 2.8 7 h 4.8 5.1 v 2.8 3.2 l 0 3.2",
    "Q": "0 3.5 v 3 7 h 6 3.5 v 3 0 h 0 3.5; 3.7 1.7 l 6 -.6",
    "R": "0 0 l 0 7 l 2.8 7 h 4.7 5.15 v 2.8 3.3 l 0 3.3; 2.6 3.3 l 4.9 0",
    "S": "4.5 5.4 v 2.4 7 h .2 5.3 v 2.4 3.65 h 4.7 1.85 v 2.4 0 h 0 1.65",
    "T": "0 7 l 5 7; 2.5 7 l 2.5 0",
    "U": "0 7 l 0 2.4 v 2.5 0 h 5 2.4 l 5 7",
    "V": "0 7 l 2.7 0 l 5.4 7",
    "W": "0 7 l 1.9 0 l 3.8 6.8 l 5.7 0 l 7.6 7",
    "X": "0 7 l 4.8 0; 4.8 7 l 0 0",
    "Y": "0 7 l 2.5 3.4 l 5 7; 2.5 3.4 l 2.5 0",
    "Z": "0 7 l 4.7 7 l 0 0 l 4.7 0",
    "a": ".3 3.9 v 1.9 5 h 3.5 3.4 l 3.5 0; 3.5 2.9 l 1.6 2.9 h 0 1.45 v 1.5 0 h 3.5 1.7",
    "b": "0 7 l 0 0; 0 2.5 v 1.95 5 h 3.9 2.5 v 1.95 0 h 0 2.5",
    "c": "3.6 3.7 v 1.95 5 h 0 2.5 v 1.95 0 h 3.6 1.3",
    "d": "3.9 7 l 3.9 0; 3.9 2.5 v 1.95 5 h 0 2.5 v 1.95 0 h 3.9 2.5",
    "e": "0 2.5 l 3.8 2.5 v 1.95 5 h 0 2.5 v 2 0 h 3.6 1.1",
    "f": "2.6 7 h 1 5.5 l 1 0; 0 5 l 2.4 5",
    "g": "3.9 5 l 3.9 -.2 v 2 -2 h .3 -1; 3.9 2.5 v 1.95 5 h 0 2.5 v 1.95 0 h 3.9 2.5",
    "h": "0 7 l 0 0; 0 3 v 1.9 5 h 3.6 3.2 l 3.6 0",
    "i": "0 0 l 0 5; 0 6.9",
    "j": "1 5 l 1 -.6 v -.4 -2; 1 6.9",
    "k": "0 7 l 0 0; 3.3 5 l 0 1.8; 1.3 3 l 3.5 0",
    "l": "0 7 l 0 1.2 v 1.1 0",
    "m": "0 5 l 0 0; 0 3.1 v 1.6 5 h 3 3.3 l 3 0; 3 3.1 v 4.6 5 h 6 3.3 l 6 0",
    "n": "0 5 l 0 0; 0 3 v 1.9 5 h 3.6 3.2 l 3.6 0",
    "o": "0 2.5 v 1.95 5 h 3.9 2.5 v 1.95 0 h 0 2.5",
    "p": "0 5 l 0 -2; 0 2.5 v 1.95 5 h 3.9 2.5 v 1.95 0 h 0 2.5",
    "q": "3.9 5 l 3.9 -2; 3.9 2.5 v 1.95 5 h 0 2.5 v 1.95 0 h 3.9 2.5",
    "r": "0 5 l 0 0; 0 2.9 v 2.2 5",
    "s": "3.2 3.9 v 1.65 5 h .15 3.8 v 1.65 2.6 h 3.3 1.35 v 1.65 0 h 0 1.1",
    "t": "1.1 6.6 l 1.1 1.3 v 2.5 0; 0 5 l 2.4 5",
    "u": "0 5 l 0 1.8 v 1.7 0 h 3.6 2; 3.6 5 l 3.6 0",
    "v": "0 5 l 1.95 0 l 3.9 5",
    "w": "0 5 l 1.4 0 l 2.85 4.8 l 4.3 0 l 5.7 5",
    "x": "0 5 l 3.5 0; 3.5 5 l 0 0",
    "y": "0 5 l 1.95 .1; 3.9 5 l 1 -2",
    "z": "0 5 l 3.4 5 l 0 0 l 3.4 0",
    "0": "0 3.5 v 2.2 7 h 4.4 3.5 v 2.2 0 h 0 3.5",
    "1": "0 5.6 l 1.9 7 l 1.9 0",
    "2": "0 5.2 v 2.1 7 h 4.2 5.1 q 4.2 4.1 3.2 3.1 l 0 0 l 4.4 0",
    "3": ".1 5.5 v 2.1 7 h 4.1 5.35 v 2.1 3.75 l 1.4 3.75; 2.1 3.75 h 4.4 1.85 v 2.1 0 h 0 1.6",
    "4": "3.5 0 l 3.5 7 l 0 1.9 l 4.8 1.9",
    "5": "4 7 l .5 7 l .3 3.8 q 1.1 4.5 2.2 4.5 h 4.4 2.25 v 2.1 0 h 0 1.5",
    "6": "3.6 7 q 0 5.4 0 2.2 v 2.2 0 h 4.4 2.2 v 2.2 4.4 h 0 2.2",
    "7": "0 7 l 4.4 7 l 1.4 0",
    "8": "2.2 3.75 h .25 5.4 v 2.2 7 h 4.15 5.4 v 2.2 3.75 h 0 1.85 v 2.2 0 h 4.4 1.85 v 2.2 3.75",
    "9": ".8 0 q 4.4 1.6 4.4 4.8 v 2.2 7 h 0 4.8 v 2.2 2.6 h 4.4 4.8",
    "!": "0 7 l 0 2.3; 0 .2",
    '"': "0 7 l 0 5.2; 1.7 7 l 1.7 5.2",
    "#": "1.2 0 l 2 7; 3.6 0 l 4.4 7; .3 4.7 l 5.3 4.7; 0 2.3 l 5 2.3",
    "$": "4.5 5.4 v 2.4 7 h .2 5.3 v 2.4 3.65 h 4.7 1.85 v 2.4 0 h 0 1.65; 2.4 8 l 2.4 -1",
    "%": "0 5.5 v 1.2 7 h 2.4 5.5 v 1.2 4 h 0 5.5; 3.7 1.5 v 4.9 3 h 6.1 1.5 v 4.9 0 h 3.7 1.5; 5 7 l 1.1 0",
    "&": "5 0 l 1 4.8 q .6 5.3 .6 5.7 v 1.9 7 h 3.2 5.7 q 3.2 4.8 1.8 4 q 0 3 0 1.8 v 1.9 0 h 4.7 3.2",
    "'": "0 7 l 0 5.2",
    "(": "1.5 8 q 0 6 0 3.25 q 0 .5 1.5 -1.5",
    ")": "0 8 q 1.5 6 1.5 3.25 q 1.5 .5 0 -1.5",
    "*": "1.5 7 l 1.5 4; .2 6.3 l 2.8 4.7; 2.8 6.3 l .2 4.7",
    "+": "0 3 l 4.2 3; 2.1 5.1 l 2.1 .9",
    ",": ".5 .3 l 0 -1.4",
    "-": "0 2.7 l 2.4 2.7",
    ".": "0 .2",
    "/": "0 -.8 l 3 7.6",
    ":": "0 .2; 0 4.4",
    ";": ".5 .3 l 0 -1.4; .4 4.4",
    "<": "3.8 5.3 l 0 3 l 3.8 .7",
    "=": "0 4 l 4.2 4; 0 2 l 4.2 2",
    ">": "0 5.3 l 3.8 3 l 0 .7",
    "?": "0 5.4 v 1.9 7 h 3.8 5.3 q 3.8 4.3 2.8 3.6 q 1.9 3 1.9 2.2; 1.9 .2",
    "@": "4.6 3.1 v 3.3 4.7 h 2 3.1 v 3.3 1.5 h 4.6 3.1; "
    "4.6 4.7 l 4.6 2.3 q 4.6 1.5 5.4 1.5 h 6.6 3.3 v 3.3 6.6 h 0 3 v 3.3 -.6 q 4.4 -.6 5.3 0",
    "[": "1.3 8 l 0 8 l 0 -1.5 l 1.3 -1.5",
    "\\": "0 7.6 l 3 -.8",
    "]": "0 8 l 1.3 8 l 1.3 -1.5 l 0 -1.5",
    "^": "0 4.8 l 1.6 7 l 3.2 4.8",
    "_": "0 -1.2 l 4.4 -1.2",
    "`": "0 7.4 l 1 6.2",
    "{": "1.8 8 h .8 7 l .8 4.2 q .8 3.25 0 3.25 q .8 3.25 .8 2.3 l .8 -.5 v 1.8 -1.5",
    "|": "0 8 l 0 -1.5",
    "}": "0 8 h 1 7 l 1 4.2 q 1 3.25 1.8 3.25 q 1 3.25 1 2.3 l 1 -.5 v 0 -1.5",
    "~": "0 2.6 q .9 4 2.1 3.1 q 3.3 2.2 4.2 3.6",
    "–": "0 2.7 l 3.6 2.7",
    "—": "0 2.7 l 6 2.7",
    "×": ".2 4.7 l 3.6 1.3; 3.6 4.7 l .2 1.3",
    "·": "0 3",
    "°": "0 6 v 1 7 h 2 6 v 1 5 h 0 6",
    "μ": "0 -2 l 0 5; 0 1.8 v 1.7 0 h 3.6 2; 3.6 5 l 3.6 0",
    "ß": "0 0 l 0 5.2 v 1.7 7 h 3.3 5.5 v 1.9 3.9 h 3.9 1.9 v 2.1 0 l 1.5 0",
    "Ø": "0 3.5 v 3 7 h 6 3.5 v 3 0 h 0 3.5; .2 -.4 l 5.8 7.4",
    "ø": "0 2.5 v 1.95 5 h 3.9 2.5 v 1.95 0 h 0 2.5; 0 -.4 l 3.9 5.4",
    "Æ": "3.2 2.3 l 1 2.3; 0 0 l 3.2 7 l 6.6 7; 3.2 7 l 3.2 0 l 6.6 0; 3.2 3.65 l 6.2 3.65",
    "æ": ".3 3.9 v 1.9 5 h 3.5 3.4 l 3.5 1.7; 3.5 2.9 l 1.6 2.9 h 0 1.45 v 1.5 0 h 3.5 1.7; "
    "3.5 2.5 l 6.9 2.5 v 5.2 5 h 3.5 2.5 v 5.3 0 h 6.8 1.1",
    "Ł": "0 7 l 0 0 l 4 0; -.9 2.8 l 1.7 4.4",
    "ł": ".8 7 l .8 1.2 v 1.9 0; 0 3 l 1.8 4.2",
}
_MARKS = {
    "\u0300": "-.8 1.7 l .3 .4",
    "\u0301": ".8 1.7 l -.3 .4",
    "\u0302": "-1 .5 l 0 1.7 l 1 .5",
    "\u0303": "-1.2 .6 q -.5 1.8 0 1.1 q .5 .4 1.2 1.6",
    "\u0304": "-1.1 1 l 1.1 1",
    "\u0308": "-.9 1; .9 1",
    "\u030a": "-.8 1.1 v 0 1.9 h .8 1.1 v 0 .3 h -.8 1.1",
    "\u030b": ".1 1.7 l -.7 .4; 1.3 1.7 l .5 .4",
    "\u030c": "-1 1.7 l 0 .5 l 1 1.7",
    "\u0327": "0 -7 q .8 -7.9 .2 -8.5 l -.5 -8.5",
    "\u0328": ".5 -7 q -.5 -7.9 .3 -8.6 l .9 -8.6",
}
"""Marks above a letter (x from its middle, y from its top) and below it (y from a capital's top)."""

_UNKNOWN = "0 0 l 0 7 l 4 7 l 4 0 l 0 0"

Strokes = tuple[NDArray[np.float64], ...]
"""Polylines, float64 `[point, (x, y)]` each, in units."""


def letters(text: str) -> list[tuple[str, list[str]]]:
    """A text's letters with the marks on each; what the alphabet lacks stays, to be drawn as a box.

    Examples
    --------
    >>> letters("pó")
    [('p', []), ('o', ['\u0301'])]
    """
    found: list[tuple[str, list[str]]] = []
    for given in text:
        for letter in given if given in _LETTERS else _apart(given):
            if letter in _MARKS and found:
                found[-1][1].append(letter)
            else:
                found.append((" " if letter.isspace() else letter, []))
    return found


def _apart(letter: str) -> str:
    """A letter as a plain one and its marks: more than ASCII's letters are rare, and so is what it takes."""
    from unicodedata import normalize

    return normalize("NFKD", letter)


def glyph(letter: str, marks: list[str]) -> tuple[Strokes, float]:
    """A letter's strokes, and how wide it is, in units."""
    if letter == " ":
        return (), SPACE - GAP
    strokes = _polylines(_LETTERS.get(letter, _UNKNOWN))
    left = min(float(stroke[:, 0].min()) for stroke in strokes)
    right = max(float(stroke[:, 0].max()) for stroke in strokes)
    top = max(float(stroke[:, 1].max()) for stroke in strokes)
    for mark in marks:
        above = top if mark not in "\u0327\u0328" else CAPITAL
        strokes += tuple(
            stroke + np.array([(left + right) / 2, above]) for stroke in _polylines(_MARKS[mark])
        )
    return strokes, right


@lru_cache(maxsize=512)
def _polylines(written: str) -> Strokes:
    return tuple(_polyline(stroke.split()) for stroke in written.split(";"))


def _polyline(words: list[str]) -> NDArray[np.float64]:
    points = [np.array([[float(words[0]), float(words[1])]])]
    share = np.linspace(0, 1, _PIECES + 1)[1:, None]
    at = 2
    while at < len(words):
        kind, last = words[at], points[-1][-1]
        count = 4 if kind == "q" else 2
        numbers = np.array([float(word) for word in words[at + 1 : at + 1 + count]])
        end = numbers[-2:]
        if kind == "l":
            points.append(end[None])
        elif kind == "q":
            control = numbers[:2]
            points.append((1 - share) ** 2 * last + 2 * share * (1 - share) * control + share**2 * end)
        else:
            sine, cosine = np.sin(share * np.pi / 2), 1 - np.cos(share * np.pi / 2)
            along = np.hstack([sine, cosine] if kind == "h" else [cosine, sine])
            points.append(last + along * (end - last))
        at += 1 + count
    return np.concatenate(points)
