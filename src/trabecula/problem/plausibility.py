"""Sizes and material values that look as if they were written in another unit: a question for each."""

from __future__ import annotations

import math
from collections.abc import Iterator

from trabecula.problem.errors import Caution
from trabecula.problem.model import Material, Problem
from trabecula.problem.unit_system import SI, UnitSystem

_SOFTEST, _HARDEST = 2e5, 1.3e12  # Pa; soft foams, diamond
_METAL, _PLASTIC = 2500.0, 1e9  # kg/m3 and Pa: nothing that heavy is that soft
_LIGHTEST, _HEAVIEST = 15.0, 23_000.0  # kg/m3; foams, osmium
_WEAK = 1e-6  # of the modulus, as a strength
_LARGE, _SLIGHT = 20.0, 1.0  # m, and Pa as a force by the square of the size
_SMALL = 1e-3  # m
_FASTEST = 3000.0  # m/s2


def questions(problem: Problem) -> list[Caution]:
    """What a person should look at again, with the unit that was probably meant.

    A modulus of exactly 1 marks a problem without units, as the literature has them; it is asked nothing.
    """
    if problem.physics.name != "elasticity" or problem.material.young == 1.0:
        return []
    units, material = problem.unit_system, problem.material
    found = [
        *_modulus(material, units),
        *_strength(material, units),
        *_density(material),
        *_size(problem, units),
        *_gravity(problem),
    ]
    return [Caution(where, text) for where, text in found]


def _modulus(material: Material, units: UnitSystem) -> Iterator[tuple[str, str]]:
    said = f"young is {units.tell(material.young, 'Pa')}"
    value = units.from_si(material.young, "Pa")
    if material.young < _SOFTEST:
        for name, pascals in (("GPa", 1e9), ("MPa", 1e6)):
            meant = value * pascals
            if 1e8 <= meant <= _HARDEST:
                other = ", or `units: mm` with MPa" if units is SI else ""
                number = _exactly(units.from_si(meant, "Pa"))
                meant_so = f"did you mean {number} ({value:g} {name}){other}?"
                yield "material.young", f"{said}, softer than foam: {meant_so}"
                return
        yield "material.young", f"{said}, softer than foam: is it in {units.unit('Pa')}?"
    elif material.young > _HARDEST:
        yield "material.young", f"{said}, stiffer than diamond: is it in {units.unit('Pa')}?"
    elif material.density >= _METAL and material.young < _PLASTIC:
        dense = f"with a density of {material.density:g} kg/m3"
        likely = _exactly(units.from_si(material.young * 1e3, "Pa"))
        yield "material.young", f"{said}, softer than plastics {dense}: did you mean {likely}?"


def _strength(material: Material, units: UnitSystem) -> Iterator[tuple[str, str]]:
    strength = material.yield_strength
    if strength is None or material.young < _SOFTEST:
        return
    said = f"yield is {units.tell(strength, 'Pa')}"
    if strength > material.young:
        more = f"more than young ({units.tell(material.young, 'Pa')})"
        yield "material.yield", f"{said}, {more}: are both meant so?"
    elif strength < _WEAK * material.young:
        value = units.from_si(strength, "Pa")
        meant = _exactly(units.from_si(value * 1e6, "Pa"))
        hint = f"did you mean {meant} ({value:g} MPa)" if units is SI else f"is it in {units.unit('Pa')}"
        yield "material.yield", f"{said}, a millionth of young and less: {hint}?"


def _density(material: Material) -> Iterator[tuple[str, str]]:
    density = material.density
    if density == 1.0 or _LIGHTEST <= density <= _HEAVIEST:
        return
    said = f"density is {density:g} kg/m3"
    for name, factor in (("g/cm3", 1e3), ("t/mm3", 1e12)):
        if 100.0 <= density * factor <= _HEAVIEST:
            meant = _exactly(density * factor)
            yield "material.density", f"{said}: did you mean {meant} ({density:g} {name})?"
            return
    yield "material.density", f"{said}, which no solid has: is it in kg/m3?"


def _size(problem: Problem, units: UnitSystem) -> Iterator[tuple[str, str]]:
    domain = problem.domain
    largest = max(domain.size)
    edges = " x ".join(units.show(edge, "m") for edge in domain.size)
    said = f"the domain measures {edges} {units.unit('m')}"
    if units is not SI:
        if largest < _SMALL:
            yield "domain.size", f"{said}: is it in metres? leave `units: mm` out then"
        return
    loads = [load for case in problem.cases for load in case.loads]
    forces = [load.force for load in loads] + [hole.force for hole in problem.holes]
    strongest = max((math.hypot(*force) for force in forces if force is not None), default=0.0)
    only_forces = all(load.force is not None for load in loads)
    if largest >= _LARGE and only_forces and 0.0 < strongest < _SLIGHT * largest**2:
        yield (
            "domain.size",
            f"{said}, and the largest force is {strongest:g} N: did you mean `units: mm`?",
        )


def _gravity(problem: Problem) -> Iterator[tuple[str, str]]:
    for case in problem.cases:
        for load in case.loads:
            size = math.hypot(*load.gravity) if load.gravity is not None else 0.0
            if _FASTEST < size < 1e1 * _FASTEST:
                meant = f"did you mean {size / 1e3:g}? accelerations are in m/s2 in all units"
                yield "loads.gravity", f"gravity is {size:g} m/s2: {meant}"
                return


def _exactly(value: float) -> str:
    """A number as a person writes it in a file: 7850, 70e9, 2.76e8."""
    if not math.isfinite(value) or value == 0.0:
        return f"{value:g}"
    power = 3 * math.floor(math.log10(abs(value)) / 3)
    if -3 <= power <= 3:
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    return f"{value / 10.0**power:.6g}e{power}"
