"""What it is made of and how it is designed: `material` and `options` of a problem file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trabecula.problem import materials
from trabecula.problem.design_tables import FILTERS, INTERPOLATIONS, OPTIMIZERS, own_keys
from trabecula.problem.errors import ProblemError
from trabecula.problem.keyed import read_keys, required_keys
from trabecula.problem.model import (
    FilterOptions,
    Material,
    Options,
)
from trabecula.problem.physics import Physics
from trabecula.problem.read_goal import choose
from trabecula.problem.read_where import Space
from trabecula.problem.tables import Table
from trabecula.problem.validation import At, show, words_of
from trabecula.problem.vocabulary import near_material


def read_material(at: At, physics: Physics, weighs: bool) -> Material:
    """Read `material`, a name or a mapping; `physics` says what it must have, `weighs` asks for a density."""
    if isinstance(at.value, str):
        found = materials.find(at.value)
        if found is None:
            known = materials.names()
            allowed = f"one of {', '.join(known)}, or a mapping {{young: ..., poisson: ...}}"
            raise at.refuse(allowed, near_material(at.value, known))
        return found
    if not isinstance(at.value, Mapping):
        is_number = isinstance(at.value, int | float) and not isinstance(at.value, bool)
        mend = f"write {{young: {show(at.value)}, poisson: 0.3}}" if is_number else "write `material: steel`"
        raise at.refuse("the name of one material, or a mapping {young: ..., poisson: ...}", mend)
    required = [*physics.required, *(["density"] if weighs else [])]
    keys = at.mapping(("name", "young", "poisson", "density", "yield", "conductivity"), required, empty=True)
    plain = Material()

    def positive(key: str, default: float, unit: str) -> float:
        return keys[key].number(above=0, unit=unit) if key in keys else default

    return Material(
        young=positive("young", plain.young, "Pa"),
        poisson=_poisson(keys["poisson"]) if "poisson" in keys else plain.poisson,
        density=positive("density", plain.density, "kg/m3"),
        yield_strength=keys["yield"].number(above=0, unit="Pa") if "yield" in keys else None,
        conductivity=positive("conductivity", plain.conductivity, "W/(m K)"),
        name=keys["name"].text() if "name" in keys else None,
    )


def _poisson(at: At) -> float:
    if at.value == 0.5:
        raise at.refuse("a number above -1 and below 0.5", "write 0.49 for a material like rubber")
    return at.number(above=-1, below=0.5)


def read_options(at: At, space: Space) -> Options:
    """Read `options` of a domain; what is left out or null is the program's default."""
    plain, axes = Options(), space.axes
    keys = at.mapping(tuple(Options.__dataclass_fields__), empty=True)
    symmetry: tuple[str, ...] = ()
    if "symmetry" in keys:
        if keys["symmetry"].value is True:
            raise keys["symmetry"].refuse("a list of axes", "write [x] to mirror in x")
        symmetry = tuple(item.choice(axes) for item in words_of(keys["symmetry"], "a list of axes", axes))
        if len(set(symmetry)) != len(symmetry):
            raise keys["symmetry"].refuse("each axis at most once")

    def number(key: str, default: float, least: float, most: float) -> float:
        return keys[key].number(least=least, most=most) if key in keys else default

    return Options(
        penalty=number("penalty", plain.penalty, 1.0, 10.0),
        interpolation=_part(keys["interpolation"], INTERPOLATIONS, space)
        if "interpolation" in keys
        else None,
        filter=_filter(keys["filter"], space) if "filter" in keys else plain.filter,
        projection=keys["projection"].flag() if "projection" in keys else plain.projection,
        symmetry=symmetry,
        minimum_stiffness=number("minimum_stiffness", plain.minimum_stiffness, 1e-12, 0.1),
        optimizer=_part(keys["optimizer"], OPTIMIZERS, space) if "optimizer" in keys else None,
        move=number("move", plain.move, 1e-3, 1.0),
        seed=keys["seed"].whole(0, 2**31 - 1) if "seed" in keys else plain.seed,
    )


def _filter(at: At, space: Space) -> FilterOptions:
    """`filter: none`, or a mapping of its kind and its keys."""
    if not isinstance(at.value, (str, Mapping)):
        is_number = isinstance(at.value, int | float) and not isinstance(at.value, bool)
        mend = f"write {{radius: {show(at.value)}}}" if is_number else ""
        raise at.refuse("a mapping with keys kind, radius", mend)
    name, cls, keys = _kind(at, FILTERS, "density")
    if set(own_keys(cls)) - {"radius"}:
        return FilterOptions(name, keys=read_keys(cls, _under(at, keys), space))
    if "radius" in keys or "radius" in required_keys(cls):
        return FilterOptions(name, read_keys(cls, _under(at, keys), space).radius)
    return FilterOptions(name)


def _part(at: At, table: Table[Any], space: Space) -> Any:
    """An interpolation or an optimiser: its name, or an object where it has keys of its own."""
    name, cls, keys = _kind(at, table)
    return read_keys(cls, _under(at, keys), space) if own_keys(cls) else name


def _kind(at: At, table: Table[Any], default: str = "") -> tuple[str, type[Any], dict[str, At]]:
    """The name of an entry, its class, and what stands under its keys: `name` or `{kind: name, ...}`."""
    if not isinstance(at.value, Mapping):
        cls = choose(at, table)
        return str(at.value), cls, {}
    named = at.value.get("kind")
    name = At(f"{at.path}.kind", default if named is None else named, at.units)
    if named is None and not default:
        raise ProblemError(name.path, "missing", f"{at.path} needs kind", f"write `kind: {table.names()[0]}`")
    cls = choose(name, table)
    keys = at.mapping(("kind", *own_keys(cls)), empty=True)
    keys.pop("kind", None)
    return str(name.value), cls, keys


def _under(at: At, keys: Mapping[str, At]) -> Mapping[str, At]:
    """The entries, with the mapping itself where there are none: a refusal says where one is missing."""
    return keys or {"": At(f"{at.path}.", None, at.units)}
