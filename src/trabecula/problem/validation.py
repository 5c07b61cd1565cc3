"""Typed reading of a tree of plain values, where every refusal names the key, the value, what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real

from trabecula.problem.errors import ProblemError
from trabecula.problem.hints import key_hint, list_hint
from trabecula.problem.unit_system import SI, UnitSystem
from trabecula.problem.vocabulary import advise, suggest

MAX_LIST = 100_000
LARGEST = 1e30  # beyond it, squares and energies leave the range of double precision


@dataclass(frozen=True)
class At:
    """A value, the key it stands under (`loads[0].where`), and the units that its numbers are in."""

    path: str
    value: object
    units: UnitSystem = SI

    def refuse(self, allowed: str, mend: str = "", given: str | None = None) -> ProblemError:
        """The error that says what is wrong here; `allowed` goes on from "needs"."""
        given = f"got {show(self.value)}" if given is None else given
        return ProblemError(self.path or "the file", given, f"needs {allowed}", mend)

    def mapping(
        self, allowed: Sequence[str], required: Sequence[str] = (), empty: bool = False
    ) -> dict[str, At]:
        """The entries of a mapping, unknown and missing keys refused; `empty`: null counts as left out."""
        if not isinstance(self.value, Mapping):
            mend = "leave it out where nothing is meant" if self.value is None and not required else ""
            raise self.refuse(f"a mapping with keys {', '.join(allowed)}", mend)
        for key in self.value:
            if key not in allowed:
                near, means = advise(str(key), allowed, self.path)
                known, slip = f"known here: {', '.join(allowed)}", key_hint(str(key))
                raise ProblemError(
                    self._below(str(key)), "unknown key", means if means and not slip else known, slip or near
                )
        entries = {
            k: At(self._below(k), v, self.units) for k, v in self.value.items() if not (empty and v is None)
        }
        for key in required:
            if key not in entries:
                raise ProblemError(
                    self._below(key),
                    "missing",
                    f"{self.path or 'a problem'} needs {', '.join(required)}",
                    "write `trabecula: 1`, the format version" if key == "trabecula" else "",
                )
        return entries

    def items(self, most: int = MAX_LIST, what: str = "a list", of_mappings: bool = False) -> list[At]:
        """The items of a list; `of_mappings` says that they are mappings, for what a refusal says."""
        if isinstance(self.value, (str, bytes, Mapping)) or not isinstance(self.value, Sequence):
            raise self.refuse(what, list_hint(self.value, of_mappings))
        if len(self.value) > most:
            raise self.refuse(f"at most {most} items", given=f"got {len(self.value)} items")
        return [At(f"{self.path}[{i}]", value, self.units) for i, value in enumerate(self.value)]

    def number(
        self,
        above: float | None = None,
        least: float | None = None,
        below: float | None = None,
        most: float | None = None,
        what: str = "a number",
        unit: str = "",
    ) -> float:
        """A finite number within bounds (`above` and `below` excluded, `least` and `most` included).

        With a `unit` of SI the number is in the file's unit for it; bounds and what is returned are in SI.
        """
        if unit:
            what = f"{what} in {self.units.spoken(unit)}"
        if isinstance(self.value, bool) or not isinstance(self.value, Real):
            raise self.refuse(what, number_hint(self.value, self.units, unit))
        given = _finite(self.value)
        if given is None:
            raise self.refuse(f"{what}, finite and not beyond {LARGEST:g}")
        number = self.units.to_si(given, unit)
        if 0.0 < abs(number) < 1.0 / LARGEST:
            raise self.refuse(f"{what}: 0 or at least {self.units.show(1.0 / LARGEST, unit)} in size")
        bounds = {"above": above, "at least": least, "below": below, "at most": most}
        said = [
            f"{word} {self.units.show(bound, unit)}" for word, bound in bounds.items() if bound is not None
        ]
        if (
            (above is not None and number <= above)
            or (least is not None and number < least)
            or (below is not None and number >= below)
            or (most is not None and number > most)
        ):
            raise self.refuse(f"{what} {' and '.join(said)}")
        return number

    def whole(self, least: int, most: int, what: str = "a whole number") -> int:
        """A whole number within bounds; `40.0` and `4e1` count as whole."""
        number = self.number(what=what)
        if not number.is_integer():
            raise self.refuse(what)
        whole = int(number)
        if not least <= whole <= most:
            raise self.refuse(what if least == most else f"{what} from {least} to {most}")
        return whole

    def numbers(self, count: int, what: str = "numbers", unit: str = "") -> tuple[float, ...]:
        """A list of `count` finite numbers; `unit` as for `number`."""
        allowed = f"{count} {what}{f' in {self.units.spoken(unit)}' if unit else ''}"
        items = self.items(what=f"a list of {allowed}")
        if len(items) != count:
            raise self.refuse(f"a list of {allowed}")
        return tuple(item.number(unit=unit) for item in items)

    def choice(self, allowed: Sequence[str]) -> str:
        """One of a few words."""
        if not isinstance(self.value, str) or self.value not in allowed:
            raise self.refuse(f"one of {', '.join(allowed)}", suggest(str(self.value), allowed, self.path))
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


def words_of(at: At, what: str, words: Sequence[str], most: int = 3) -> list[At]:
    """The items of a list of words; of a single word the refusal says how it is written."""
    if isinstance(at.value, str):
        found = [letter for letter in re.split(r"[\s,;]+|(?<=[xyz])(?=[xyz])", at.value) if letter]
        mend = f"write [{', '.join(found)}]" if found and set(found) <= set(words) else ""
        raise at.refuse(what, mend)
    return at.items(most, what)


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


def either(words: Sequence[str]) -> str:
    """Words as alternatives: "force, pressure or gravity"."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


