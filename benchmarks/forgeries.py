"""Saved results, forged: every field of every file altered one at a time, and fields that fit each other.

Alterations are made from what is in the files, so that a field that is added is forged too. What `check` may
let pass is named in `HARMLESS`, each with the reason (docs/certificate.md has the same list).
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.record import Certificate
from trabecula.certificate.words import shortcomings
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.part import Part
from trabecula.problem import ProblemError, load
from trabecula.problem.read import parse
from trabecula.problem.write import to_tree
from trabecula.results.result_folder import (
    DENSITY,
    HISTORY,
    PART,
    PROBLEM,
    RESULT,
    STATE,
)
from trabecula.status import EXPLANATIONS, Status
from trabecula.storage.reading import read_arrays
from trabecula.storage.tables import format_history, parse_history
from trabecula.storage.writing import write_arrays

Change = Callable[[Path], None]
Tree = Any

NOTHING = 1e-6
"""Difference of densities up to which nothing was altered."""

UNKNOWABLE = "nothing follows from it"
LESS = "claims no more than is true"

HARMLESS = {
    r"result.json (version|machine|threads|solves|seconds|out)": UNKNOWABLE,
    r"result.json tolerance": "the stopping rule is met with the other tolerance, too",
    r"result.json start": "'coarse' and 'learned' differ by what drew the first design alone",
    r"result.json stages\[\].(name|iterations|seconds)": UNKNOWABLE,
    r"result.json learned(\[\].*)?": UNKNOWABLE,
    r"result.json certificate.equilibrium_residual": "other displacements balance the loads as well",
    r"history.csv (first|last) (change|kkt|cg_iterations|residual|seconds)": UNKNOWABLE,
    r"history.csv (first|last) (compliance|objective|volume)": UNKNOWABLE,
    r"state.npz relaxed": "any density that proves the bound again is a proof",
    r"state.npz design voxel": "a steep projection makes the same density of it",
    r"problem.yaml name, result.json name": "a name is no claim",
    r"problem.yaml options.(optimizer|move|seed)": "how it was solved is no claim about what came out",
    r"problem.yaml material.name|problem.yaml cases\[\].name": "a name is no claim",
    r"history.csv column kkt removed": UNKNOWABLE,
    r"iterations, history of a way that stopped early": UNKNOWABLE,
    r"humbler": LESS,
}
"""Places, as patterns, whose alterations may pass, and why."""

ANOTHER = (
    r"problem.yaml (material|supports|loads|cases|regions|goal|domain)[.\[].*"
    r"|problem.yaml (supports|loads|cases|regions)"
    r"|problem.yaml options.(minimum_stiffness|symmetry|interpolation|filter.*)"
)
"""Places in the problem where a result may be true of what is then asked, number for number: a load case that
hardly counts, a hole where there was no material, a looser limit on what nothing bounds."""


@dataclass(frozen=True)
class Forgery:
    """One way to forge a saved result: its `name`, the `place` it alters, and how, in a copied folder."""

    name: str
    place: str
    change: Change


def is_harmless(forgery: Forgery) -> bool:
    """Whether `check` may let it pass."""
    return any(re.fullmatch(pattern, forgery.place) for pattern in HARMLESS)


def asks_another(forgery: Forgery) -> bool:
    """Whether another problem is asked, of which the same may be true."""
    return re.fullmatch(ANOTHER, forgery.place) is not None


def apply(forgery: Forgery, saved: Path, target: Path) -> Path:
    """A forged copy of a saved result, in place of an earlier one."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(saved, target)
    forgery.change(target)
    return target


def forgeries(saved: Path) -> list[Forgery]:
    """Every alteration of a saved result that changes what it says."""
    return [
        *_of_result(saved),
        *_of_problem(saved),
        *_of_arrays(saved),
        *_of_part(saved),
        *_of_history(saved),
        *_pairs(saved),
    ]


