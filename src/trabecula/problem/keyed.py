"""Parts named in a problem file, with keys of their own: read, written and described by their fields.

A quantity, a filter or an optimiser is a frozen dataclass whose fields are its keys in the file. A field
may be a number, a whole number, a text, a flag, one of several words, a tuple of numbers, or a `where`; `key`
adds what a schema and a refusal say of it.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from trabecula.problem.errors import ProblemError
from trabecula.problem.read_where import Space, read_where
from trabecula.problem.unit_system import SI, UnitSystem
from trabecula.problem.validation import At
from trabecula.problem.where import Everywhere, Where
from trabecula.problem.where_tree import where_tree

T = TypeVar("T")
_KEY = "trabecula.key"
_LARGEST_WHOLE = 2**31 - 1


@dataclass(frozen=True)
class Key:
    """What is said of a key: a `description` in one sentence, its `unit`, and the bounds of a number."""

    description: str = ""
    unit: str = ""
    above: float | None = None
    least: float | None = None
    most: float | None = None


def key(
    default: Any = MISSING,
    description: str = "",
    *,
    unit: str = "",
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """A dataclass field that is a key of the problem file.

    Parameters
    ----------
    default
        Its value where the file leaves it out; without one the file must give it.
    description, unit
        For help texts and the schema.
    above, least, most
        Bounds of a number; `above` excluded.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Norm:
    ...     p: float = key(8.0, "exponent of the norm", above=1.0)
    >>> Norm().p
    8.0
    """
    metadata = {_KEY: Key(description, unit, above, least, most)}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def keys_of(cls: type) -> dict[str, Key]:
    """The keys that a class has in a file, in their order; none where it is no dataclass."""
    if not is_dataclass(cls):
        return {}
    return {one.name: one.metadata.get(_KEY, Key()) for one in fields(cls) if one.init}


def required_keys(cls: type) -> tuple[str, ...]:
    """Those of `keys_of` that a file must give."""
    if not is_dataclass(cls):
        return ()
    return tuple(one.name for one in fields(cls) if one.init and _has_no_default(one))


def read_keys(cls: type[T], entries: Mapping[str, At], space: Space) -> T:
    """An instance of a class from its keys in a file; keys of others in `entries` are left alone.

    Parameters
    ----------
    cls
        A frozen dataclass, or a class without any keys.
    entries
        What the file gives, by key.
    space
        What a `where` is read against.

    Raises
    ------
    ProblemError
        If a key is missing or its value is not allowed.
    """
    if not is_dataclass(cls):
        return cls()
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    for name, about in keys_of(cls).items():
        if name in entries:
            values[name] = _read(entries[name], hints[name], about, space)
    for name in required_keys(cls):
        if name not in values:
            where = next(iter(entries.values())).path.rpartition(".")[0] if entries else ""
            about = keys_of(cls)[name]
            raise ProblemError(f"{where}.{name}".lstrip("."), "missing", f"needs {about.description or name}")
    return cls(**values)


def write_keys(part: object, units: UnitSystem = SI) -> dict[str, Any]:
    """The keys of a part as plain values in some units, those left out that have their default.

    Raises
    ------
    ProblemError
        If a value has no file form.
    """
    if not is_dataclass(part) or isinstance(part, type):
        return {}
    kept = [one for one in fields(part) if one.init and one.default != getattr(part, one.name)]
    abouts = keys_of(type(part))
    return {one.name: _plain(getattr(part, one.name), one.name, abouts[one.name].unit, units) for one in kept}


def _has_no_default(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _read(at: At, hint: Any, about: Key, space: Space) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if at.value is None and type(None) in parts:
            return None
        (hint,) = (part for part in parts if part is not type(None))
        return _read(at, hint, about, space)
    what = about.description or "a value"
    if origin is Literal:
        return at.choice([str(part) for part in parts])
    if origin is tuple:
        items = at.items(1000, f"a list: {what}")
        return tuple(_read(item, parts[0], about, space) for item in items)
    if hint is bool:
        return at.flag()
    if hint is int:
        least = int(about.least if about.least is not None else -_LARGEST_WHOLE)
        return at.whole(least, int(about.most if about.most is not None else _LARGEST_WHOLE), what)
    if hint is float:
        return at.number(above=about.above, least=about.least, most=about.most, what=what, unit=about.unit)
    if hint is str:
        return at.text(what=what)
    if isinstance(hint, type) and issubclass(hint, Where):
        return read_where(at, space)
    raise at.refuse("a kind of value that a file can hold", given=f"{hint} is none")


def _plain(value: Any, name: str, unit: str, units: UnitSystem) -> Any:
    if isinstance(value, Where):
        return "everywhere" if value == Everywhere() else where_tree(value, units)
    if isinstance(value, float):
        return units.from_si(value, unit)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Sequence):
        return [_plain(item, name, unit, units) for item in value]
    raise ProblemError(name, f"holds a {type(value).__name__}", "has no form in a problem file")
