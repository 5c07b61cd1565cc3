"""Problems to problem files, everything explicit: reading what was written gives the same problem again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from trabecula.problem.design_tables import FILTERS, FROM_OPTIONS, INTERPOLATIONS, OPTIMIZERS
from trabecula.problem.errors import ProblemError
from trabecula.problem.keyed import write_keys
from trabecula.problem.model import (
    Domain,
    FilterOptions,
    Goal,
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
    LOADS,
    VERSION,
    is_single,
    parse,
    selectors,
)
from trabecula.problem.tables import Table
from trabecula.problem.where import AllOf, AnyOf, Everywhere, Not, Stl, Where
from trabecula.problem.where_tree import where_tree
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
    """The tree of a problem file: dicts, lists, texts, numbers; JSON can write it."""
    options = problem.options
    tree: dict[str, Any] = {
        "trabecula": VERSION,
        "name": problem.name,
        "domain": _domain(problem.domain),
        "material": _material(problem.material),
        "supports": [_support(support) for support in problem.supports],
    }
    if problem.physics_name is not None:
        tree["physics"] = problem.physics_name
    if is_single(problem):
        tree["loads"] = [_load(load) for load in problem.cases[0].loads]
    else:
        tree["cases"] = [_case(case) for case in problem.cases]
    tree["regions"] = [_region(region) for region in problem.regions]
    verb = "maximize" if problem.goal.maximize else "minimize"
    goal: dict[str, Any] = {verb: problem.goal.minimize, **write_keys(problem.goal.keys)}
    if problem.goal.volume is not None:
        goal["volume"] = problem.goal.volume
    if problem.goal.compliance is not None:
        goal["compliance"] = list(problem.goal.compliance)
    tree["goal"] = goal
    if problem.goal.limits:
        tree["limits"] = [_limit(limit) for limit in problem.goal.limits]
    tree["options"] = {
        "penalty": options.penalty,
        "interpolation": _part(options.interpolation),
        "filter": _filter(options.filter),
        "projection": options.projection,
        "symmetry": list(options.symmetry),
        "minimum_stiffness": options.minimum_stiffness,
        "optimizer": _part(options.optimizer),
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
    _domain(problem.domain)  # refuses one that no file can hold
    found = [problem.domain.shape] if problem.domain.shape is not None else []
    found += [part.file for part in selectors(problem) if isinstance(part, Stl)]
    return tuple(dict.fromkeys(found))


def with_files(problem: Problem, renamed: dict[str, str]) -> Problem:
    """The same problem with its files under other names (after copying them next to a result, say)."""

    def where(part: Where) -> Where:
        if isinstance(part, Stl):
            return Stl(renamed.get(part.file, part.file))
        if isinstance(part, Not):
            return Not(where(part.part))
        if isinstance(part, (AllOf, AnyOf)):
            return type(part)(tuple(where(inner) for inner in part.parts))
        return part

    shape = problem.domain.shape
    return replace(
        problem,
        domain=replace(problem.domain, shape=None if shape is None else renamed.get(shape, shape)),
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


def _domain(domain: object) -> dict[str, Any]:
    if not isinstance(domain, Domain):
        mend = "keep its arrays with numpy.save"
        raise ProblemError("domain", f"is a {type(domain).__name__}", "has no form in a problem file", mend)
    tree: dict[str, Any] = {"size": list(domain.size), "elements": list(domain.elements)}
    if domain.dimension == 2 or domain.thickness != 1.0:
        tree["thickness"] = domain.thickness
    if domain.shape is not None:
        tree["shape"] = domain.shape
    return tree


def _material(material: Material) -> dict[str, Any]:
    return {
        "name": material.name,
        "young": material.young,
        "poisson": material.poisson,
        "density": material.density,
        "yield": material.yield_strength,
        "conductivity": material.conductivity,
    }


def _support(support: Support) -> dict[str, Any]:
    tree: dict[str, Any] = {"where": where_tree(support.where)}
    if support.fix:
        tree["fix"] = list(support.fix)
    if support.temperature is not None:
        tree["temperature"] = support.temperature
    return tree


def _case(case: LoadCase) -> dict[str, Any]:
    return {"name": case.name, "weight": case.weight, "loads": [_load(load) for load in case.loads]}


def _load(load: Load) -> dict[str, Any]:
    # Gravity pulls at all material, and says so only if somebody asked for something else.
    everywhere = load.gravity is not None and load.where == Everywhere()
    tree: dict[str, Any] = {} if everywhere else {"where": where_tree(load.where)}
    for key in LOADS:
        value = getattr(load, key)
        if value is not None:
            tree[key] = list(value) if isinstance(value, tuple) else value
    return tree


def _limit(limit: Limit) -> dict[str, Any]:
    sense = {} if limit.sense == "at_most" else {"sense": limit.sense}
    return {limit.quantity: limit.value, **write_keys(limit.keys), **sense}


def _filter(chosen: FilterOptions) -> dict[str, Any]:
    if chosen.keys is not None:
        return {"kind": chosen.kind, **write_keys(chosen.keys)}
    is_ours = chosen.kind in FILTERS.built_in
    return (
        {"kind": chosen.kind, "radius": chosen.radius}
        if is_ours or chosen.radius is not None
        else {"kind": chosen.kind}
    )


def _part(chosen: Any) -> Any:
    """An interpolation or an optimiser: its name, with its keys where it has any."""
    name = getattr(chosen, "name", None)
    if chosen is None or isinstance(chosen, str) or not isinstance(name, str):
        return chosen
    keys = {key: value for key, value in write_keys(chosen).items() if key not in FROM_OPTIONS}
    return {"kind": name, **keys} if keys else name


def _region(region: Region) -> dict[str, Any]:
    return {"where": where_tree(region.where), "as": region.kind}


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
        return repr(float(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(_flow(item) for item in value) + "]"