def _of_result(saved: Path) -> Iterator[Forgery]:
    tree = json.loads((saved / RESULT).read_text())
    for where, place, value in _leaves(tree):
        for new in _others(value):
            yield Forgery(
                f"{RESULT} {where}: {value!r} -> {new!r}", f"{RESULT} {place}", partial(_put, where, new)
            )
    for key in tree:
        yield Forgery(f"{RESULT} {key} removed", f"{RESULT} {key} removed", partial(_drop, key))
    yield Forgery(f"{RESULT} unknown field", f"{RESULT} unknown", partial(_put, ("award",), "gold"))
    for field in tree["certificate"]:
        where = ("certificate", field)
        yield Forgery(f"{RESULT} {field} removed", f"{RESULT} certificate removed", partial(_drop, *where))
    for field in tree["part"]:
        where = ("part", field)
        yield Forgery(f"{RESULT} part {field} removed", f"{RESULT} part removed", partial(_drop, *where))
    emptied = dict.fromkeys(tree["certificate"])
    yield Forgery(
        f"{RESULT} every proof nulled", f"{RESULT} certificate", partial(_put, ("certificate",), emptied)
    )


def _leaves(
    tree: Tree, where: tuple[Any, ...] = (), place: str = ""
) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """Every value that is no mapping and no list of them: how to reach it, its place, itself."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*where, key), f"{place}.{key}" if place else str(key))
    elif isinstance(tree, list):
        if tree:
            yield where, place, tree
        for number, value in enumerate(tree):
            yield from _leaves(value, (*where, number), f"{place}[]")
    else:
        yield where, place, tree


def _others(value: Any) -> list[Any]:
    """Other values of the kind, and none."""
    if isinstance(value, bool):
        return [not value, None]
    if isinstance(value, int):
        return [value + 1, value - 1, None]
    if isinstance(value, float):
        return [value * 1.3, None] if abs(value) > 1e-6 else [0.3, None]
    if isinstance(value, list):
        return [value[:-1], [*value, value[-1]], None]
    if value is None:
        return [0.5, 7]
    return [*{"certified", "converged", "verified", "uniform", "learned", f"{value} forged"} - {value}, None]


def _put(where: tuple[Any, ...], new: Any, folder: Path) -> None:
    tree = json.loads((folder / RESULT).read_text())
    _set(tree, where, new)
    (folder / RESULT).write_text(json.dumps(tree))


def _set(tree: Tree, where: tuple[Any, ...], new: Any) -> None:
    *path, last = where
    for key in path:
        tree = tree[key]
    tree[last] = new


def _sentence(tree: Tree, folder: Path) -> str | None:
    """Why a forged result is not certified, as `solve` would say it."""
    mask = np.load(folder / PART, allow_pickle=False).astype(bool)
    try:
        proof, part = Certificate.from_json(tree["certificate"]), Part.from_json(tree["part"], mask)
    except ValueError:
        return None
    return shortcomings(proof, Status(tree["status"]), tree["compliance"], part) or None


def _drop(*where_and_folder: Any) -> None:
    *where, folder = where_and_folder
    tree = json.loads((folder / RESULT).read_text())
    inner = tree
    for key in where[:-1]:
        inner = inner[key]
    del inner[where[-1]]
    (folder / RESULT).write_text(json.dumps(tree))


def _of_problem(saved: Path) -> Iterator[Forgery]:
    """The problem's fields, where the problem is another one then, or none."""
    tree = to_tree(load(saved / PROBLEM))
    before = _arrays_of(tree)
    for where, place, value in _leaves(tree):
        for new in _others(value):
            other = copy.deepcopy(tree)
            _set(other, where, new)
            if _arrays_of(other) != before:
                yield Forgery(
                    f"{PROBLEM} {where}: {value!r} -> {new!r}", f"{PROBLEM} {place}", partial(_ask, other)
                )


def _arrays_of(tree: Tree) -> tuple[Any, ...] | str:
    """All that a problem means to a solver; what is wrong with it where it means nothing."""
    try:
        discrete: DiscreteProblem = discretise(parse(tree))
    except (ProblemError, ValueError) as error:
        return str(error)
    values = vars(discrete)
    arrays = tuple(value.tobytes() for value in values.values() if isinstance(value, np.ndarray))
    others = tuple(repr(value) for value in values.values() if not isinstance(value, np.ndarray))
    return arrays, others


def _ask(tree: Tree, folder: Path) -> None:
    (folder / PROBLEM).write_text(json.dumps(tree))