_SIGNS = str.maketrans("\u2212\u2013\u2014\ufe63\uff0d", "-----")
"""Dashes that word processors make of a minus."""

_WITH_UNIT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\W\d].{0,11})\s*\Z")


def number_hint(value: object, units: UnitSystem, unit: str) -> str:
    """What to write in place of a text that should be a number."""
    if not isinstance(value, str):
        return ""
    if value.lower().lstrip("+-.") in ("nan", "inf", "infinity"):
        return "it must be finite"
    plain = value.strip().translate(_SIGNS)
    try:
        number = float(plain)
    except ValueError:
        found = _WITH_UNIT.match(plain)
        if found is None:
            return ""
        return f"write it without unit{write_without(found[1], found[2], units, unit)}"
    return "take off the quotes" if plain == value and "_" not in value else f"write {number:.12g}"


def write_without(number: str, given: str, units: UnitSystem, unit: str) -> str:
    """What a number with a unit is in the file's units, where both are known: ", 0.1 for 100 mm"."""
    place = _MEASURES.get(given.strip())
    if place is None or place[0] != unit:
        rest = "this file is in millimetres, newtons and MPa" if units.name == "mm" else "numbers are in SI"
        return f"; {rest}{', or `units: mm`' if units.name == 'SI' else ''}"
    value = units.from_si(float(Decimal(number).scaleb(place[1])), unit)
    also = " (or say `units: mm`)" if given.strip() in ("mm", "MPa") and units.name == "SI" else ""
    return f": {value:.12g}{also}"


_MEASURES = {
    "m": ("m", 0),
    "mm": ("m", -3),
    "cm": ("m", -2),
    "um": ("m", -6),
    "µm": ("m", -6),
    "N": ("N", 0),
    "kN": ("N", 3),
    "MN": ("N", 6),
    "Pa": ("Pa", 0),
    "kPa": ("Pa", 3),
    "MPa": ("Pa", 6),
    "N/mm2": ("Pa", 6),
    "N/mm^2": ("Pa", 6),
    "GPa": ("Pa", 9),
    "bar": ("Pa", 5),
    "J": ("J", 0),
    "mJ": ("J", -3),
    "kJ": ("J", 3),
    "W": ("W", 0),
    "mW": ("W", -3),
    "kW": ("W", 3),
    "m/s2": ("m/s2", 0),
    "m/s^2": ("m/s2", 0),
    "kg/m3": ("kg/m3", 0),
    "kg/m^3": ("kg/m3", 0),
    "g/cm3": ("kg/m3", 3),
    "g/cm^3": ("kg/m3", 3),
}
"""Units that people write behind numbers: the SI unit, and the power of ten that they are of it."""
