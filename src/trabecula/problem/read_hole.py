"""`holes` of a problem file, and what they share with supports and loads: `fix`, vectors."""

from __future__ import annotations

from trabecula.problem.hints import SIDES, fix_hint, vector_hint
from trabecula.problem.model import AXES, Hole
from trabecula.problem.read_where import Space
from trabecula.problem.validation import At, words_of

CLEARANCE = {
    "M3": 0.0034,
    "M4": 0.0045,
    "M5": 0.0055,
    "M6": 0.0066,
    "M8": 0.009,
    "M10": 0.011,
    "M12": 0.0135,
    "M16": 0.0175,
    "M20": 0.022,
}
"""Diameters of holes that bolts pass (ISO 273, medium), in metres."""

_HOLE = ("at", "axis", "diameter", "wall", "depth", "fix", "force")


def read_hole(at: At, space: Space) -> Hole:
    """Read one hole."""
    count = len(space.axes)
    is_solid = count == 3
    needed = ("at", "axis", "diameter") if is_solid else ("at", "diameter")
    keys = at.mapping(_HOLE, needed, empty=True)
    letters = AXES if is_solid else ("z",)
    axis = "z"
    if "axis" in keys:
        signed = [f"{sign}{letter}" for sign in "+-" for letter in letters]
        axis = _axis(keys["axis"], (*letters, *signed) if is_solid else letters)
    place = keys["at"].numbers(count, "numbers (a point of the axis)", unit="m")
    diameter = _diameter(keys["diameter"])
    _check_place(keys["at"], space, place, AXES.index(axis[-1]), diameter)
    if "depth" in keys and not is_solid:
        raise keys["depth"].refuse("to be left out in a plane domain, which holes go through")
    return Hole(
        at=place,
        axis=axis,
        diameter=diameter,
        wall=keys["wall"].number(least=0, what="a thickness", unit="m") if "wall" in keys else 0.0,
        depth=keys["depth"].number(above=0, what="a depth", unit="m") if "depth" in keys else None,
        fix=read_fix(keys["fix"], space) if "fix" in keys else (),
        force=vector(keys["force"], count, "forces", "N") if "force" in keys else None,
    )


def _axis(at: At, known: tuple[str, ...]) -> str:
    """A letter, with a sign if need be; words and vectors are told which they mean."""
    meant = ""
    if isinstance(at.value, str) and at.value.lower() in SIDES:
        meant = AXES[SIDES[at.value.lower()][0]]
    elif isinstance(at.value, list | tuple) and len(at.value) == 3 and at.value.count(0) == 2:
        meant = next(letter for letter, way in zip(AXES, at.value, strict=True) if way != 0)
    if meant in known:
        raise at.refuse(f"one of {', '.join(known)}", f"write {meant}")
    return at.choice(known)


def _diameter(at: At) -> float:
    """A diameter above 0; a metric thread is told the hole that its bolt passes."""
    bolt = at.value.strip().upper() if isinstance(at.value, str) else ""
    if bolt in CLEARANCE:
        wide = at.units.show(CLEARANCE[bolt], "m")
        raise at.refuse(
            f"a diameter in {at.units.spoken('m')}", f"write {wide}, which lets an {bolt} bolt through"
        )
    return at.number(above=0, what="a diameter", unit="m")


def _check_place(at: At, space: Space, place: tuple[float, ...], axis: int, diameter: float) -> None:
    """Refuse a bore that passes the domain by."""
    domain = space.domain
    for a, (x, low, high) in enumerate(zip(place, domain.low, domain.high, strict=True)):
        reach = 0.5 * diameter if a != axis else 1e-6 * domain.size[a]
        if not low - reach < x < high + reach:
            raise at.refuse(
                f"a place in the domain, which spans {at.units.tell_spans(domain.low, domain.high)}",
                "co-ordinates are those of the domain; of a shape that gives the size, those of its file",
            )


def read_fix(at: At, space: Space) -> tuple[str, ...]:
    """The axes that are held: a list of them, or the word all."""
    if at.value == "all":
        return space.axes
    words = f"a list of {', '.join(space.axes)}"
    hint = fix_hint(at.value, space.axes)
    if hint:
        raise at.refuse(f"{words}, or the word all", hint)
    items = words_of(at, f"{words}, or the word all", space.axes)
    for item in items:
        if item.value not in space.axes and fix_hint(item.value, space.axes):
            raise item.refuse(f"one of {', '.join(space.axes)}", fix_hint(item.value, space.axes))
    fixed = tuple(item.choice(space.axes) for item in items)
    if not fixed or len(set(fixed)) != len(fixed):
        raise at.refuse(f"{words}, each at most once")
    return fixed


def vector(at: At, count: int, what: str, unit: str) -> tuple[float, ...]:
    """One number for each axis; what is too short is told how it goes on."""
    given = at.value
    allowed = f"a list of {count} {what} in {at.units.spoken(unit)}, along {', '.join(AXES[:count])}"
    if isinstance(given, list | tuple) and len(given) == count:
        return at.numbers(count, what, unit)
    raise at.refuse(allowed, vector_hint(given, count))
