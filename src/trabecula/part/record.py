"""The part as it is kept: its voxels, and figures that mean the same in Python, in JSON and in a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.storage.opening import shorten

Place = tuple[float, ...]
"""Co-ordinates x, y(, z) in metres."""


@dataclass(frozen=True)
class Peak:
    """The largest value of a field, and where it is (None where elements have no places)."""

    largest: float
    at: Place | None = None

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {"largest": _finite(self.largest), "at": None if self.at is None else list(self.at)}


@dataclass(frozen=True)
class PartCase:
    """What the part does in one load case; None for what does not apply to its physics.

    Attributes
    ----------
    name
        Of the load case.
    displacement
        Largest length of a displacement over the nodes of the part, m.
    temperature
        Largest temperature over the nodes of the part, above that of the supports, K.
    stress
        Largest von Mises stress over the centres of the part's voxels, Pa.
    safety
        The material's yield strength divided by `stress`; None where no yield strength is known.
    reactions
        Forces of the supports, one `(x, y(, z))` per support in the problem's order and then per hole whose
        bolt holds the part, N (heat that leaves is negative, W). With all loads and the own weight they are
        in balance. What two supports hold counts for the first.
    loaded
        Share of the case's load that ends on the part; None where the load acts on the whole domain.
    """

    name: str
    displacement: Peak | None
    temperature: Peak | None
    stress: Peak | None
    safety: float | None
    reactions: tuple[tuple[float, ...], ...]
    loaded: float | None

    def to_json(self) -> dict[str, object]:
        """As a mapping; the temperature only where there is one."""
        stress = None if self.stress is None else self.stress.to_json() | {"safety": _finite(self.safety)}
        values: dict[str, object] = {
            "name": self.name,
            "displacement": None if self.displacement is None else self.displacement.to_json(),
            "stress": stress,
            "reactions": [[_finite(value) for value in each] for each in self.reactions],
            "loaded": _finite(self.loaded),
        }
        return values if self.temperature is None else values | {"temperature": self.temperature.to_json()}


@dataclass(frozen=True)
class PartLimit:
    """A limit of the problem and the part's value of what is limited, in the quantity's unit."""

    name: str
    limit: float
    value: float
    met: bool

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {key: _finite(value) for key, value in vars(self).items()}


@dataclass(frozen=True, eq=False)
class Part:
    """The finished part of a design: what it is, and what it does by a solve of its own.

    Attributes
    ----------
    mask
        bool `[z, y, x]` or `[y, x]`: the voxels that are material.
    threshold
        Density that separates what was kept from what was not, before load paths were looked at.
    volume
        Used fraction of the domain that is not passive void.
    mass
        kg.
    compliance
        Weighted sum over the load cases of `f.u`, J (W K for heat).
    pieces
        How many there are; voxels belong together where they share a face (an edge in 2-D).
    removed
        Share of the thresholded material that belonged to no load path and was taken off.
    cavities
        Closed pockets of void; None in 2-D, where every hole goes through.
    loaded
        Smallest share, over the load cases, of the load that ends on the part, by the size of nodal forces;
        None where all loads act on the whole domain, as heat that is made everywhere.
    held
        Whether it touches a support.
    free_supports
        Numbers, counted from 1 and in the order of `reactions`, of the supports that it does not touch.
    minimum_member, maximum_member
        Thickness of the thinnest member, and diameter of the largest ball within the part, m.
    minimum_gap
        Width of the narrowest gap between material, m; None where there is none. A hollow that is open on one
        side and wider than deep is none.
    overhang
        Share of the area facing down, built along z (in 2-D along y), that is flatter than 45 degrees and
        does not stand on the build plate.
    resolution
        Longest edge of a voxel, m: no length of a member or gap is known better. None, as are the four
        before, on grids that are no boxes of voxels and in results of versions that did not measure them.
    cases, limits
        One per load case, and one per limit of the problem.
    """

    mask: NDArray[np.bool_]
    threshold: float
    volume: float
    mass: float
    compliance: float
    pieces: int
    removed: float
    cavities: int | None
    loaded: float | None
    held: bool
    cases: tuple[PartCase, ...]
    limits: tuple[PartLimit, ...]
    free_supports: tuple[int, ...] = ()
    minimum_member: float | None = None
    minimum_gap: float | None = None
    maximum_member: float | None = None
    overhang: float | None = None
    resolution: float | None = None

    def to_json(self) -> dict[str, object]:
        """Everything but the voxels as a JSON object; infinite and undefined numbers become None."""
        return {
            "threshold": _finite(self.threshold),
            "volume": _finite(self.volume),
            "mass": _finite(self.mass),
            "compliance": _finite(self.compliance),
            "pieces": self.pieces,
            "removed": _finite(self.removed),
            "cavities": self.cavities,
            "loaded": _finite(self.loaded),
            "held": self.held,
            "free_supports": list(self.free_supports),
            "minimum_member": _finite(self.minimum_member),
            "minimum_gap": _finite(self.minimum_gap),
            "maximum_member": _finite(self.maximum_member),
            "overhang": _finite(self.overhang),
            "resolution": _finite(self.resolution),
            "cases": [case.to_json() for case in self.cases],
            "limits": [limit.to_json() for limit in self.limits],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], mask: NDArray[np.bool_]) -> Part:
        """The inverse of `to_json`, which trusts nothing that it is given.

        Raises
        ------
        ValueError
            If a field is missing, unknown, or not of its kind.
        """
        if isinstance(values, Mapping) and not set(_LATER) & set(values):
            values = {**values, **dict.fromkeys(_LATER)}
        read = _Reader("part", values, {*_KEYS, *_LATER})
        return cls(
            mask=mask,
            threshold=read.real("threshold"),
            volume=read.real("volume"),
            mass=read.real("mass"),
            compliance=read.real("compliance"),
            pieces=read.count("pieces"),
            removed=read.real("removed"),
            cavities=None if values["cavities"] is None else read.count("cavities"),
            loaded=read.maybe("loaded"),
            held=read.truth("held"),
            cases=tuple(_case(f"cases[{i}]", each) for i, each in enumerate(read.items("cases"))),
            limits=tuple(_limit(f"limits[{i}]", each) for i, each in enumerate(read.items("limits"))),
            free_supports=tuple(_number_of(each) for each in read.items("free_supports")),
            minimum_member=read.maybe("minimum_member"),
            minimum_gap=read.maybe("minimum_gap"),
            maximum_member=read.maybe("maximum_member"),
            overhang=read.maybe("overhang"),
            resolution=read.maybe("resolution"),
        )


_KEYS = (
    *("threshold", "volume", "mass", "compliance", "pieces", "removed", "cavities", "loaded", "held"),
    *("free_supports", "minimum_member", "minimum_gap", "maximum_member", "overhang", "cases", "limits"),
)

_LATER = ("resolution",)
"""What parts of earlier results lack, all of it."""


class _Reader:
    """A mapping from outside, whose values are asked for by their kind."""

    def __init__(self, where: str, values: object, keys: set[str]) -> None:
        if not isinstance(values, Mapping) or set(values) != keys:
            raise ValueError(f"{where} does not hold {', '.join(sorted(keys))} and nothing else")
        self.where, self.values = where, values

    def real(self, key: str) -> float:
        """A number; NaN for null, as what is infinite or undefined is written."""
        found = self.maybe(key)
        return math.nan if found is None else found

    def maybe(self, key: str) -> float | None:
        value = self.values[key]
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{self.where}.{key} is {shorten(value)}; a number belongs there")
        return float(value)

    def count(self, key: str) -> int:
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"{self.where}.{key} is {shorten(value)}; a whole number belongs there")
        return value

    def truth(self, key: str) -> bool:
        value = self.values[key]
        if not isinstance(value, bool):
            raise ValueError(f"{self.where}.{key} is {shorten(value)}; true or false belongs there")
        return value

    def text(self, key: str) -> str:
        value = self.values[key]
        if not isinstance(value, str):
            raise ValueError(f"{self.where}.{key} is {shorten(value)}; a text belongs there")
        return value

    def items(self, key: str) -> Sequence[Any]:
        value = self.values[key]
        if not isinstance(value, list):
            raise ValueError(f"{self.where}.{key} is {shorten(value)}; a list belongs there")
        return value


def _case(where: str, given: object) -> PartCase:
    keys = {"name", "displacement", "stress", "reactions", "loaded"}
    has_temperature = isinstance(given, Mapping) and "temperature" in given
    read = _Reader(where, given, keys | {"temperature"} if has_temperature else keys)
    stress, safety = read.values["stress"], None
    if stress is not None:
        inner = _Reader(f"{where}.stress", stress, {"largest", "at", "safety"})
        safety = inner.maybe("safety")
        stress = {key: value for key, value in stress.items() if key != "safety"}
    return PartCase(
        read.text("name"),
        _peak(f"{where}.displacement", read.values["displacement"]),
        _peak(f"{where}.temperature", read.values["temperature"]) if has_temperature else None,
        _peak(f"{where}.stress", stress),
        safety,
        tuple(_numbers(f"{where}.reactions", each) for each in read.items("reactions")),
        read.maybe("loaded"),
    )


def _peak(where: str, given: object) -> Peak | None:
    if given is None:
        return None
    read = _Reader(where, given, {"largest", "at"})
    at = read.values["at"]
    return Peak(read.real("largest"), None if at is None else _numbers(f"{where}.at", at))


def _limit(where: str, given: object) -> PartLimit:
    read = _Reader(where, given, {"name", "limit", "value", "met"})
    return PartLimit(read.text("name"), read.real("limit"), read.real("value"), read.truth("met"))


def _numbers(where: str, given: object) -> tuple[float, ...]:
    if not isinstance(given, list):
        raise ValueError(f"{where} is {shorten(given)}; a list of numbers belongs there")
    return tuple(_Reader(where, {"value": value}, {"value"}).real("value") for value in given)


def _number_of(given: object) -> int:
    return _Reader("part.free_supports", {"number": given}, {"number"}).count("number")


def _finite(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value  # NumPy's scalars are no JSON
    return None if isinstance(value, float) and not math.isfinite(value) else value
