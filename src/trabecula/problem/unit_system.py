"""Units that a problem file and its results speak: SI, or millimetres with MPa; inside, everything is SI.

Both differ by powers of ten alone, and a number changes its unit by moving its decimal point: `60` in mm is
the same floating-point number as `0.06` in m, to the bit, and what was read is written back as it stood.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

KINDS = {
    "length": "m",
    "area": "m2",
    "volume": "m3",
    "force": "N",
    "moment": "N m",
    "stress": "Pa",
    "stress gradient": "Pa/m",
    "energy": "J",
    "mass": "kg",
    "density": "kg/m3",
    "acceleration": "m/s2",
    "spring": "N/m",
    "power": "W",
    "temperature": "K",
    "conductivity": "W/(m K)",
    "thermal compliance": "W K",
}
"""Kinds of figures and their SI units."""

_SPOKEN = {"m": "metres", "mm": "millimetres"}
_NEIGHBOURS = 2  # floating-point numbers on either side that are tried when a number is written


@dataclass(frozen=True)
class UnitSystem:
    """Names of units, and what they are in SI.

    Every method takes a kind of `KINDS` ("length") or an SI unit ("m"); units it does not know stay as they
    are, with the factor one.

    Attributes
    ----------
    name
        As in the problem file: "SI" or "mm".
    others
        SI units that it replaces: to the name of its own unit, and how many powers of ten of that one is one
        of SI.
    """

    name: str
    others: Mapping[str, tuple[str, int]] = field(default_factory=dict, repr=False)

    def unit(self, kind: str) -> str:
        """The name of the unit: "mm" for a length.

        Examples
        --------
        >>> MILLIMETRES.unit("stress"), SI.unit("stress")
        ('MPa', 'Pa')
        """
        unit = KINDS.get(kind, kind)
        return self.others.get(unit, (unit, 0))[0]

    def spoken(self, kind: str) -> str:
        """The unit in a sentence: "metres", "millimetres", "MPa"."""
        unit = self.unit(kind)
        return _SPOKEN.get(unit, unit)

    def factor(self, kind: str) -> float:
        """How many of its units one of SI is: 1000 for a length in mm."""
        return float(10.0 ** self._power(kind))

    def to_si(self, value: float, kind: str) -> float:
        """A number of these units in SI.

        Examples
        --------
        >>> MILLIMETRES.to_si(60, "length"), MILLIMETRES.to_si(0.1, "m")
        (0.06, 0.0001)
        """
        return _move_point(value, -self._power(kind))

    def from_si(self, value: float, kind: str) -> float:
        """A number of SI in these units: the one that `to_si` gives back as it was, where there is one.

        Examples
        --------
        >>> MILLIMETRES.from_si(210e9, "stress"), MILLIMETRES.from_si(0.0123, "length")
        (210000.0, 12.3)
        """
        power = self._power(kind)
        first = _move_point(value, power)
        if not power or not math.isfinite(first):
            return first
        low = high = first
        candidates = [first]
        for _ in range(_NEIGHBOURS):
            low, high = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
            candidates += [low, high]
        return next((one for one in candidates if _move_point(one, -power) == value), first)

    def show(self, value: float, kind: str) -> str:
        """An SI number for people, in these units and without the unit's name: six digits."""
        return f"{self.from_si(value, kind):g}"

    def tell(self, value: float, kind: str) -> str:
        """An SI number for people, with its unit: "60 mm"."""
        return f"{self.show(value, kind)} {self.unit(kind)}".rstrip()

    def tell_spans(self, low: Iterable[float], high: Iterable[float]) -> str:
        """Where a box lies, from its corners in metres: "x 0..60, y -5..5 mm" (without the unit in SI)."""
        spans = ", ".join(
            f"{axis} {self.show(a, 'm')}..{self.show(b, 'm')}"
            for axis, a, b in zip("xyz", low, high, strict=False)
        )
        return spans if self.name == "SI" else f"{spans} {self.unit('m')}"

    def _power(self, kind: str) -> int:
        unit = KINDS.get(kind, kind)
        return self.others.get(unit, (unit, 0))[1]


SI = UnitSystem("SI")
"""Metres, newtons, pascals, joules."""

MILLIMETRES = UnitSystem(
    "mm",
    {
        "m": ("mm", 3),
        "m2": ("mm2", 6),
        "m3": ("mm3", 9),
        "N m": ("N mm", 3),
        "Pa": ("MPa", -6),
        "Pa/m": ("MPa/mm", -9),
        "J": ("N mm", 3),
    },
)
"""Millimetres and MPa with newtons; energies and moments in N mm; all else as in SI."""

UNIT_SYSTEMS = {system.name: system for system in (SI, MILLIMETRES)}
"""What `units` of a problem file can say."""


def _move_point(value: float, power: int) -> float:
    """A number times a power of ten, rounded once from its shortest decimal form."""
    value = float(value)
    if not power or not math.isfinite(value):
        return value
    return float(Decimal(repr(value)).scaleb(power))
