"""Methods and their settings by name, as a command line gives them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from trabecula.nn.distill import METHODS
from trabecula.nn.distill.method import Weighted, with_weights
from trabecula.storage.reading import UnreadableError, parse_json


def methods_by_name(given: list[str], settings: list[str]) -> list[Weighted]:
    """Methods with weights, as a command line gives them.

    Parameters
    ----------
    given
        `attention=1000`, or `attention` for the usual weight.
    settings
        `attention.p=1`, the value in JSON, or text that is none.

    Raises
    ------
    ValueError
        Where a method, a field or a value is not possible.
    """
    wanted: dict[str, float | None] = {}
    for text in given:
        name, equals, weight = text.partition("=")
        if name not in METHODS:
            raise ValueError(f"--method '{name}' is not known; it is one of {', '.join(METHODS)}")
        try:
            wanted[name] = float(weight) if equals else None
        except ValueError:
            raise ValueError(f"--method {text}: '{weight}' is no number") from None
    chosen: dict[str, dict[str, object]] = {name: {} for name in wanted}
    for text in settings:
        where, equals, value = text.partition("=")
        name, _, field = where.partition(".")
        if not equals or name not in chosen:
            raise ValueError(f"--set {text}: write METHOD.FIELD=VALUE for a method that --method names")
        allowed = [each.name for each in fields(METHODS[name])]
        if field not in allowed:
            raise ValueError(f"--set {text}: {name} has no '{field}'; it has {', '.join(allowed)}")
        try:
            chosen[name][field] = as_tuples(parse_json(value, Path(f"--set {where}")))
        except UnreadableError:
            chosen[name][field] = value
    made = []
    for name, factor in wanted.items():
        try:
            made.append(Weighted(METHODS[name](**chosen[name]), factor))
        except TypeError as error:
            raise ValueError(f"--set {name}: a value of the wrong kind ({error})") from error
    return list(with_weights(made))


def as_tuples(value: object) -> object:
    """Lists of JSON as tuples, inner ones too."""
    return tuple(as_tuples(each) for each in value) if isinstance(value, list) else value
