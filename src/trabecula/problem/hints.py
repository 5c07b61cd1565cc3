"""What to write in place of a value of another kind than is wanted, where it is plain what is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

AXES = ("x", "y", "z")

SIDES = {
    "left": (0, 0),
    "right": (0, 1),
    "bottom": (1, 0),
    "below": (1, 0),
    "down": (1, 0),
    "lower": (1, 0),
    "top": (1, 1),
    "above": (1, 1),
    "up": (1, 1),
    "upper": (1, 1),
    "back": (2, 0),
    "rear": (2, 0),
    "behind": (2, 0),
    "front": (2, 1),
}
"""Names of the sides of a box: the axis, and whether it is the upper end of it (z points towards you)."""

_LOWEST, _HIGHEST = ("min", "start", "begin", "low"), ("max", "end", "high")
_MIDDLE = ("mid", "middle", "center", "centre")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBERS = re.compile(rf"\s*[\[(]?\s*({_NUMBER}(?:\s*[x*×,;\s]\s*{_NUMBER})*)\s*[\])]?\s*\Z")


def list_hint(value: object, of_mappings: bool = False) -> str:
    """What to write where a list belongs; empty where it is not plain.

    Parameters
    ----------
    value
        What was given.
    of_mappings
        Whether the list's items are mappings, as loads are.

    Examples
    --------
    >>> list_hint("20x10"), list_hint({"x": 2, "y": 1})
    ('write [20, 10]', 'write [2, 1]')
    >>> list_hint({"where": {"x": 0}}, of_mappings=True)
    'put `- ` before it, or brackets around it: it is a list of one'
    """
    if of_mappings:
        return "put `- ` before it, or brackets around it: it is a list of one" if _is_entry(value) else ""
    if isinstance(value, Mapping):
        numbers = _by_axis(value)
        return f"write {_list(numbers)}" if numbers else ""
    if isinstance(value, str):
        found = _NUMBERS.match(value)
        parts = re.findall(_NUMBER, found[1]) if found else []
        return f"write {_list(parts)}" if len(parts) > 1 else ""
    return ""


def vector_hint(value: object, count: int) -> str:
    """What to write where a vector belongs.

    Examples
    --------
    >>> vector_hint({"y": -5}, 2), vector_hint([[0, -5]], 2), vector_hint([0, -5, 0], 2)
    ('write [0, -5]', 'write [0, -5]', 'write [0, -5]')
    >>> vector_hint([0, -5], 3), vector_hint(-5, 3)
    ('write [0, -5, 0]', 'write [0, -5, 0] if it points along y')
    """
    if isinstance(value, list | tuple):
        given = list(value)
        if len(given) == 1 and isinstance(given[0], list | tuple):
            return vector_hint(given[0], count) or f"write {_list(given[0])}"
        if not all(_is_number(one) for one in given):
            return ""
        if len(given) == count:
            return f"write {_list(given)}"
        if len(given) == count - 1:
            return f"write {_list([*given, 0])}"
        if len(given) == count + 1 and given[-1] == 0:
            return f"write {_list(given[:-1])}"
        return ""
    if isinstance(value, Mapping):
        return f"write {_list(_by_axis(value, count))}" if _by_axis(value, count) else ""
    if _is_number(value):
        return f"write {_list([0, value, 0][:count])} if it points along y"
    return list_hint(value)


def side_hint(value: object, low: Sequence[float], high: Sequence[float]) -> str:
    """The selector that a word for a side of the domain means.

    Parameters
    ----------
    value
        A word, as "right", or a pair or triple of co-ordinates.
    low, high
        The corners of the domain, in the file's units.

    Examples
    --------
    >>> side_hint("top", (0, 0), (6, 1)), side_hint([6, 0], (0, 0), (6, 1))
    ('write {y: 1}', 'write {nodes: [[6, 0]]}')
    """
    if isinstance(value, str):
        found = [SIDES[word] for word in re.split(r"[\s_-]+", value.lower()) if word in SIDES]
        known = [(axis, end) for axis, end in found if axis < len(low)]
        planes = ", ".join(f"{AXES[axis]}: {(low, high)[end][axis]:g}" for axis, end in known)
        return f"write {{{planes}}}" if planes else ""
    is_point = isinstance(value, list | tuple) and len(value) == len(low) and all(map(_is_number, value))
    if is_point:
        return f"write {{nodes: [{_list(value)}]}}"  # type: ignore[arg-type]
    return ""


def place_hint(value: object, low: float, high: float) -> str:
    """The co-ordinate that a word or a percentage for a place along an axis means.

    Examples
    --------
    >>> place_hint("max", 0, 6), place_hint("50%", 0, 6), place_hint("somewhere", 0, 6)
    ('write 6', 'write 3', '')
    """
    if not isinstance(value, str):
        return ""
    word = value.strip().lower()
    percent = re.fullmatch(rf"({_NUMBER})\s*%", word)
    if percent:
        return f"write {low + (high - low) * float(percent[1]) / 100:g}"
    if word in _LOWEST or (word in SIDES and not SIDES[word][1]):
        return f"write {low:g}"
    if word in _HIGHEST or word in SIDES:
        return f"write {high:g}"
    return f"write {(low + high) / 2:g}" if word in _MIDDLE else ""


def key_hint(key: str) -> str:
    """What is amiss with a key that the rules of YAML have made of something else.

    Examples
    --------
    >>> key_hint("x:2"), key_hint("4")
    ('put a blank after the colon: `x: 2`', 'write a point in decimal numbers: a comma separates entries')
    """
    name, colon, value = re.sub("[：﹕]", ":", key).partition(":")
    if colon and re.fullmatch(r"[A-Za-z_]+", name.strip()):
        return f"put a blank after the colon: `{name.strip()}: {value.strip() or '...'}`"
    if key.strip().isdecimal():
        return "write a point in decimal numbers: a comma separates entries"
    if key == "<<":
        return "write its keys out: nothing is merged"
    return ""


def fix_hint(value: object, axes: Sequence[str]) -> str:
    """What a word for a kind of support holds.

    Examples
    --------
    >>> fix_hint("roller", "xy"), fix_hint("ux", "xy"), fix_hint(2, "xy")
    ('write [y] if it rolls along x', 'write x', 'write y')
    """
    if value is True:
        return "write `fix: all`"
    if isinstance(value, int) and 1 <= value <= len(axes):
        return f"write {axes[value - 1]}"
    if not isinstance(value, str):
        return ""
    word = value.strip().lower().replace("-", "_")
    if word in ("roller", "slide", "sliding", "rolling"):
        return "write [y] if it rolls along x"
    if word in ("pin", "pinned", "hinge", "hinged", "clamped", "clamp", "fixed", "encastre", "rigid", "both"):
        return "write `fix: all`"
    letter = word.removeprefix("u").removeprefix("d").removeprefix("_").removeprefix("t")
    return f"write {letter}" if letter in tuple(axes) and letter != word else ""


def _is_entry(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_axis(value: Mapping[object, object], count: int = 0) -> list[object]:
    """The values of a mapping of axes in their order, zero for what is missing of the first `count`."""
    if not value or not set(value) <= set(AXES) or not all(map(_is_number, value.values())):
        return []
    last = max(AXES.index(str(key)) for key in value) + 1
    if count and last > count:
        return []
    return [value.get(axis, 0) for axis in AXES[: max(last, count)]]


def _list(values: Sequence[object]) -> str:
    return f"[{', '.join(f'{one:g}' if isinstance(one, float) else str(one) for one in values)}]"
