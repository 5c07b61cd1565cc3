"""Problem files to problems: every key read strictly, every refusal a sentence that says how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from trabecula.problem.errors import ProblemError
from trabecula.problem.estimate import refuse_if_too_large
from trabecula.problem.model import (
    AXES,
    UNNAMED,
    Domain,
    Load,
    LoadCase,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.physics import GOALS, PHYSICS, Physics, choose_physics
from trabecula.problem.read_design import read_material, read_options
from trabecula.problem.read_goal import read_goal
from trabecula.problem.read_where import Space, read_where
from trabecula.problem.tables import BrokenEntryError
from trabecula.problem.validation import At, either, nearest
from trabecula.problem.where import Everywhere, Stl, Where
from trabecula.problem.yaml_strict import parse_text, read_text

VERSION = 1
MAX_CASES, MAX_ENTRIES = 200, 1000
MAX_SELECTORS, MAX_MESHES = 3000, 20
LOADS = ("force", "pressure", "gravity", "heat")
"""Kinds of loads, of which each has one."""
_TOP = (
    "trabecula",
    "name",
    "domain",
    "physics",
    "material",
    "supports",
    "loads",
    "cases",
    "regions",
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
            "the file", "is not a mapping", f"needs keys {', '.join(_TOP)}", "start with `trabecula: 1`"
        )
    top = At("", tree).mapping(_TOP, ("trabecula", "domain", "material", "supports", "goal"))
    top["trabecula"].whole(VERSION, VERSION, "the format version, 1")
    name = top["name"].text() if "name" in top else "problem"
    space = Space(_domain(top["domain"], base), base)
    cases = _cases(top, space)
    goal = read_goal(top["goal"], top.get("limits"), len(cases), space)
    physics_name = _physics_name(top["physics"], goal.minimize) if "physics" in top else None
    physics = choose_physics(goal.minimize, physics_name)
    weighs = any(one.gravity is not None for case in cases for one in case.loads)
    supports = tuple(_support(at, space) for at in top["supports"].items(MAX_ENTRIES, "a list of supports"))
    if not supports:
        raise top["supports"].refuse("at least one support", given="is empty")
    problem = Problem(
        domain=space.domain,
        supports=supports,
        cases=cases,
        goal=goal,
        material=read_material(top["material"], physics, weighs),
        regions=tuple(_region(at, space) for at in _optional(top, "regions")),
        options=read_options(top["options"], space) if "options" in top else Options(),
        name=name,
        physics_name=physics_name,
    )
    _check_kind(problem, physics)
    _check_number(problem)
    return problem


def _optional(top: dict[str, At], key: str) -> list[At]:
    return top[key].items(MAX_ENTRIES) if key in top else []


def _domain(at: At, base: Path | None) -> Domain:
    keys = at.mapping(("size", "elements", "resolution", "thickness", "shape", "mesh"), ("size",), empty=True)
    if "mesh" in keys:
        raise keys["mesh"].refuse("a box of voxels", "use `shape: part.stl`; meshes are not read yet")
    lengths = keys["size"].items(3, "a list of two or three lengths in metres")
    if len(lengths) not in (2, 3):
        raise keys["size"].refuse("two lengths (plane stress) or three (solid), in metres")
    size = tuple(
        length.number(above=0, least=1e-9, most=1e9, what="a length in metres") for length in lengths
    )
    if ("elements" in keys) == ("resolution" in keys):
        raise at.refuse(
            "either elements or resolution", "write `elements: [...]`", given="got neither or both"
        )
    if "elements" in keys:
        counts = keys["elements"].items(3, "a list of whole numbers")
        if len(counts) != len(size):
            raise keys["elements"].refuse(f"{len(size)} whole numbers, as many as domain.size")
        elements = tuple(count.whole(1, 10**9) for count in counts)
    else:
        edge = keys["resolution"].number(above=0, most=min(size), what="an edge length in metres")
        elements = tuple(max(1, round(s / edge)) for s in size)
    thickness = (
        keys["thickness"].number(above=0, what="a thickness in metres") if "thickness" in keys else 1.0
    )
    shape = None
    if len(size) == 3 and thickness != 1.0:
        raise keys["thickness"].refuse("a 2-D domain to mean anything", "leave it out")
    if "shape" in keys:
        if len(size) == 2:
            raise keys["shape"].refuse("a 3-D domain", "give domain.size three numbers")
        shape = Space(Domain(size, elements), base).file(keys["shape"])
    return Domain(size, elements, thickness, shape)


def _support(at: At, space: Space) -> Support:
    keys = at.mapping(("where", "fix", "temperature"), ("where",))
    if ("fix" in keys) == ("temperature" in keys):
        raise at.refuse("either fix or temperature", "write `fix: [x, y]`", given="got neither or both")
    where = read_where(keys["where"], space)
    if "temperature" in keys:
        return Support(where, temperature=keys["temperature"].number(what="a temperature"))
    fixed = tuple(
        item.choice(space.axes) for item in keys["fix"].items(3, f"a list of {', '.join(space.axes)}")
    )
    if not fixed or len(set(fixed)) != len(fixed):
        raise keys["fix"].refuse(f"a list of {', '.join(space.axes)}, each at most once")
    return Support(where, fix=fixed)


def _cases(top: dict[str, At], space: Space) -> tuple[LoadCase, ...]:
    if ("loads" in top) == ("cases" in top):
        raise ProblemError(
            "loads",
            "got neither or both of `loads` and `cases`",
            "needs one load case, or several with weights",
            "write `loads: [...]`",
        )
    if "loads" in top:
        return (LoadCase(_loads(top["loads"], space)),)
    cases: list[LoadCase] = []
    for i, at in enumerate(top["cases"].items(MAX_CASES, "a list of load cases")):
        keys = at.mapping(("name", "weight", "loads"), ("loads",))
        name = keys["name"].text() if "name" in keys else f"case {i + 1}"
        if any(name == case.name for case in cases):
            raise keys.get("name", at).refuse("names that differ", given=f"{name!r} is given twice")
        weight = keys["weight"].number(above=0, what="a weight") if "weight" in keys else 1.0
        cases.append(LoadCase(_loads(keys["loads"], space), name, weight))
    if not cases:
        raise top["cases"].refuse("at least one load case", given="is empty")
    return tuple(cases)


def _loads(at: At, space: Space) -> tuple[Load, ...]:
    items = at.items(MAX_ENTRIES, "a list of loads")
    if not items:
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
        return Load(Everywhere(), gravity=keys["gravity"].numbers(count, "accelerations in m/s2"))
    if "where" not in keys:
        raise ProblemError(
            f"{at.path}.where",
            "missing",
            "needs where the load acts",
            "write `where: everywhere` if all is meant",
        )
    where = read_where(keys["where"], space)
    if "force" in keys:
        return Load(where, force=keys["force"].numbers(count, "forces in N"))
    if "pressure" in keys:
        return Load(where, pressure=keys["pressure"].number(what="a pressure in Pa"))
    return Load(where, heat=keys["heat"].number(what="heat in W"))


def _region(at: At, space: Space) -> Region:
    keys = at.mapping(("where", "as"), ("where", "as"))
    kind = cast(Literal["solid", "void"], keys["as"].choice(("solid", "void")))
    return Region(read_where(keys["where"], space), kind)


def _physics_name(at: At, minimize: str) -> str:
    """The name of a physics that is in the table and fits the goal."""
    if not isinstance(at.value, str) or at.value not in PHYSICS:
        known = PHYSICS.names()
        raise at.refuse(f"one of {', '.join(known)}", nearest(str(at.value), known))
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


def span(domain: Domain) -> str:
    """Where the domain is, for messages: `the domain spans x 0..6, y 0..1`."""
    return "the domain spans " + ", ".join(
        f"{axis} 0..{size:g}" for axis, size in zip(AXES, domain.size, strict=False)
    )
