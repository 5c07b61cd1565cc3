"""Problems to problem files, everything explicit: reading what was written gives the same problem again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trabecula.problem.design_tables import FILTERS, FROM_OPTIONS, INTERPOLATIONS, OPTIMIZERS
from trabecula.problem.errors import ProblemError
from trabecula.problem.keyed import write_keys
from trabecula.problem.model import (
    Domain,
    FilterOptions,
    Goal,
    Hole,
    Limit,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.read import (
    LOAD_UNITS,
    LOADS,
    VERSION,
    is_single,
    parse,
    selectors,
)
from trabecula.problem.tables import Table
from trabecula.problem.unit_system import SI, UnitSystem
from trabecula.problem.where import AllOf, AnyOf, Everywhere, Not, Stl, Where
from trabecula.problem.where_tree import stl_tree, where_tree
from trabecula.problem.yaml_strict import resolve

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")


def dump(problem: Problem) -> str:
    """Write a problem as YAML, everything explicit; `load` of it gives an equal problem.

    What is left to the program (a measured default) stands there as `null`.
    """
    tree = to_tree(problem)
    lines: list[str] = []
    for key, value in tree.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"{key}:", *(f"  - {_flow(item)}" for item in value)]
        elif isinstance(value, dict):
            lines += [f"{key}:", *(f"  {inner}: {_flow(item)}" for inner, item in value.items())]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def to_tree(problem: Problem) -> dict[str, Any]:
    """The tree of a problem file: dicts, lists, texts, numbers; JSON can write it.

    Its numbers are in the problem's units. Where one of them, made in Python with more digits than a person
    writes, would not be read back as it was, all are in SI, and only results speak the problem's units.
    """
    units = problem.unit_system
    tree = {"trabecula": VERSION, "name": problem.name, **_given_in(problem, units)}
    if units is SI:
        return tree
    faithful = _Faithful(units)
    _given_in(problem, faithful)
    if faithful.is_exact:
        return {**_first(tree), "units": units.name, **tree}
    said = {"units": {"numbers": SI.name, "results": units.name}}
    return {**_first(tree), **said, **_given_in(problem, SI)}


@dataclass(frozen=True)
class _Faithful(UnitSystem):
    """Units that notice whether every number is read back as it was."""

    lost: list[float] = field(default_factory=list)

    def __init__(self, units: UnitSystem) -> None:
        super().__init__(units.name, units.others)
        object.__setattr__(self, "lost", [])

    @property
    def is_exact(self) -> bool:
        """Whether it was so for all numbers up to now."""
        return not self.lost

    def from_si(self, value: float, kind: str) -> float:
        """As `UnitSystem.from_si`."""
        found = super().from_si(value, kind)
        if self.to_si(found, kind) != value:
            self.lost.append(value)
        return found


def _first(tree: dict[str, Any]) -> dict[str, Any]:
    """What stands at the head of a file."""
    return {key: tree[key] for key in ("trabecula", "name")}


def _given_in(problem: Problem, units: UnitSystem) -> dict[str, Any]:
    """All of a problem's tree but its head, in some units."""
    options = problem.options
    energy = problem.physics.compliance_unit
    tree: dict[str, Any] = {
        "domain": _domain(problem.domain, units),
        "material": _material(problem.material, units),
    }
    if problem.supports or not problem.holes:
        tree["supports"] = [_support(support, units) for support in problem.supports]
    if problem.physics_name is not None:
        tree["physics"] = problem.physics_name
    if not is_single(problem):
        tree["cases"] = [_case(case, units) for case in problem.cases]
    elif problem.cases[0].loads or not problem.holes:
        tree["loads"] = [_load(load, units) for load in problem.cases[0].loads]
    tree["regions"] = [_region(region, units) for region in problem.regions]
    if problem.holes:
        tree["holes"] = [_hole(hole, units) for hole in problem.holes]
    verb = "maximize" if problem.goal.maximize else "minimize"
    goal: dict[str, Any] = {verb: problem.goal.minimize, **write_keys(problem.goal.keys, units)}
    if problem.goal.volume is not None:
        goal["volume"] = problem.goal.volume
    if problem.goal.compliance is not None:
        goal["compliance"] = [units.from_si(one, energy) for one in problem.goal.compliance]
    tree["goal"] = goal
    if problem.goal.limits:
        tree["limits"] = [_limit(limit, units, energy) for limit in problem.goal.limits]
    tree["options"] = {
        "penalty": options.penalty,
        "interpolation": _part(options.interpolation, units),
        "filter": _filter(options.filter, units),
        "projection": options.projection,
        "symmetry": list(options.symmetry),
        "minimum_stiffness": options.minimum_stiffness,
        "optimizer": _part(options.optimizer, units),
        "move": options.move,
        "seed": options.seed,
    }
    return tree


