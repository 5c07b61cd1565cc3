"""The few words the named problems are written with."""

from __future__ import annotations

from trabecula.problem.materials import MATERIALS
from trabecula.problem.model import (
    Domain,
    FilterOptions,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.where import (
    AllOf,
    Box,
    Plane,
    Range,
    Where,
)


def at(**place: float | tuple[float, float]) -> Where:
    """`at(x=0, y=(0.2, 0.4))`: planes and ranges, intersected, as `{x: 0, y: [0.2, 0.4]}` in a file."""
    parts = tuple(
        Range(axis, float(value[0]), float(value[1]))
        if isinstance(value, tuple)
        else Plane(axis, float(value))
        for axis, value in place.items()
    )
    return parts[0] if len(parts) == 1 else AllOf(parts)


def box(low: tuple[float, ...], high: tuple[float, ...]) -> Where:
    """A box between two corners."""
    return Box(low, high)


def problem(
    name: str,
    size: tuple[float, ...],
    elements: tuple[int, ...],
    *,
    material: str,
    supports: tuple[Support, ...],
    cases: tuple[LoadCase, ...],
    volume: float,
    radius: float | None,
    thickness: float = 1.0,
    regions: tuple[Region, ...] = (),
    symmetry: tuple[str, ...] = (),
    minimum_stiffness: float = 1e-9,
    heat: bool = False,
) -> Problem:
    """A compliance problem under a volume; `radius` in metres, at least 1.5 voxels (None: just that)."""
    elements = tuple(int(n) for n in elements)
    domain = Domain(size, elements, thickness)
    if radius is not None and len(elements) == len(size) and min(elements) > 0:
        radius = max(radius, 1.5 * max(domain.spacing))
    return Problem(
        domain=domain,
        supports=supports,
        cases=cases,
        goal=Goal("thermal_compliance" if heat else "compliance", volume=volume),
        material=substance(material),
        regions=regions,
        options=Options(
            filter=FilterOptions("density", radius), symmetry=symmetry, minimum_stiffness=minimum_stiffness
        ),
        name=name,
    )


def substance(name: str) -> Material:
    """A material of the library."""
    return MATERIALS[name]


def one(*loads: Load) -> tuple[LoadCase, ...]:
    """The single load case."""
    return (LoadCase(loads),)
