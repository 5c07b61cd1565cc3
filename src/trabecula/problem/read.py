"""Problem files to problems: every key read strictly, every refusal a sentence that says how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

from trabecula.problem.errors import ProblemError
from trabecula.problem.estimate import refuse_if_too_large
from trabecula.problem.model import (
    UNNAMED,
    Hole,
    Load,
    LoadCase,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.physics import GOALS, PHYSICS, Physics, choose_physics
from trabecula.problem.read_box import read_domain, read_units
from trabecula.problem.read_design import read_material, read_options
from trabecula.problem.read_goal import read_goal
from trabecula.problem.read_hole import read_fix, read_hole, vector
from trabecula.problem.read_where import Space, read_where
from trabecula.problem.tables import BrokenEntryError, UnknownNameError
from trabecula.problem.unit_system import SI
from trabecula.problem.validation import At, either
from trabecula.problem.vocabulary import suggest
from trabecula.problem.where import Everywhere, Stl, Where
from trabecula.problem.yaml_strict import parse_text, read_text

VERSION = 1
MAX_CASES, MAX_ENTRIES = 200, 1000
MAX_SELECTORS, MAX_MESHES = 3000, 20
LOAD_UNITS = {"force": "N", "pressure": "Pa", "gravity": "m/s2", "heat": "W"}
LOADS = tuple(LOAD_UNITS)
"""Kinds of loads, of which each has one."""
_TOP = (
    "trabecula",
    "name",
    "units",
    "domain",
    "physics",
    "material",
    "supports",
    "loads",
    "cases",
    "regions",
    "holes",
    "goal",
    "limits",
    "options",
)


def load(path: str | Path, max_memory: float | None = None) -> Problem:
    """Read a problem file, YAML or JSON.

    Parameters
    ----------
    path
        The file; names in it count from its folder.
    max_memory
        Refuse problems that would need more, in bytes (default: four fifths of this machine's memory).

    Raises
    ------
    ProblemError
        With one clear message, on anything that is wrong with the file.
    """
    path = Path(path)
    text = read_text(path)
    kind = "json" if path.suffix.lower() == ".json" else "yaml"
    problem = parse(parse_text(text, kind, path.name), base=path.parent)
    refuse_if_too_large(problem, max_memory)
    return problem


def loads(text: str, kind: Literal["yaml", "json"] = "yaml", base: Path | None = None) -> Problem:
    """Read a problem from text; as `load`, without the limit on memory."""
    return parse(parse_text(text, kind), base=base)


def parse(tree: object, base: Path | None = None) -> Problem:
    """Read a problem from the tree of a problem file (dicts, lists, texts, numbers).

    Parameters
    ----------
    tree
        What YAML or JSON would give.
    base
        Folder that file names count from (default: they are kept as they are).

    Raises
    ------
    ProblemError
        With the key, the value, what is allowed, and how to mend it.
    """
    if not isinstance(tree, Mapping):
        raise ProblemError(
            "the file",
            "is empty" if tree is None else "is not a mapping",
            f"needs keys {', '.join(_TOP)}",
            "start with `trabecula: 1`",
        )
    top = At("", tree).mapping(_TOP, ("trabecula", "domain", "material", "goal"))
    top["trabecula"].whole(VERSION, VERSION, "the format version, 1")
    numbers, units = read_units(top["units"]) if "units" in top else (SI, SI)
    top = {key: replace(at, units=numbers) for key, at in top.items()}
    name = top["name"].text() if "name" in top else "problem"
    space = Space(read_domain(top["domain"], base), base)
    holes = tuple(read_hole(at, space) for at in _optional(top, "holes"))
    cases = _cases(top, space, holes)
    goal = read_goal(top["goal"], top.get("limits"), len(cases), space, _energy(top))
    physics_name = _physics_name(top["physics"], goal.minimize) if "physics" in top else None
    physics = choose_physics(goal.minimize, physics_name)
    weighs = any(one.gravity is not None for case in cases for one in case.loads)
    problem = Problem(
        domain=space.domain,
        supports=_supports(top, space, holes),
        cases=cases,
        goal=goal,
        material=read_material(top["material"], physics, weighs),
        regions=tuple(_region(at, space) for at in _optional(top, "regions")),
        options=read_options(top["options"], space) if "options" in top else Options(),
        name=name,
        physics_name=physics_name,
        holes=holes,
        units=units.name,
    )
    _check_kind(problem, physics)
    _check_number(problem)
    return problem


def _optional(top: dict[str, At], key: str) -> list[At]:
    return top[key].items(MAX_ENTRIES, f"a list of {key}", of_mappings=True) if key in top else []


def _energy(top: dict[str, At]) -> str:
    """The SI unit of the compliance: that of the physics which is named, or which the goal stands for."""
    goal = top["goal"].value
    aim = goal.get("minimize") if isinstance(goal, Mapping) else None
    named = top["physics"].value if "physics" in top else None
    name = named if isinstance(named, str) else None
    try:
        physics = choose_physics(aim if isinstance(aim, str) else "", name)
    except (UnknownNameError, BrokenEntryError):  # said where the name is read
        return "J"
    return physics.compliance_unit


def _supports(top: dict[str, At], space: Space, holes: tuple[Hole, ...]) -> tuple[Support, ...]:
    """What is held; nothing need be where a bolt holds the part."""
    is_held = any(hole.fix for hole in holes)
    if "supports" not in top:
        if is_held:
            return ()
        raise ProblemError("supports", "missing", "needs what is held", "write `- {where: {x: 0}, fix: all}`")
    supports = tuple(
        _support(at, space)
        for at in top["supports"].items(MAX_ENTRIES, "a list of supports", of_mappings=True)
    )
    if not supports and not is_held:
        raise top["supports"].refuse(
            "at least one support", "write `- {where: {x: 0}, fix: all}`", given="is empty"
        )
    return supports


def _support(at: At, space: Space) -> Support:
    keys = at.mapping(("where", "fix", "temperature"), ("where",))
    if ("fix" in keys) == ("temperature" in keys):
        given = "got both" if "fix" in keys else "got neither"
        raise at.refuse("either fix or temperature", "write `fix: all`", given=given)
    where = read_where(keys["where"], space)
    if "temperature" in keys:
        return Support(where, temperature=keys["temperature"].number(what="a temperature", unit="K"))
    return Support(where, fix=read_fix(keys["fix"], space))


def _cases(top: dict[str, At], space: Space, holes: tuple[Hole, ...]) -> tuple[LoadCase, ...]:
    is_loaded = any(hole.force is not None for hole in holes)
    if is_loaded and "loads" not in top and "cases" not in top:
        return (LoadCase(()),)
    if ("loads" in top) == ("cases" in top):
        both = "loads" in top
        raise ProblemError(
            "loads",
            "got both `loads` and `cases`" if both else "got neither `loads` nor `cases`",
            "needs one load case, or several with weights",
            "move `loads` into one of the cases, or leave `cases` out" if both else "write `loads: [...]`",
        )
    if "loads" in top:
        return (LoadCase(_loads(top["loads"], space, is_loaded)),)
    cases: list[LoadCase] = []
    for i, at in enumerate(top["cases"].items(MAX_CASES, "a list of load cases", of_mappings=True)):
        keys = at.mapping(("name", "weight", "loads"), ("loads",))
        name = keys["name"].text() if "name" in keys else f"case {i + 1}"
        if any(name == case.name for case in cases):
            raise keys.get("name", at).refuse("names that differ", given=f"{name!r} is given twice")
        weight = keys["weight"].number(above=0, what="a weight") if "weight" in keys else 1.0
        cases.append(LoadCase(_loads(keys["loads"], space, is_loaded), name, weight))
    if not cases:
        raise top["cases"].refuse("at least one load case", given="is empty")
    return tuple(cases)


def _loads(at: At, space: Space, may_be_empty: bool = False) -> tuple[Load, ...]:
    items = at.items(MAX_ENTRIES, "a list of loads", of_mappings=True)
    if not items and not may_be_empty:
        raise at.refuse("at least one load", "write `- {where: {x: 1}, force: [0, -100]}`", given="is empty")
    return tuple(_load(item, space) for item in items)


def _load(at: At, space: Space) -> Load:
    keys = at.mapping(("where", *LOADS))
    if sum(kind in keys for kind in LOADS) != 1:
        raise at.refuse(f"exactly one of {', '.join(LOADS)}", given=f"got {', '.join(keys) or 'nothing'}")
    count = len(space.axes)
    if "gravity" in keys:
        if "where" in keys and keys["where"].value != "everywhere":
            raise keys["where"].refuse("no where beside gravity: it pulls at all material", "leave where out")
        return Load(Everywhere(), gravity=vector(keys["gravity"], count, "accelerations", "m/s2"))
    if "where" not in keys:
        raise ProblemError(
            f"{at.path}.where",
            "missing",
            "needs where the load acts",
            "write `where: everywhere` if all is meant",
        )
    where = read_where(keys["where"], space)
    if "force" in keys:
        return Load(where, force=vector(keys["force"], count, "forces", "N"))
    if "pressure" in keys:
        return Load(where, pressure=keys["pressure"].number(what="a pressure", unit="Pa"))
    return Load(where, heat=keys["heat"].number(what="heat", unit="W"))


def _region(at: At, space: Space) -> Region:
    keys = at.mapping(("where", "as"), ("where", "as"))
    kind = cast(Literal["solid", "void"], keys["as"].choice(("solid", "void")))
    return Region(read_where(keys["where"], space), kind)


def _physics_name(at: At, minimize: str) -> str:
    """The name of a physics that is in the table and fits the goal."""
    if not isinstance(at.value, str) or at.value not in PHYSICS:
        known = PHYSICS.names()
        raise at.refuse(f"one of {', '.join(known)}", suggest(str(at.value), known))
    try:
        physics = PHYSICS[at.value]
    except BrokenEntryError as error:
        raise ProblemError(at.path, str(error)) from error
    wanted = GOALS.get(minimize)
    if wanted is not None and not set(wanted.loads) & set(physics.loads):
        raise at.refuse(f"a physics with {either(wanted.loads)} when minimising {minimize}", "leave it out")
    return at.value


def _check_kind(problem: Problem, physics: Physics) -> None:
    """Supports and loads are of the kinds that the physics takes."""
    for i, support in enumerate(problem.supports):
        key = "fix" if support.temperature is None else "temperature"
        _refuse_other(problem, f"supports[{i}]", key, "supports", physics.supports)
    for i, hole in enumerate(problem.holes):
        for key, given, what, taken in (
            ("fix", hole.fix, "supports", physics.supports),
            ("force", hole.force, "loads", physics.loads),
        ):
            if given:
                _refuse_other(problem, f"holes[{i}].{key}", key, what, taken)
    for c, case in enumerate(problem.cases):
        for i, one in enumerate(case.loads):
            key = next(kind for kind in LOADS if getattr(one, kind) is not None)
            _refuse_other(problem, load_path(problem, c, i), key, "loads", physics.loads)


def _refuse_other(problem: Problem, path: str, key: str, what: str, taken: tuple[str, ...]) -> None:
    """Refuse a support or load of a kind that is not taken."""
    if key in taken:
        return
    named = problem.physics_name
    given = f"goal.minimize: {problem.goal.minimize}" if named is None else f"physics: {named}"
    others = [name for name, physics in GOALS.items() if key in (*physics.supports, *physics.loads)]
    mend = f"or minimise {others[0]}" if others and named is None else ""
    raise ProblemError(path, f"does not fit {given}", f"needs {what} with {either(taken)}", mend)


def _check_number(problem: Problem) -> None:
    """Every selector looks at the whole grid, so their number is kept in bounds."""
    every = selectors(problem)
    meshes = sum(isinstance(part, Stl) for part in every)
    if len(every) > MAX_SELECTORS or meshes > MAX_MESHES:
        said = f"hold {meshes} STL files" if meshes > MAX_MESHES else f"hold {len(every)} selectors"
        allowed = f"at most {MAX_SELECTORS} selectors, {MAX_MESHES} of them STL files"
        raise ProblemError("where", said, allowed, "describe shapes by ranges, round parts or one STL file")


def selectors(problem: Problem) -> list[Where]:
    """All selectors of a problem, at any depth."""
    wheres = [
        *(support.where for support in problem.supports),
        *(load.where for case in problem.cases for load in case.loads),
        *(region.where for region in problem.regions),
    ]
    return [part for where in wheres for part in where.every()]


def is_single(problem: Problem) -> bool:
    """Whether the file form is `loads:` (one plain load case) and not `cases:`."""
    return len(problem.cases) == 1 and problem.cases[0].name == UNNAMED and problem.cases[0].weight == 1.0


def load_path(problem: Problem, case: int, index: int | None = None) -> str:
    """The key of a load: `loads[0]` or `cases[1].loads[0]`; without index, of its case."""
    stem = "loads" if is_single(problem) else f"cases[{case}].loads"
    return stem if index is None else f"{stem}[{index}]"


def span(problem: Problem) -> str:
    """Where the domain is, for messages: `the domain spans x 0..6, y 0..1`."""
    domain = problem.domain
    return f"the domain spans {problem.unit_system.tell_spans(domain.low, domain.high)}"