def validate(problem: Problem) -> None:
    """Hold a problem built in Python to the rules of the file, with the same messages.

    Raises
    ------
    ProblemError
        As `parse`.
    """
    parse(to_tree(_without_unregistered(problem)))


def _without_unregistered(problem: Problem) -> Problem:
    """The same problem with a plain part wherever one was given as an object that no file could name."""
    problem = replace(problem, options=_with_plain(problem.options))
    goal = problem.goal
    limits = tuple(one for one in goal.limits if _can_be_named(QUANTITIES, one.quantity, one.keys))
    if not _can_be_named(QUANTITIES, goal.minimize, goal.keys):
        return replace(problem, goal=Goal("compliance", volume=goal.volume or 0.5, limits=limits))
    if len(limits) < len(goal.limits) and not limits and goal.volume is None and goal.compliance is None:
        return replace(problem, goal=replace(goal, limits=(Limit("volume", 0.5),)))
    return replace(problem, goal=replace(goal, limits=limits))


def _with_plain(options: Options) -> Options:
    """The same options without filter, interpolation and optimiser that no file could name."""
    chosen = options.filter
    if not _can_be_named(FILTERS, chosen.kind, chosen.keys):
        options = replace(options, filter=FilterOptions())
    if not _can_be_named(INTERPOLATIONS, getattr(options.interpolation, "name", ""), options.interpolation):
        options = replace(options, interpolation=None)
    if not _can_be_named(OPTIMIZERS, getattr(options.optimizer, "name", ""), options.optimizer):
        options = replace(options, optimizer=None)
    return options


def _can_be_named(table: Table[Any], name: str, given: object) -> bool:
    """Whether a part was given by its name (or as anything that is no part), or is an entry of a table."""
    if given is None or isinstance(given, str) or not name:
        return True
    return name in table and isinstance(given, table[name])


def files(problem: Problem) -> tuple[str, ...]:
    """The files a problem needs besides itself (STL shapes), each once."""
    _domain(problem.domain, SI)  # refuses one that no file can hold
    solid = problem.domain.solid
    found = [solid.file] if solid is not None else []
    found += [part.file for part in selectors(problem) if isinstance(part, Stl)]
    return tuple(dict.fromkeys(found))


def with_files(problem: Problem, renamed: dict[str, str]) -> Problem:
    """The same problem with its files under other names (after copying them next to a result, say)."""

    def where(part: Where) -> Where:
        if isinstance(part, Stl):
            return replace(part, file=renamed.get(part.file, part.file))
        if isinstance(part, Not):
            return Not(where(part.part))
        if isinstance(part, (AllOf, AnyOf)):
            return type(part)(tuple(where(inner) for inner in part.parts))
        return part

    solid = problem.domain.solid
    shape = None if solid is None else replace(solid, file=renamed.get(solid.file, solid.file))
    return replace(
        problem,
        domain=replace(problem.domain, shape=shape),
        supports=tuple(replace(s, where=where(s.where)) for s in problem.supports),
        regions=tuple(replace(r, where=where(r.where)) for r in problem.regions),
        cases=tuple(
            replace(c, loads=tuple(replace(load, where=where(load.where)) for load in c.loads))
            for c in problem.cases
        ),
    )


def save(problem: Problem, path: str | Path) -> None:
    """Write a problem file (JSON if the name ends so, else YAML)."""
    path = Path(path)
    text = json.dumps(to_tree(problem), indent=2) + "\n" if path.suffix.lower() == ".json" else dump(problem)
    path.write_text(text, encoding="utf-8")


def _domain(domain: object, units: UnitSystem) -> dict[str, Any]:
    if not isinstance(domain, Domain):
        mend = "keep its arrays with numpy.save"
        raise ProblemError("domain", f"is a {type(domain).__name__}", "has no form in a problem file", mend)
    size = [units.from_si(edge, "m") for edge in domain.size]
    tree: dict[str, Any] = {"size": size, "elements": list(domain.elements)}
    if domain.origin:
        tree["origin"] = [units.from_si(place, "m") for place in domain.origin]
    if domain.dimension == 2 or domain.thickness != 1.0:
        tree["thickness"] = units.from_si(domain.thickness, "m")
    if domain.solid is not None:
        tree["shape"] = stl_tree(domain.solid, units)
    return tree


