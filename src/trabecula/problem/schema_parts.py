"""Pieces of a JSON Schema: numbers, lists, mappings, and what the fields of a keyed class stand for.

A schema refuses only what the reader refuses (`trabecula.problem.read`); what takes two keys or the grid to
be seen is left to the reader. Every number has its unit as `x-unit`, for forms that are built from it.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from trabecula.problem.keyed import Key, keys_of, required_keys
from trabecula.problem.tables import Table
from trabecula.problem.where import Where

Schema = dict[str, Any]

WHERE: Schema = {"$ref": "#/$defs/where"}
_BOUNDS = {"above": "exclusiveMinimum", "least": "minimum", "below": "exclusiveMaximum", "most": "maximum"}


def number(description: str = "", unit: str = "", kind: str = "number", **bounds: float | None) -> Schema:
    """A number; `bounds` are those of `At.number`: above, least, below, most."""
    limits = {_BOUNDS[name]: bound for name, bound in bounds.items() if bound is not None}
    return {"type": kind, **limits, **notes(description, unit)}


def words(allowed: Iterable[str], description: str = "") -> Schema:
    """One of a few words."""
    return {"enum": list(allowed), **notes(description)}


def text(description: str = "", most: int = 200) -> Schema:
    """A line of text."""
    return {"type": "string", "minLength": 1, "maxLength": most, **notes(description)}


def items(inner: Schema, least: int = 0, most: int | None = None, description: str = "") -> Schema:
    """A list."""
    limits = {"minItems": least} if least else {}
    limits |= {"maxItems": most} if most is not None else {}
    return {"type": "array", "items": inner, **limits, **notes(description)}


def mapping(properties: Mapping[str, Schema], required: Sequence[str] = (), description: str = "") -> Schema:
    """A mapping of known keys."""
    needed = {"required": list(required)} if required else {}
    return {
        "type": "object",
        **notes(description),
        "properties": dict(properties),
        **needed,
        "additionalProperties": False,
    }


def exactly_one(keys: Iterable[str]) -> Schema:
    """That one of several keys is given."""
    return {"oneOf": [{"required": [key]} for key in keys]}


def notes(description: str = "", unit: str = "") -> Schema:
    """Description and unit of a value, where there are any."""
    said = f"{description} ({unit})" if description and unit else description
    return {**({"description": said} if said else {}), **({"x-unit": unit} if unit else {})}


def or_null(schema: Schema) -> Schema:
    """The same, or nothing: null stands for a key that is left out."""
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}


def key_schemas(cls: type[Any], names: Iterable[str] | None = None) -> dict[str, Schema]:
    """The keys of a class as properties; of those `names` only, where they are given."""
    if not is_dataclass(cls):
        return {}
    hints = get_type_hints(cls)
    found = {}
    wanted = set(keys_of(cls) if names is None else names)
    for one in fields(cls):
        if one.init and one.name in wanted:
            schema = _of_hint(hints[one.name], keys_of(cls)[one.name])
            is_plain = one.default is not MISSING and isinstance(one.default, bool | int | float | str)
            found[one.name] = {**schema, "default": one.default} if is_plain else schema
    return found


def choice(table: Table[Any], names_of: Mapping[str, Iterable[str]], default: str = "") -> Schema:
    """What can stand where an entry of a table is named: the name, or a mapping of its `kind` and keys.

    Parameters
    ----------
    names_of
        The keys that every entry has in a file.
    default
        What a mapping without `kind` stands for; empty where it needs one.
    """
    names = list(names_of)
    kind = {**table_words(table, names), **({"default": default} if default else {})}
    own = {name: key_schemas(table[name], keys) for name, keys in names_of.items()}
    shared = join(properties for properties in own.values())
    whole = mapping(
        {"kind": or_null(kind) if default else kind, **{key: or_null(one) for key, one in shared.items()}},
        () if default else ("kind",),
    )
    whole["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
            "then": {
                "properties": {key: or_null(one) for key, one in own[name].items()},
                "propertyNames": {"enum": ["kind", *own[name]]},
                "required": [key for key in required_keys(table[name]) if key in own[name]],
            },
        }
        for name in names
    ]
    return {"anyOf": [table_words(table, names), whole]}


def table_words(table: Table[Any], names: Iterable[str]) -> Schema:
    """Names of a table, with what the table says of each."""
    names = list(names)
    said = [table.description(name) for name in names]
    lines = [f"{name}: {line}" if line else name for name, line in zip(names, said, strict=True)]
    return {"enum": names, "enumDescriptions": said, "description": "; ".join(lines)}


def join(parts: Iterable[Mapping[str, Schema]]) -> dict[str, Schema]:
    """Properties of several mappings in one; where two differ, either will do."""
    found: dict[str, list[Schema]] = {}
    for properties in parts:
        for key, schema in properties.items():
            known = found.setdefault(key, [])
            if schema not in known:
                known.append(schema)
    return {key: one[0] if len(one) == 1 else {"anyOf": one} for key, one in found.items()}


def _of_hint(hint: Any, about: Key) -> Schema:
    """What a field of a type can hold in a file; as `trabecula.problem.keyed` reads it."""
    origin, parts = get_origin(hint), get_args(hint)
    said = notes(about.description, about.unit)
    if origin in (Union, types.UnionType):
        (inner,) = (part for part in parts if part is not type(None))
        schema = _of_hint(inner, about)
        return or_null(schema) if type(None) in parts else schema
    if origin is Literal:
        return words(map(str, parts), about.description)
    if origin is tuple:
        return items(_of_hint(parts[0], about), most=1000) | said
    if hint is bool:
        return {"type": "boolean", **said}
    if hint in (int, float):
        kind = "integer" if hint is int else "number"
        bounds = {"above": about.above, "least": about.least, "most": about.most}
        if hint is int:
            del bounds["above"]
        return number(about.description, about.unit, kind, **bounds)
    if hint is str:
        return text(about.description)
    if isinstance(hint, type) and issubclass(hint, Where):
        return {**WHERE, **said}
    return said