def _of_part(saved: Path) -> Iterator[Forgery]:
    part = np.load(saved / PART, allow_pickle=False)
    flat = part.ravel()
    solid, void = np.flatnonzero(flat), np.flatnonzero(flat == 0)
    fewer, more, moved = part.copy(), part.copy(), part.copy()
    changes = {"mirrored": np.ascontiguousarray(part[::-1]), "inverted": 1 - part}
    if len(solid):
        fewer.ravel()[solid[len(solid) // 2]] = 0
        changes |= {"fewer": fewer}
    if len(void):
        more.ravel()[void[len(void) // 2]] = 1
        changes |= {"more": more}
    if len(solid) and len(void):
        moved.ravel()[solid[-1]], moved.ravel()[void[0]] = 0, 1
        changes |= {"moved": moved}
    changes |= {"precision": part.astype(np.float32), "cut": part[:-1], "twos": 2 * part}
    for name, other in changes.items():
        if other.dtype != part.dtype or not np.array_equal(other, part):
            yield Forgery(f"{PART} {name}", f"{PART} {name}", partial(_save_part, other))


def _save_part(part: NDArray[Any], folder: Path) -> None:
    np.save(folder / PART, part)


def _of_arrays(saved: Path) -> Iterator[Forgery]:
    density, state = np.load(saved / DENSITY, allow_pickle=False), _state(saved)
    grey = np.unravel_index(np.argmin(np.abs(state["design"] - 0.5)), density.shape)
    voxel = density.copy()
    voxel[grey] = 0.0 if density[grey] > 0.5 else 1.0
    for name, other in {
        "voxel": voxel,
        "mirrored": np.ascontiguousarray(density[::-1]),
        "less": 0.9 * density,
        "more": np.minimum(1.1 * density + 0.01, 1.0),
        "precision": density.astype(np.float64),
        "cut": density[:-1],
    }.items():
        is_same = other.shape == density.shape and np.allclose(other, density, rtol=0.0, atol=NOTHING)
        if other.dtype != density.dtype or not is_same:
            yield Forgery(f"{DENSITY} {name}", f"{DENSITY} {name}", partial(_save, other))
    moved = state["design"].copy()
    moved[grey] = 0.0 if moved[grey] > 0.5 else 1.0
    turned = np.ascontiguousarray(state["design"][::-1])
    changes: dict[str, dict[str, NDArray[Any] | None]] = {
        "design voxel": {"design": moved},
        "design less": {"design": 0.9 * state["design"]},
        "design precision": {"design": state["design"].astype(np.float32)},
        "penalty 1": {"penalty": np.asarray(1.0)},
        "penalty 4.5": {"penalty": np.asarray(4.5)},
        "beta 1": {"beta": np.asarray(1.0)},
        "beta 16": {"beta": np.asarray(16.0)},
        **{f"{name} removed": {name: None} for name in state},
    }
    if not np.allclose(turned, state["design"], rtol=0.0, atol=1e3 * NOTHING):  # a filter smooths it
        changes["design mirrored"] = {"design": turned}
    if "relaxed" in state:
        changes["relaxed"] = {
            "relaxed": 0.5 * state["relaxed"] + 0.5 * state["relaxed"].mean(dtype=np.float32)
        }
        changes["relaxed uniform"] = {"relaxed": np.full_like(state["relaxed"], 0.5)}
    for name, change in changes.items():
        if all(value is None or not _same(value, state.get(key)) for key, value in change.items()):
            yield Forgery(f"{STATE} {name}", f"{STATE} {name}", partial(_restate, change))


def _same(one: NDArray[Any], other: NDArray[Any] | None) -> bool:
    return other is not None and one.dtype == other.dtype and np.array_equal(one, other)


def _state(folder: Path) -> dict[str, NDArray[Any]]:
    shape = np.load(folder / DENSITY, allow_pickle=False).shape
    return read_arrays(folder / STATE, {"design": shape, "relaxed": shape, "penalty": (), "beta": ()})


def _save(density: NDArray[Any], folder: Path) -> None:
    np.save(folder / DENSITY, density)


def _restate(change: dict[str, NDArray[Any] | None], folder: Path) -> None:
    state = {**_state(folder), **change}
    write_arrays(folder / STATE, {name: value for name, value in state.items() if value is not None})


def _of_history(saved: Path) -> Iterator[Forgery]:
    rows = parse_history((saved / HISTORY).read_text())
    for which, number in {"first": 0, "last": len(rows) - 1}.items():
        for column, value in rows[number].items():
            for new in _others(value):
                other = copy.deepcopy(rows)
                other[number][column] = "" if new is None else new
                name = f"{HISTORY} {which} {column}"
                yield Forgery(f"{name}: {value!r} -> {new!r}", name, partial(_tell, other))
    for name, other in {
        "first row removed": rows[1:],
        "last row removed": rows[:-1],
        "last row twice": [*rows, rows[-1]],
        "empty": [],
        "column added": [{**row, "praise": 1.0} for row in rows],
        **{
            f"column {column} removed": [{k: v for k, v in row.items() if k != column} for row in rows]
            for column in rows[0]
        },
    }.items():
        yield Forgery(f"{HISTORY} {name}", f"{HISTORY} {name}", partial(_tell, other))


def _tell(rows: list[dict[str, Any]], folder: Path) -> None:
    (folder / HISTORY).write_text(format_history(rows))


def _pairs(saved: Path) -> Iterator[Forgery]:
    """Alterations that fit each other."""
    tree = json.loads((saved / RESULT).read_text())
    rows = parse_history((saved / HISTORY).read_text())
    asked, proof = to_tree(load(saved / PROBLEM)), tree["certificate"]
    density, state = np.load(saved / DENSITY, allow_pickle=False), _state(saved)

    def forged(name: str, *changes: Change, place: str = "") -> Forgery:
        def change(folder: Path) -> None:
            for each in changes:
                each(folder)

        return Forgery(f"pair: {name}", place or f"pair {name}", change)

    def said(**values: Any) -> Change:
        def change(folder: Path) -> None:
            other = json.loads((folder / RESULT).read_text())
            for key, value in values.items():
                (other["certificate"] if key in other["certificate"] else other)[key] = value
            if "status" in values:  # the sentence that goes with it
                other["message"] = EXPLANATIONS[Status(values["status"])].message
            if "part" in other:
                other["not_certified"] = _sentence(other, folder)
            (folder / RESULT).write_text(json.dumps(other))

        return change

    def asking(*where: Any, value: Any) -> Change:
        other = copy.deepcopy(asked)
        _set(other, where, value)
        return partial(_ask, other)

    bound, gap, volume = proof["lower_bound"], proof["gap"], tree["volume"]
    is_volume = asked["goal"]["minimize"] == "volume"
    objective = tree["volume" if is_volume else "compliance"]
    scaled = [{k: v * 0.8 if k in ("compliance", "objective") else v for k, v in row.items()} for row in rows]
    best = said(word="certified", status="converged", converged=True)
    yield forged("compliance, history", said(compliance=0.8 * tree["compliance"]), partial(_tell, scaled))
    if gap is not None:
        yield forged("compliance, bound", said(compliance=0.8 * tree["compliance"], lower_bound=0.8 * bound))
        yield forged("bound, gap", said(lower_bound=1.1 * bound, gap=objective / (1.1 * bound) - 1))
        humble = said(lower_bound=0.9 * bound, gap=objective / (0.9 * bound) - 1)
        yield forged("bound, gap, humbler", humble, place="humbler")
        yield forged(
            "proof of the bound", said(lower_bound=None, gap=None), partial(_restate, {"relaxed": None})
        )
        dropped = (said(lower_bound=None, gap=None, word="verified"), partial(_restate, {"relaxed": None}))
        yield forged("bound, gap, its proof, word", *dropped)
    for scale in (0.9, 0.5):
        thin = (scale * density).astype(np.float32)
        used = float(thin.sum(dtype=np.float64)) / max(float(density.sum(dtype=np.float64)), 1e-9) * volume
        yield forged(f"density x{scale}, volume", partial(_save, thin), said(volume=used))
        thinner = partial(_restate, {"design": scale * state["design"]})
        yield forged(f"design x{scale}, density, volume", thinner, partial(_save, thin), said(volume=used))
    if asked["options"]["penalty"] != 1.0:
        easier = partial(_restate, {"penalty": np.asarray(1.0)})
        yield forged("both penalties", asking("options", "penalty", value=1.0), easier)
        steady = [{**row, "penalty": 1.0} for row in rows]
        all_three = (asking("options", "penalty", value=1.0), easier, partial(_tell, steady))
        yield forged("all penalties", *all_three)
    if not asked["options"]["projection"]:
        yield forged(
            "projection, beta",
            asking("options", "projection", value=True),
            partial(_restate, {"beta": np.asarray(32.0)}),
        )
    if tree["word"] != "certified":
        yield forged("word, status", best)
        yield forged("word, status, residuals", best, said(kkt_residual=0.01, equilibrium_residual=1e-9))
    else:
        humble = said(word="verified", status="limit", converged=False)
        yield forged("word, status, humbler", humble, place="humbler")
    yield forged("status", said(status="infeasible", converged=False))
    if proof["kkt_residual"] > 1e-3:
        yield forged("residuals", said(kkt_residual=0.3 * proof["kkt_residual"], equilibrium_residual=1e-12))
    balanced = said(equilibrium_residual=0.5 * proof["equilibrium_residual"])
    yield forged("equilibrium", balanced, place=f"{RESULT} certificate.equilibrium_residual")
    if not is_volume:
        less = 0.7 * asked["goal"]["volume"]
        yield forged(
            "limit, violation", asking("goal", "volume", value=less), said(volume_violation=0.0, volume=less)
        )
    else:
        limits = [0.7 * limit for limit in asked["goal"]["compliance"]]
        yield forged(
            "limit, violation", asking("goal", "compliance", value=limits), said(volume_violation=0.0)
        )
    if tree["part"]["cases"]:
        lighter = {**tree["part"], "mass": 0.9 * tree["part"]["mass"], "volume": 0.9 * tree["part"]["volume"]}
        yield forged("mass, volume of the part", said(part=lighter))
        peaks = ("displacement", "temperature", "stress")
        softer = [
            {
                key: {**value, "largest": 0.9 * value["largest"]} if key in peaks and value else value
                for key, value in case.items()
            }
            for case in tree["part"]["cases"]
        ]
        yield forged("displacements, stresses of the part", said(part={**tree["part"], "cases": softer}))
    lengths = {"minimum_member", "minimum_gap", "maximum_member", "resolution"} & tree["part"].keys()
    wider = {key: 1.5 * tree["part"][key] for key in lengths if tree["part"][key] is not None}
    if wider:
        yield forged("lengths of the part", said(part={**tree["part"], **wider}))
        fine = {"resolution": 0.25 * tree["part"]["resolution"]}
        yield forged("voxels of the part", said(part={**tree["part"], **fine}))
        unknown = dict.fromkeys([*lengths, "overhang"])
        yield forged("shape of the part", said(part={**tree["part"], **unknown}), place="humbler")
    stripped = (partial(_drop, "part"), partial(_drop, "not_certified"))
    yield forged("part, not_certified removed", *stripped, place="humbler")
    yield forged("volume 1, grey", said(volume=1.0, grey=0.0))
    yield forged("connected, grey", said(connected=not proof["connected"], grey=0.5 * (proof["grey"] or 1.0)))
    names = (asking("name", value="Another"), said(name="Another"))
    yield forged("names", *names, place="problem.yaml name, result.json name")
    more = [n + 1 for n in asked["domain"]["elements"]]
    yield forged("elements", asking("domain", "elements", value=more), said(elements=more))
    place = "" if tree["converged"] else "iterations, history of a way that stopped early"
    shorter = (said(iterations=len(rows) - 1), partial(_tell, rows[:-1]))
    yield forged("iterations, history", *shorter, place=place)
    yield forged(
        "iterations, longer history",
        said(iterations=len(rows) + 1),
        partial(_tell, [*rows, {**rows[-1], "iteration": len(rows)}]),
        place="humbler",
    )
    yield forged("nothing proven, word", said(**dict.fromkeys(proof)), said(word="predicted"))
