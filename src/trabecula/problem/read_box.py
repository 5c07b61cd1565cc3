"""`units` and `domain` of a problem file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from trabecula.problem.model import Domain
from trabecula.problem.read_where import Space, read_stl_place
from trabecula.problem.shape import fit_domain
from trabecula.problem.unit_system import SI, UNIT_SYSTEMS, UnitSystem
from trabecula.problem.validation import At
from trabecula.problem.where import Stl

_DOMAIN = ("size", "elements", "resolution", "origin", "thickness", "shape", "mesh")
_ORIGIN_MOST = 1e9


def read_units(at: At) -> tuple[UnitSystem, UnitSystem]:
    """The units that the numbers of a file are in, and those that results speak; `units: mm` says both."""
    if isinstance(at.value, Mapping):
        keys = at.mapping(("numbers", "results"), ("numbers", "results"))
        numbers, results = (UNIT_SYSTEMS[keys[key].choice(tuple(UNIT_SYSTEMS))] for key in keys)
        return numbers, results
    words = {
        "mm": "mm",
        "millimetre": "mm",
        "millimeter": "mm",
        "si": "SI",
        "m": "SI",
        "metres": "SI",
        "meters": "SI",
        "millimetres": "mm",
        "millimeters": "mm",
    }
    if isinstance(at.value, str) and at.value not in UNIT_SYSTEMS:
        meant = words.get(at.value.lower())
        mend = (
            f"write `units: {meant}`"
            if meant
            else "mm is lengths in mm, forces in N, stresses in MPa; leave it out for SI; an STL may be in "
            "other units: `shape: {stl: part.stl, units: inch}`"
        )
        raise at.refuse(f"one of {', '.join(UNIT_SYSTEMS)}", mend)
    system = UNIT_SYSTEMS[at.choice(tuple(UNIT_SYSTEMS))]
    return system, system


def read_domain(at: At, base: Path | None) -> Domain:
    """Read `domain`: a box, or the box around the part of an STL file."""
    keys = at.mapping(_DOMAIN, empty=True)
    if "mesh" in keys:
        raise keys["mesh"].refuse("a box of voxels", "use `shape: part.stl`; meshes are not read yet")
    if ("elements" in keys) == ("resolution" in keys):
        given = "got both" if "elements" in keys else "got neither"
        mend = "leave one out" if "elements" in keys else "write `elements: [...]`"
        raise at.refuse("either elements or resolution", mend, given=given)
    if "size" not in keys:
        if "shape" not in keys:
            raise At(f"{at.path}.size", None, at.units).refuse(
                "edge lengths, or an STL file as `shape`, whose box is the domain then", given="missing"
            )
        return _domain_of_part(at, keys, base)
    lengths = keys["size"].items(3, f"a list of two or three lengths in {at.units.spoken('m')}")
    if len(lengths) not in (2, 3):
        what = f"two lengths (plane stress) or three (solid), in {at.units.spoken('m')}"
        raise keys["size"].refuse(what)
    size = tuple(
        length.number(above=0, least=1e-9, most=1e9, what="a length", unit="m") for length in lengths
    )
    if "elements" in keys:
        elements = _elements(keys["elements"], len(size))
    else:
        edge = keys["resolution"].number(above=0, most=min(size), what="an edge length", unit="m")
        elements = tuple(max(1, round(s / edge)) for s in size)
    thickness = at.units.to_si(1.0, "m") if len(size) == 2 else 1.0
    if "thickness" in keys:
        thickness = keys["thickness"].number(above=0, what="a thickness", unit="m")
    if len(size) == 3 and thickness != 1.0:
        raise keys["thickness"].refuse("a 2-D domain to mean anything", "leave it out")
    if "shape" in keys and len(size) == 2:
        raise keys["shape"].refuse("a 3-D domain", "give domain.size three numbers")
    shape = _shape(keys["shape"], Domain(size, elements), base) if "shape" in keys else None
    return Domain(size, elements, thickness, shape, _origin(keys, len(size)))


def _domain_of_part(at: At, keys: dict[str, At], base: Path | None) -> Domain:
    """The box around a part."""
    for key in ("thickness", "origin"):
        if key in keys:
            raise keys[key].refuse("domain.size beside it", "leave it out: the STL says where the part is")
    unknown = Domain((1.0, 1.0, 1.0), (1, 1, 1))
    solid = _shape(keys["shape"], unknown, base)
    if "elements" in keys:
        return fit_domain(solid, None, _elements(keys["elements"], 3), at.path, at.units)
    edge = keys["resolution"].number(above=0, what="an edge length", unit="m")
    domain = fit_domain(solid, edge, None, at.path, at.units)
    if edge > min(domain.size):
        size = f"the STL measures {' x '.join(at.units.show(s, 'm') for s in domain.size)}"
        raise keys["resolution"].refuse(
            f"an edge length of at most {at.units.tell(min(domain.size), 'm')}: {size} {at.units.unit('m')}",
            "say `shape: {stl: ..., units: ...}`, of m, cm, mm, inch, if its numbers are in other units",
        )
    return domain


def _elements(at: At, count: int) -> tuple[int, ...]:
    counts = at.items(3, "a list of whole numbers")
    if len(counts) != count:
        raise at.refuse(f"{count} whole numbers, one for each axis of the domain")
    return tuple(one.whole(1, 10**9) for one in counts)


def _origin(keys: dict[str, At], count: int) -> tuple[float, ...]:
    if "origin" not in keys:
        return ()
    place = keys["origin"].numbers(count, "numbers, the co-ordinates of the lower corner", unit="m")
    if max(map(abs, place)) > _ORIGIN_MOST:
        raise keys["origin"].refuse(f"co-ordinates up to {SI.show(_ORIGIN_MOST, 'm')} metres")
    return place


def _shape(at: At, domain: Domain, base: Path | None) -> Stl:
    return read_stl_place(at, Space(domain, base))
