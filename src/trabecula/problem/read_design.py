"""What it is made of and how it is designed: `material` and `options` of a problem file."""

from __future__ import annotations

from typing import Literal, cast, get_args

from trabecula.problem import materials
from trabecula.problem.model import (
    Filter,
    Material,
    Options,
)
from trabecula.problem.physics import Physics
from trabecula.problem.validation import At, nearest

_FilterKind = Literal["density", "sensitivity", "helmholtz", "none"]


def read_material(at: At, physics: Physics, weighs: bool) -> Material:
    """Read `material`, a name or a mapping; `physics` says what it must have, `weighs` asks for a density."""
    if isinstance(at.value, str):
        found = materials.find(at.value)
        if found is None:
            known = materials.names()
            allowed = f"one of {', '.join(known)}, or a mapping {{young: ..., poisson: ...}}"
            raise at.refuse(allowed, nearest(at.value, known))
        return found
    required = [*physics.required, *(["density"] if weighs else [])]
    keys = at.mapping(("name", "young", "poisson", "density", "yield", "conductivity"), required, empty=True)
    plain = Material()

    def positive(key: str, default: float) -> float:
        return keys[key].number(above=0) if key in keys else default

    return Material(
        young=positive("young", plain.young),
        poisson=keys["poisson"].number(above=-1, below=0.5) if "poisson" in keys else plain.poisson,
        density=positive("density", plain.density),
        yield_strength=keys["yield"].number(above=0) if "yield" in keys else None,
        conductivity=positive("conductivity", plain.conductivity),
        name=keys["name"].text() if "name" in keys else None,
    )


def read_options(at: At, axes: tuple[str, ...]) -> Options:
    """Read `options` of a domain with these axes; what is left out or null is the program's default."""
    plain = Options()
    keys = at.mapping(tuple(Options.__dataclass_fields__), empty=True)
    symmetry: tuple[str, ...] = ()
    if "symmetry" in keys:
        symmetry = tuple(item.choice(axes) for item in keys["symmetry"].items(3, "a list of axes"))
        if len(set(symmetry)) != len(symmetry):
            raise keys["symmetry"].refuse("each axis at most once")

    def word(key: str, *allowed: str) -> str | None:
        return keys[key].choice(allowed) if key in keys else None

    def number(key: str, default: float, least: float, most: float) -> float:
        return keys[key].number(least=least, most=most) if key in keys else default

    return Options(
        penalty=number("penalty", plain.penalty, 1.0, 10.0),
        interpolation=cast(Literal["simp", "ramp"] | None, word("interpolation", "simp", "ramp")),
        filter=_filter(keys["filter"]) if "filter" in keys else plain.filter,
        projection=keys["projection"].flag() if "projection" in keys else plain.projection,
        symmetry=symmetry,
        minimum_stiffness=number("minimum_stiffness", plain.minimum_stiffness, 1e-12, 0.1),
        optimizer=cast(Literal["oc", "mma"] | None, word("optimizer", "oc", "mma")),
        move=number("move", plain.move, 1e-3, 1.0),
        seed=keys["seed"].whole(0, 2**31 - 1) if "seed" in keys else plain.seed,
    )


def _filter(at: At) -> Filter:
    if isinstance(at.value, str):  # `filter: none`
        return Filter(cast(_FilterKind, at.choice(get_args(_FilterKind))))
    keys = at.mapping(("kind", "radius"), empty=True)
    kind = keys["kind"].choice(get_args(_FilterKind)) if "kind" in keys else "density"
    radius = keys["radius"].number(above=0, what="a length in metres") if "radius" in keys else None
    return Filter(cast(_FilterKind, kind), radius)
