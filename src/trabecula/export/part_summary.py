"""The finished part in a few lines: what an engineer asks first, from the tree of `result.json`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from trabecula.numerics.member_size import say_in_voxels
from trabecula.problem.unit_system import MILLIMETRES, SI, UNIT_SYSTEMS, UnitSystem

LOADED = 0.999
"""Share of a load that must end on the part, as for the word certified."""

RESOLVED = 1.999
"""Voxels from which on a member is more than a row of voxels."""

THIN = "members thinner than two voxels are not resolved: take finer voxels, or a larger filter radius"

PEAKS = (
    ("moves", "displacement", "length", "mm"),
    ("warmer by", "temperature", "temperature", "K"),
    ("stress", "stress", "stress", "MPa"),
)
"""Lines, the fields they are of, their kinds, and the units that people read them in."""


def describe_part(part: Mapping[str, object], units: str = "SI") -> list[tuple[str, str]]:
    """Names and values: mass, how far it moves (or how warm it gets), stress, safety, and whether it is one
    piece that carries its loads. Of several load cases the worst is named.

    Parameters
    ----------
    part
        The tree `part` of `result.json`; what does not look like one is left out.
    units
        What its figures are in: "SI" or "mm".
    """
    spoken = UNIT_SYSTEMS.get(units, SI)
    rows = [("mass", f"{_figure(part.get('mass'))} kg, {_percent(part.get('volume'))} of the domain")]
    cases = [case for case in _items(part.get("cases")) if isinstance(case, Mapping)]
    for name, field, kind, unit in PEAKS:
        found = list(_peaks(cases, field, spoken.unit("length")))
        if found:
            largest, place, case = max(found, key=lambda each: each[0])
            of = f" in {case!r}" if len(cases) > 1 else ""
            read = MILLIMETRES.from_si(spoken.to_si(largest, kind), kind)
            rows.append((name, f"at most {_figure(read)} {unit}{of}{place}"))
    safeties = [value for value in map(_safety, cases) if value is not None]
    if safeties:
        rows.append(("safety", f"{_figure(min(safeties))} against yield"))
    return [*rows, ("one piece", _wholeness(part)), *_shape(part, spoken)]


def _shape(part: Mapping[str, object], spoken: UnitSystem) -> list[tuple[str, str]]:
    """How thick its members are, how wide its gaps, how much of it overhangs; and what is thinner than two
    voxels, with what mends it."""
    resolution = _number(part.get("resolution"))

    def said(key: str) -> str:
        length = _number(part.get(key))
        if length is None or not resolution:
            return ""
        read = MILLIMETRES.from_si(spoken.to_si(length, "length"), "length")
        return f"{_figure(read)} mm ({say_in_voxels(length, resolution)})"

    rows = []
    thinnest, thickest, gap = map(said, ("minimum_member", "maximum_member", "minimum_gap"))
    if thinnest and resolution:
        alike = part.get("minimum_member") == part.get("maximum_member")
        text = f"{thinnest} thick" if alike else f"{thinnest} to {thickest} thick"
        is_thin = (_number(part.get("minimum_member")) or 0.0) < RESOLVED * resolution
        rows.append(("members", f"{text}; {THIN}" if is_thin else text))
    if gap:
        rows.append(("clearance", f"at least {gap} between members"))
    share = _number(part.get("overhang"))
    if share is not None:
        said_of = "of the area facing down is flatter than 45 degrees and not on the build plate"
        rows.append(("overhang", f"{_percent(share)} {said_of}"))
    return rows


def _peaks(
    cases: Sequence[Mapping[object, object]], field: str, length: str
) -> Iterator[tuple[float, str, str]]:
    """Of every case that has the field: its largest value, where, and the name of the case."""
    for case in cases:
        peak = case.get(field)
        largest = _number(peak.get("largest")) if isinstance(peak, Mapping) else None
        if isinstance(peak, Mapping) and largest is not None:
            at = ", ".join(map(_figure, _items(peak.get("at"))))
            yield largest, f" at ({at}) {length}" if at else "", str(case.get("name"))


def _safety(case: Mapping[object, object]) -> float | None:
    stress = case.get("stress")
    return _number(stress.get("safety")) if isinstance(stress, Mapping) else None


def _wholeness(part: Mapping[str, object]) -> str:
    """Whether it is one piece that is held and loaded; what else there is to say of its shape."""
    pieces, held = part.get("pieces"), part.get("held")
    share, removed = part.get("loaded"), _number(part.get("removed")) or 0.0
    loaded = 1.0 if share is None else _number(share) or 0.0  # a load on the whole domain asks nobody
    said = ["yes" if pieces == 1 else f"no, {pieces} pieces"]
    if pieces == 1 and held and loaded >= LOADED:
        said.append("held, carries its loads")
    if not held:
        said.append("touches no support")
    elif free := _items(part.get("free_supports")):
        said.append(f"does not touch support{'s' * (len(free) > 1)} {', '.join(map(str, free))}")
    if loaded < LOADED:
        said.append(f"{_percent(1.0 - loaded)} of a load acts on no material")
    if cavities := part.get("cavities"):
        said.append(f"{cavities} closed {'cavity' if cavities == 1 else 'cavities'}, which nothing can empty")
    if removed > 0.0:
        said.append(f"{_percent(removed)} of the material carried nothing and was moved")
    return "; ".join(said)


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _figure(value: object) -> str:
    number = _number(value)
    return "–" if number is None else f"{number:.4g}"


def _percent(value: object) -> str:
    number = _number(value)
    return "–" if number is None else f"{100.0 * number:.3g} %"
