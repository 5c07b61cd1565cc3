"""Figures of a record in the units that the problem speaks: one table of keys, and both ways.

Results hold SI in Python; what is written or printed of them as a record goes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.unit_system import KINDS
from trabecula.storage.reading import UnreadableError

if TYPE_CHECKING:
    from pathlib import Path

    from trabecula.problem import Problem

UNITS = "units"
"""The key that says what a record's figures are in."""

_GOAL, _BOUND, _LIMIT, _NAMED, _ENERGY = "goal", "bound", "limit", "named", "compliance"

KIND_OF_KEY: dict[tuple[str, ...], str] = {
    ("compliance",): _ENERGY,
    ("compliances", "*"): _ENERGY,
    ("objective",): _GOAL,
    ("limits", "*", "limit"): _LIMIT,
    ("limits", "*", "value"): _LIMIT,
    ("values", "*"): _NAMED,
    ("certificate", "lower_bound"): _BOUND,
    ("learned", "*", "before"): _GOAL,
    ("learned", "*", "after"): _GOAL,
    ("part", "compliance"): _ENERGY,
    ("part", "mass"): "mass",
    ("part", "minimum_member"): "length",
    ("part", "minimum_gap"): "length",
    ("part", "maximum_member"): "length",
    ("part", "resolution"): "length",
    ("part", "cases", "*", "displacement", "largest"): "length",
    ("part", "cases", "*", "displacement", "at"): "length",
    ("part", "cases", "*", "stress", "largest"): "stress",
    ("part", "cases", "*", "stress", "at"): "length",
    ("part", "limits", "*", "limit"): _LIMIT,
    ("part", "limits", "*", "value"): _LIMIT,
}
"""What the figure under a key is: a kind of `trabecula.problem.unit_system.KINDS`, or "compliance" (energies,
but W K for heat), "goal" and "bound" (in the unit of what is minimised), "limit" and "named" (of the quantity
of that name). A star stands for every entry of a list or a mapping. Figures that are not here have no unit,
or one that all systems share."""


def speak(record: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """A record in SI as one in the problem's units, which it names under `units`."""
    units = problem.unit_system
    return {**_convert(record, problem, units.from_si), UNITS: units.name}


def understand(path: Path, record: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """The figures of a record in SI, whatever units it names; one that names none is in SI.

    Raises
    ------
    UnreadableError
        If the record names other units than the problem.
    """
    units = problem.unit_system
    named = record.get(UNITS, "SI")
    if named != units.name:
        raise UnreadableError(path, f"'units' is {named!r}, those of the problem are {units.name!r}")
    return _convert(record, problem, units.to_si)


def unit_of(problem: Problem, quantity: str) -> str:
    """The SI unit of a quantity of a problem: of a compliance that of its physics."""
    if quantity in ("compliance", "thermal_compliance"):
        return problem.physics.compliance_unit
    if quantity not in QUANTITIES:
        return ""
    unit = getattr(QUANTITIES[quantity], "unit", "")
    return unit if isinstance(unit, str) else ""


def compliance_of(problem: Problem, value: float) -> float:
    """A compliance in J (W K for heat) in the problem's units."""
    return problem.unit_system.from_si(value, problem.physics.compliance_unit)


def _convert(
    record: Mapping[str, Any], problem: Problem, change: Callable[[float, str], float]
) -> dict[str, Any]:
    """A record with every figure of `KIND_OF_KEY` changed; all else is left as it is."""
    found = dict(record)
    if problem.unit_system.name == "SI":
        return found
    for keys, kind in KIND_OF_KEY.items():
        found = _at(found, keys, kind, problem, change)
    return found


def _at(
    value: Any, keys: tuple[str, ...], kind: str, problem: Problem, change: Callable[[float, str], float]
) -> Any:
    """A value with the figures below some keys changed."""
    if not keys:
        return _changed(value, kind, change)
    if isinstance(value, list) and keys[0] == "*":
        return [_at(each, keys[1:], kind, problem, change) for each in value]
    if not isinstance(value, Mapping):
        return value
    wanted = list(value) if keys[0] == "*" else [keys[0]] if keys[0] in value else []
    units = {key: _unit(kind, key, value, problem) if len(keys) == 1 else kind for key in wanted}
    return {**value, **{key: _at(value[key], keys[1:], units[key], problem, change) for key in wanted}}


def _unit(kind: str, key: str, entry: Mapping[str, Any], problem: Problem) -> str:
    """The SI unit of the figure under a key of an entry."""
    if kind == _ENERGY:
        return problem.physics.compliance_unit
    if kind in (_GOAL, _BOUND):
        return unit_of(problem, problem.goal.minimize)
    if kind == _NAMED:
        return unit_of(problem, key)
    if kind == _LIMIT:
        return unit_of(problem, str(entry.get("name")))
    return KINDS.get(kind, kind)


def _changed(value: Any, unit: str, change: Callable[[float, str], float]) -> Any:
    """A figure, or a list of them, in other units."""
    if isinstance(value, list):
        return [_changed(each, unit, change) for each in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return change(value, unit) if is_number else value
