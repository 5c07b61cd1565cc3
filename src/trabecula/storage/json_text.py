"""JSON read strictly: limits on size, depth, digits and number of values, nothing given twice, no NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from trabecula.storage.opening import (
    UnreadableError,
    explaining,
    read_text,
    shorten,
)

DEEPEST = 32
"""Levels of lists and objects at most."""

DIGITS = 40
"""Digits of an integer at most: a seed of 128 bits has 39."""

VALUES = 200_000
"""Values in a file at most."""


def read_json(path: Path, limit: int, values: int = VALUES, infinite: bool = False) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Parameters
    ----------
    path
        The file.
    limit
        Bytes it may have at most.
    values
        Values (numbers, texts, lists, objects) it may hold at most, as far as commas and brackets tell.
    infinite
        Whether `Infinity`, `-Infinity` and `NaN`, which are no JSON, are taken as numbers.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, too large, no JSON, or something else than an object.
    """
    tree = parse_json(read_text(path, limit), path, values, infinite)
    if not isinstance(tree, dict):
        raise UnreadableError(path, "is not one JSON object")
    return tree


def parse_json(text: str, path: Path, values: int = VALUES, infinite: bool = False) -> object:
    """The value of a JSON text; `path` is where it comes from, the rest is as in `read_json`.

    Raises
    ------
    UnreadableError
        The text is no JSON, nested too deep, or holds a key twice, a number that is none or has too many
        digits, too many values, or half a character.
    """
    if text.count(",") + text.count("[") + text.count("{") > values:
        raise UnreadableError(path, f"holds more than {values} values, which no file of this kind does")

    def refuse(reason: str) -> NoReturn:
        raise UnreadableError(path, f"is not JSON as it should be: {reason}")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        tree = dict(items)
        if len(tree) != len(items):
            keys = [key for key, _ in items]
            refuse(f"key {shorten(next(key for key in keys if keys.count(key) > 1))} is given twice")
        return tree

    def integer(word: str) -> int:
        if len(word) > DIGITS:
            refuse(f"an integer of {len(word)} digits; at most {DIGITS} are read")
        return int(word)

    def real(word: str) -> float:
        value = float(word)
        if not math.isfinite(value):
            refuse(f"{shorten(word)} is too large for a number")
        return value

    def constant(word: str) -> float:
        if not infinite:
            refuse(f"{word} is no number")
        return float(word)

    with explaining(path, "JSON"):
        tree: object = json.loads(
            text, object_pairs_hook=pairs, parse_int=integer, parse_float=real, parse_constant=constant
        )
        if _depth_or_text(tree) is None:
            refuse(f"nested deeper than {DEEPEST} levels")
    return tree


def _depth_or_text(tree: object) -> int | None:
    """Levels of a tree, None where there are too many; raises where a text holds half a character."""
    level: list[object] = [tree]
    for depth in range(DEEPEST + 2):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and not item.isascii():
                item.encode()  # a lone surrogate raises: it could be neither shown nor written
        if not below:
            return depth
        level = below
    return None


class CheckedRecord:
    """The fields of one JSON object, taken with the kinds they must have.

    Parameters
    ----------
    path
        Where it comes from, for messages.
    values
        The object; anything else is refused.
    """

    def __init__(self, path: Path, values: object) -> None:
        if not isinstance(values, dict):
            raise UnreadableError(path, f"holds {shorten(values)} where an object belongs")
        self.path = path
        self.values: Mapping[str, Any] = values

    def only(self, *names: str) -> None:
        """Refuse fields that are not named, and named ones that are missing."""
        if set(self.values) != set(names):
            odd = sorted(set(self.values) ^ set(names))[0]
            what = "does not hold" if odd in names else "holds"
            raise UnreadableError(self.path, f"{what} {shorten(odd)}; it must hold {', '.join(names)}")

    def take(self, name: str, *kinds: type) -> Any:
        """A field of one of these kinds; True and False are no numbers."""
        value = self.values.get(name)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
            raise UnreadableError(self.path, f"{shorten(name)} is {shorten(value)} where {wanted} belongs")
        return value

    def text(self, name: str, longest: int = 1000) -> str:
        """A text of at most so many characters."""
        value: str = self.take(name, str)
        if len(value) > longest:
            raise UnreadableError(self.path, f"{shorten(name)} has {len(value)} characters, not {longest}")
        return value

    def whole(self, name: str, least: int = 0, most: int = 2**53) -> int:
        """An integer between two others."""
        value: int = self.take(name, int)
        if not least <= value <= most:
            raise UnreadableError(self.path, f"{shorten(name)} is {value}; it must be {least} to {most}")
        return value

    def real(self, name: str, least: float = -math.inf, most: float = math.inf) -> float:
        """A number between two others, itself finite."""
        value = float(self.take(name, int, float))
        if not (math.isfinite(value) and least <= value <= most):
            raise UnreadableError(self.path, f"{shorten(name)} is {value}; it must be {least} to {most}")
        return value