def _material(material: Material, units: UnitSystem) -> dict[str, Any]:
    strength = material.yield_strength
    return {
        "name": material.name,
        "young": units.from_si(material.young, "Pa"),
        "poisson": material.poisson,
        "density": units.from_si(material.density, "kg/m3"),
        "yield": None if strength is None else units.from_si(strength, "Pa"),
        "conductivity": units.from_si(material.conductivity, "W/(m K)"),
    }


def _support(support: Support, units: UnitSystem) -> dict[str, Any]:
    tree: dict[str, Any] = {"where": where_tree(support.where, units)}
    if support.fix:
        tree["fix"] = list(support.fix)
    if support.temperature is not None:
        tree["temperature"] = units.from_si(support.temperature, "K")
    return tree


def _case(case: LoadCase, units: UnitSystem) -> dict[str, Any]:
    return {"name": case.name, "weight": case.weight, "loads": [_load(load, units) for load in case.loads]}


def _load(load: Load, units: UnitSystem) -> dict[str, Any]:
    # Gravity pulls at all material, and says so only if somebody asked for something else.
    everywhere = load.gravity is not None and load.where == Everywhere()
    tree: dict[str, Any] = {} if everywhere else {"where": where_tree(load.where, units)}
    for key in LOADS:
        value = getattr(load, key)
        if value is not None:
            tree[key] = _numbers(value, LOAD_UNITS[key], units)
    return tree


def _hole(hole: Hole, units: UnitSystem) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "at": _numbers(hole.at, "m", units),
        "axis": hole.axis,
        "diameter": units.from_si(hole.diameter, "m"),
        "wall": units.from_si(hole.wall, "m"),
    }
    if hole.depth is not None:
        tree["depth"] = units.from_si(hole.depth, "m")
    if hole.fix:
        tree["fix"] = list(hole.fix)
    if hole.force is not None:
        tree["force"] = _numbers(hole.force, "N", units)
    return tree


def _numbers(value: Any, unit: str, units: UnitSystem) -> Any:
    """A number, or a tuple of them as a list, in some units."""
    if isinstance(value, tuple):
        return [units.from_si(one, unit) for one in value]
    return units.from_si(value, unit)


def _limit(limit: Limit, units: UnitSystem, energy: str) -> dict[str, Any]:
    sense = {} if limit.sense == "at_most" else {"sense": limit.sense}
    known = limit.quantity in QUANTITIES
    quantity = QUANTITIES[limit.quantity] if known else None
    unit = energy if limit.quantity == "compliance" else getattr(quantity, "unit", "")
    return {limit.quantity: units.from_si(limit.value, unit), **write_keys(limit.keys, units), **sense}


def _filter(chosen: FilterOptions, units: UnitSystem) -> dict[str, Any]:
    if chosen.keys is not None:
        return {"kind": chosen.kind, **write_keys(chosen.keys, units)}
    is_ours = chosen.kind in FILTERS.built_in
    radius = None if chosen.radius is None else units.from_si(chosen.radius, "m")
    return {"kind": chosen.kind, "radius": radius} if is_ours or radius is not None else {"kind": chosen.kind}


def _part(chosen: Any, units: UnitSystem) -> Any:
    """An interpolation or an optimiser: its name, with its keys where it has any."""
    name = getattr(chosen, "name", None)
    if chosen is None or isinstance(chosen, str) or not isinstance(name, str):
        return chosen
    keys = {key: value for key, value in write_keys(chosen, units).items() if key not in FROM_OPTIONS}
    return {"kind": name, **keys} if keys else name


def _region(region: Region, units: UnitSystem) -> dict[str, Any]:
    return {"where": where_tree(region.where, units), "as": region.kind}


def _flow(value: Any) -> str:
    """One value in YAML's flow form (a line)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = (
            _PLAIN.match(value)
            and resolve(value) == value
            and value.lower() not in ("yes", "no", "on", "off")
        )
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _with_point(repr(float(value)))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(_flow(item) for item in value) + "]"


def _with_point(number: str) -> str:
    """A number that other readers take for one too: to YAML 1.1, `1e-09` is a text and `1.0e-09` a number."""
    mantissa, exponent, power = number.partition("e")
    return number if "." in mantissa or not exponent else f"{mantissa}.0e{power}"
