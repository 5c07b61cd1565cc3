"""What is wanted: `goal` and `limits` of a problem file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from trabecula.problem.errors import ProblemError
from trabecula.problem.keyed import keys_of, read_keys
from trabecula.problem.model import Goal, Limit
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.read_where import Space
from trabecula.problem.tables import BrokenEntryError, Table, UnknownNameError
from trabecula.problem.validation import At, show
from trabecula.problem.vocabulary import suggest

T = TypeVar("T")
MAX_LIMITS = 100


def read_goal(at: At, limits: At | None, cases: int, space: Space, energy: str = "J") -> Goal:
    """Read `goal`, and `limits` if there are any, of a problem with that many load cases.

    `energy` is the SI unit of its compliance.
    """
    verb, what, quantity = _aim(at)
    keys = at.mapping(("minimize", "maximize", "volume", "compliance", *keys_of(quantity)), empty=True)
    given = [] if limits is None else limits.items(MAX_LIMITS)
    further = tuple(_limit(item, space, energy) for item in given)
    own = _instance(quantity, keys, space)
    is_volume = what == "volume" and verb == "minimize"
    needs, useless = ("compliance", "volume") if is_volume else ("volume", "compliance")
    if needs not in keys and not further:
        limit = "volume: 0.4" if needs == "volume" else "compliance: 12.5"
        raise ProblemError(
            f"{at.path}.{needs}", "missing", f"minimising {what} needs a limit", f"write `{limit}`"
        )
    if useless in keys:
        raise keys[useless].refuse(f"to be left out when minimising {what}: {needs} is its limit")
    goal = Goal(what, maximize=verb == "maximize", keys=own, limits=further)
    if needs not in keys:
        return with_plain_limit(goal)
    if needs == "volume":
        volume = _fraction(keys["volume"])
        return Goal(what, volume=volume, limits=further, maximize=goal.maximize, keys=own)
    bound = keys["compliance"]
    if not isinstance(bound.value, (list, tuple)):
        allowed = (bound.number(above=0, what="a compliance", unit=energy),)
        return Goal(what, compliance=allowed, limits=further)
    each = tuple(item.number(above=0, what="a compliance", unit=energy) for item in bound.items())
    if len(each) not in (1, cases):
        raise bound.refuse(
            f"one number for the weighted sum, or {cases}, one for each load case", given=f"got {len(each)}"
        )
    return Goal(what, compliance=each, limits=further)


def _fraction(at: At) -> float:
    """A share of the domain, above 0 and at most 1."""
    percent = _percent(at.value)
    if percent is not None and 0 < percent <= 100:
        raise at.refuse("a fraction above 0 and at most 1", f"write {percent / 100:g} for {percent:g} %")
    return at.number(above=0, most=1, what="a fraction")


def _percent(value: object) -> float | None:
    """What was probably meant as a percentage: a number above 1, or one with the sign."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 1 < value <= 100 else None
    if not isinstance(value, str) or not value.rstrip().endswith("%"):
        return None
    try:
        return float(value.rstrip().removesuffix("%"))
    except ValueError:
        return None


def choose(at: At, table: Table[T]) -> T:
    """The entry that is named here.

    Raises
    ------
    ProblemError
        If the table has no such name, or it cannot be loaded.
    """
    try:
        if isinstance(at.value, str):
            return table[at.value]
    except UnknownNameError:
        pass
    except BrokenEntryError as error:
        raise ProblemError(at.path, f"got {show(at.value)}", str(error)) from error
    names = table.names()
    raise at.refuse(f"one of {', '.join(names)}", suggest(str(at.value), names, at.path))


def _aim(at: At) -> tuple[str, str, type]:
    """Whether the goal is minimised or maximised, its name, and its quantity."""
    if not isinstance(at.value, Mapping):
        named = at.value if isinstance(at.value, str) and _is_known(at.value) else "compliance"
        limit = "compliance: 12.5" if named == "volume" else "volume: 0.4"
        mend = f"write {{minimize: {named}, {limit}}}"
        raise at.refuse("a mapping with keys minimize, volume, compliance", mend)
    given = [verb for verb in ("minimize", "maximize") if at.value.get(verb) is not None]
    if not given:
        unknown = [key for key in at.value if key not in ("minimize", "maximize", "volume", "compliance")]
        if unknown:
            at.mapping(("minimize", "maximize", "volume", "compliance"), empty=True)
        raise ProblemError(f"{at.path}.minimize", "missing", f"{at.path} needs minimize")
    if len(given) > 1:
        raise at.refuse("either minimize or maximize", given="got both")
    verb = given[0]
    name = At(f"{at.path}.{verb}", at.value[verb], at.units)
    quantity = choose(name, QUANTITIES)
    return verb, str(name.value), quantity


def _limit(at: At, space: Space, energy: str) -> Limit:
    """One entry of `limits`: a quantity and its limit, keys of its own, and the sense."""
    if not isinstance(at.value, Mapping):
        raise at.refuse(f"a mapping of a quantity and its limit, as {{volume: 0.4}}; {_known()}")
    named = [key for key in at.value if isinstance(key, str) and _is_known(key)]
    if len(named) != 1:
        given = f"names {' and '.join(named)}" if named else f"got {show(at.value)}"
        first = next((str(key) for key in at.value), "")
        hint = suggest(first, QUANTITIES.names(), "limits")
        raise at.refuse(f"exactly one quantity; {_known()}", hint, given)
    name = named[0]
    quantity = choose(At(f"{at.path}.{name}", name, at.units), QUANTITIES)
    entries = at.mapping((name, "sense", *keys_of(quantity)))
    unit = energy if name == "compliance" else getattr(quantity, "unit", "")
    value = entries[name].number(what="a limit", unit=unit)
    if value == 0.0:
        raise entries[name].refuse("a limit that is not 0")
    sense = entries["sense"].choice(("at_most", "at_least")) if "sense" in entries else "at_most"
    own = _instance(quantity, entries, space)
    return Limit(name, value, cast(Literal["at_most", "at_least"], sense), own)


def _instance(quantity: type, entries: Mapping[str, At], space: Space) -> Any:
    """A quantity with keys of its own as an object; None where its name says it all."""
    return read_keys(quantity, entries, space) if keys_of(quantity) else None


def with_plain_limit(goal: Goal) -> Goal:
    """A goal whose limits stand in the list alone: the plain one among them is kept where it always was.

    Raises
    ------
    ProblemError
        If that limits the volume to more than all of it.
    """
    needs = "compliance" if goal.minimize == "volume" and not goal.maximize else "volume"
    for limit in goal.limits:
        if limit.quantity != needs or limit.sense != "at_most" or limit.keys is not None or limit.value < 0:
            continue
        rest = tuple(other for other in goal.limits if other is not limit)
        if needs == "volume":
            if limit.value > 1:
                raise ProblemError("limits", f"volume is limited by {limit.value:g}", "needs at most 1")
            return Goal(goal.minimize, limit.value, None, rest, goal.maximize, goal.keys)
        return Goal(goal.minimize, None, (limit.value,), rest)
    return goal


def _known() -> str:
    return f"known are {', '.join(QUANTITIES.names())}"


def _is_known(name: str) -> bool:
    return name in QUANTITIES
