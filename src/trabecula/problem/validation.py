"""Typed reading of a tree of plain values, where every refusal names the key, the value, what is allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from trabecula.problem.errors import ProblemError

MAX_LIST = 100_000
LARGEST = 1e30  # beyond it, squares and energies leave the range of double precision


@dataclass(frozen=True)
class At:
    """A value and the key it stands under (`loads[0].where`)."""

    path: str
    value: object

    def refuse(self, allowed: str, mend: str = "", given: str | None = None) -> ProblemError:
        """The error that says what is wrong here; `allowed` goes on from "needs"."""
        given = f"got {show(self.value)}" if given is None else given
        return ProblemError(self.path or "the file", given, f"needs {allowed}", mend)

    def mapping(
        self, allowed: Sequence[str], required: Sequence[str] = (), empty: bool = False
    ) -> dict[str, At]:
        """The entries of a mapping, unknown and missing keys refused; `empty`: null counts as left out."""
        if not isinstance(self.value, Mapping):
            raise self.refuse(f"a mapping with keys {', '.join(allowed)}")
        for key in self.value:
            if key not in allowed:
                raise ProblemError(
                    self._below(str(key)),
                    "unknown key",
                    f"known here: {', '.join(allowed)}",
                    nearest(str(key), allowed),
                )
        entries = {k: At(self._below(k), v) for k, v in self.value.items() if not (empty and v is None)}
        for key in required:
            if key not in entries:
                raise ProblemError(
                    self._below(key), "missing", f"{self.path or 'a problem'} needs {', '.join(required)}"
                )
        return entries

    def items(self, most: int = MAX_LIST, what: str = "a list") -> list[At]:
        """The items of a list."""
        if isinstance(self.value, (str, bytes, Mapping)) or not isinstance(self.value, Sequence):
            raise self.refuse(what)
        if len(self.value) > most:
            raise self.refuse(f"at most {most} items", given=f"got {len(self.value)} items")
        return [At(f"{self.path}[{i}]", value) for i, value in enumerate(self.value)]

    def number(
        self,
        above: float | None = None,
        least: float | None = None,
        below: float | None = None,
        most: float | None = None,
        what: str = "a number",
    ) -> float:
        """A finite number within bounds (`above` and `below` excluded, `least` and `most` included)."""
        if isinstance(self.value, bool) or not isinstance(self.value, Real):
            raise self.refuse(what, _number_hint(self.value))
        number = _finite(self.value)
        if number is None:
            raise self.refuse(f"{what}, finite and not beyond {LARGEST:g}")
        if 0.0 < abs(number) < 1.0 / LARGEST:
            raise self.refuse(f"{what}: 0 or at least {1.0 / LARGEST:g} in size")
        said = [
            f"above {above:g}" if above is not None else "",
            f"at least {least:g}" if least is not None else "",
            f"below {below:g}" if below is not None else "",
            f"at most {most:g}" if most is not None else "",
        ]
        if (
            (above is not None and number <= above)
            or (least is not None and number < least)
            or (below is not None and number >= below)
            or (most is not None and number > most)
        ):
            raise self.refuse(f"{what} {' and '.join(filter(None, said))}")
        return number

    def whole(self, least: int, most: int, what: str = "a whole number") -> int:
        """A whole number within bounds; `40.0` and `4e1` count as whole."""
        number = self.number(what=what)
        if not number.is_integer():
            raise self.refuse(what)
        whole = int(number)
        if not least <= whole <= most:
            raise self.refuse(f"{what} from {least} to {most}")
        return whole

    def numbers(self, count: int, what: str = "numbers") -> tuple[float, ...]:
        """A list of `count` finite numbers."""
        allowed = f"{count} {what}"
        items = self.items(what=f"a list of {allowed}")
        if len(items) != count:
            raise self.refuse(f"a list of {allowed}")
        return tuple(item.number() for item in items)

    def choice(self, allowed: Sequence[str]) -> str:
        """One of a few words."""
        if not isinstance(self.value, str) or self.value not in allowed:
            raise self.refuse(f"one of {', '.join(allowed)}", nearest(str(self.value), allowed))
        return self.value

    def flag(self) -> bool:
        """True or false, and nothing that only looks like it."""
        if not isinstance(self.value, bool):
            hint = {"no": "write false", "off": "write false", "yes": "write true", "on": "write true"}
            word = str(self.value).lower()
            raise self.refuse("true or false", hint.get(word, ""))
        return self.value

    def text(self, most: int = 200, what: str = "text") -> str:
        """A line of printable text."""
        if not isinstance(self.value, str):
            raise self.refuse(what, "put it in quotes" if self.value is not None else "")
        if not self.value.strip() or len(self.value) > most or not self.value.isprintable():
            raise self.refuse(f"{what}: one printable line of 1 to {most} characters")
        return self.value

    def _below(self, key: str) -> str:
        key = key if key.isprintable() and len(key) <= 60 else repr(key[:60])
        return f"{self.path}.{key}" if self.path else key


def show(value: object, depth: int = 0) -> str:
    """A value as it would stand in the file, shortened."""
    if depth > 3:
        return "..."
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number beyond all bounds"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {show(item, depth + 1)}" for key, item in list(value.items())[:4])
        said = "{" + inner + (", ..." if len(value) > 4 else "") + "}"
    elif isinstance(value, (list, tuple)):
        said = (
            "["
            + ", ".join(show(item, depth + 1) for item in value[:6])
            + (", ..." if len(value) > 6 else "")
            + "]"
        )
    else:
        said = f"{value:g}" if isinstance(value, float) else repr(value)
    return said if len(said) <= 80 else said[:77] + "..."


def _finite(value: Real) -> float | None:
    """The number, unless it is NaN, infinite or beyond all use (or a whole number too long for a float)."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) <= LARGEST else None


def nearest(word: str, allowed: Sequence[str]) -> str:
    """The hint at the known word that was probably meant, or nothing."""
    near = difflib.get_close_matches(word[:40], allowed, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else ""


def either(words: Sequence[str]) -> str:
    """Words as alternatives: "force, pressure or gravity"."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _number_hint(value: object) -> str:
    if not isinstance(value, str):
        return ""
    if value.lower().lstrip("+-.") in ("nan", "inf", "infinity"):
        return "it must be finite"
    try:
        float(value)
    except ValueError:
        return "write it without unit; all units are SI" if value[:1].isdigit() else ""
    return "take off the quotes"
