"""What a result claims beside the certificate: problem, word, status, stages and trials.

Whatever follows from the problem, from the history or from the certificate is derived again and compared. Of
claims that follow from nothing (`UNKNOWABLE`) only the kind and the range are checked, for they cannot be
computed again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeGuard

from trabecula.certificate.bound import UNKNOWN_GOAL, reason_unbounded
from trabecula.certificate.history import (
    SHARPEST,
    Row,
    distance_of_end,
    has_stopped,
    last_penalty,
    trouble_of_rows,
)
from trabecula.certificate.limits import relative_violation
from trabecula.certificate.record import Certificate
from trabecula.certificate.verdict import (
    Check,
    Value,
    compare,
    demand,
)
from trabecula.certificate.words import (
    EQUILIBRIUM,
    VIOLATION,
    shortcomings,
    word_of,
)
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.part import Part
from trabecula.problem.starts import STARTS
from trabecula.responses import formulate
from trabecula.status import EXPLANATIONS, Status

FIELDS = (
    "name",
    "version",
    "units",
    "word",
    "status",
    "start",
    "machine",
    "converged",
    "tolerance",
    "iterations",
    "solves",
    "seconds",
    "compliance",
    "volume",
    "objective",
    "limits",
    "elements",
    "threads",
    "out",
    "certificate",
    "part",
    "not_certified",
    "stages",
    "learned",
    "message",
    "no_bound",
)
"""What `result.json` holds: all of it, and nothing else."""

OF_PART = ("part", "not_certified")
"""Fields that results of versions without a finished part lack, both of them."""

UNKNOWABLE = ("version", "machine", "threads", "solves", "seconds", "out")
"""Fields that nothing follows from."""

NEEDS_PART = "certified is said of a finished part, and this result says nothing of one; solve it again"

MET = 1e-5
"""Relative excess up to which a limit is called met."""

LEARNED = ("proposal", "hand-over", "leap", "past")
STAGE = re.compile(r"(search )?\d+x\d+(x\d+)?|uniform|classical|finish")
VERSION = re.compile(r"\d+(\.\d+)*([.+-]?[0-9a-z]+)*|0\+unknown")
MACHINE = re.compile(r"[a-z]+( [a-z0-9_]+)?(, assembled state)?")


@dataclass(frozen=True)
class Record:
    """What a result says of itself.

    Attributes
    ----------
    values
        The tree of `result.json`.
    history
        One row per iteration.
    certificate
        As it was saved.
    penalty, beta
        Of the state file: final penalty, and steepness of the projection (0 without one).
    part
        As it was saved; None of an older result.
    """

    values: Mapping[str, Any]
    history: Sequence[Row]
    certificate: Certificate
    penalty: float
    beta: float
    part: Part | None = None


def check_record(discrete: DiscreteProblem, record: Record) -> tuple[Check, ...]:
    """Check a record against the problem and against itself.

    Parameters
    ----------
    discrete
        The problem, made again from its file.
    record
        What the files say.

    Returns
    -------
    tuple of Check
        One per rule; those named as in `UNKNOWABLE` are "unchecked" or differ.
    """
    values = record.values
    is_older = not any(name in values for name in OF_PART)
    extra = [
        f"{name!r} missing" for name in FIELDS if name not in values and not (is_older and name in OF_PART)
    ]
    extra += [f"{name!r} not known here" for name in values if name not in FIELDS]
    elements = list(discrete.grid.elements)
    return (
        demand("fields", not extra, ", ".join(extra) or "every field is there, and no other"),
        compare("name", values.get("name"), discrete.name),
        compare("elements", _joined(values.get("elements")), _joined(elements)),
        compare("penalty", record.penalty, last_penalty(discrete)),
        _limits_check(discrete, values.get("limits")),
        *_ending(discrete, record),
        *_story(discrete, record),
        *_unknowable(discrete, values),
    )


def _limits_check(discrete: DiscreteProblem, claimed: object) -> Check:
    """Names, limits and senses are the problem's, and what is met follows from the values."""
    limits = formulate(discrete).limits
    if not isinstance(claimed, list) or len(claimed) != len(limits):
        return demand("limits", False, f"the problem has {len(limits)}", _count(claimed))
    for number, (limited, said) in enumerate(zip(limits, claimed, strict=True)):
        if not isinstance(said, Mapping) or set(said) != {"name", "limit", "value", "sense", "met"}:
            return demand("limits", False, f"limits[{number}] is no limit", _count(claimed))
        is_same = said["name"] == limited.name and said["sense"] == limited.sense
        is_near = abs(_real(said["limit"]) - limited.limit) <= 1e-12 * abs(limited.limit)
        is_met = limited.excess(_real(said["value"])) <= MET
        if not is_same or not is_near or said["met"] is not is_met:
            return demand(
                "limits", False, f"limits[{number}] does not follow from the problem", _count(claimed)
            )
    return demand("limits", True, "they are those of the problem", _count(claimed))


def _ending(discrete: DiscreteProblem, record: Record) -> list[Check]:
    """The word, the status, and the limit that a converged design keeps."""
    values, rows = record.values, record.history
    status = _status(values.get("status"))
    is_converged = status is Status.CONVERGED
    compliance, volume = (_real(values.get(name)) for name in ("compliance", "volume"))
    ended = status or Status.DIVERGED
    word = word_of(record.certificate, ended, compliance, volume, record.part)
    reason = shortcomings(record.certificate, ended, compliance, record.part) or None
    violation = record.certificate.volume_violation
    missed = None if violation is None else relative_violation(discrete, violation)
    is_kept = missed is not None and missed <= VIOLATION * (1.0 + 1e-6)
    start, tolerance = str(values.get("start")), _real(values.get("tolerance"))
    trouble = trouble_of_rows(discrete, rows, start)
    beta = 0.0
    if discrete.options.projection:
        beta = SHARPEST if is_converged else float(rows[-1]["beta"]) if not trouble else float("nan")
    checks = [
        compare("beta", record.beta, beta, note="steepness of the projection"),
        compare("word", values.get("word"), word, note="" if record.part else NEEDS_PART),
        *([compare("not_certified", values["not_certified"], reason)] if "not_certified" in values else []),
        compare("converged", values.get("converged"), is_converged),
        compare("no_bound", values.get("no_bound"), _reason(discrete, record)),
        compare("message", values.get("message"), EXPLANATIONS[status].message if status else None),
        demand("history", not trouble, trouble or "its rows follow from each other", len(rows)),
        compare("iterations", values.get("iterations"), len(rows)),
        demand("tolerance", 0.0 <= tolerance < 1.0, "of the stopping rule", values.get("tolerance")),
        _status_check(discrete, record, status, trouble, tolerance, is_kept),
    ]
    if is_converged:
        checks.append(
            Check("limit", missed, None, VIOLATION, "ok" if is_kept else "differs", "relative violation")
        )
    if word == "certified" and not trouble and _has_settled(checks):
        # Loose solves of a design in loose pieces may err by more; such a one is hardly certified.
        off, room = distance_of_end(discrete, rows, tolerance, _real(values.get("objective")))
        is_near = off <= room or (discrete.options.penalty == 1.0 and compliance < _best(rows))
        note = "distance of the design from the end of the history"
        checks.append(Check("end", None, off, room, "ok" if is_near else "differs", note))
    return checks


def _reason(discrete: DiscreteProblem, record: Record) -> str | None:
    """Why there is no lower bound; None where one is claimed."""
    if record.certificate.lower_bound is not None:
        return None
    return reason_unbounded(discrete) or UNKNOWN_GOAL


def _status_check(
    discrete: DiscreteProblem,
    record: Record,
    status: Status | None,
    trouble: str,
    tolerance: float,
    is_kept: bool,
) -> Check:
    claimed: Value = record.values.get("status")
    if status is None:
        return demand("status", False, f"none of {', '.join(Status)}", str(claimed))
    if status is Status.INFEASIBLE:
        return demand("status", not is_kept, "a limit is missed", claimed)
    if status is Status.NOT_SOLVABLE:
        residual = record.certificate.equilibrium_residual
        is_missed = residual is None or residual > EQUILIBRIUM["verified"]
        return demand("status", is_missed, "the loads are not balanced", claimed)
    if status is not Status.CONVERGED:
        return demand("status", True, "nothing is claimed of the end of the way", claimed)
    if trouble:
        return demand("status", False, "the history does not show it", claimed)
    is_met = has_stopped(discrete, record.history, str(record.values.get("start")), tolerance)
    note = "the stopping rule is met" if is_met else "the stopping rule is not met by the history"
    return demand("status", is_met, note, claimed)


def _has_settled(checks: list[Check]) -> bool:
    return all(check.verdict == "ok" for check in checks if check.name == "status")


def _best(rows: Sequence[Row]) -> float:
    return min(float(row["objective"]) for row in rows)


def _story(discrete: DiscreteProblem, record: Record) -> list[Check]:
    """Check start, stages and trials against each other and the history."""
    values = record.values
    start, stages, trials = values.get("start"), values.get("stages"), values.get("learned")
    trouble = _trouble_of_stages(discrete, values)
    told = "" if isinstance(trials, list) else "no list"
    for number, trial in enumerate(trials if isinstance(trials, list) else ()):
        told = told or _trouble_of_trial(trial, f"learned[{number}]")
    if trials and start not in ("learned", "coarse"):
        told = told or f"nothing is tried with start {start!r}"
    is_known = start in STARTS  # the names of all starts need a look at every installed package
    return [
        demand("start", is_known, "a start" if is_known else f"one of {', '.join(STARTS)}", str(start)),
        demand("stages", not trouble, trouble or "they fit the way", _count(stages)),
        demand("learned", not told, told or "trials of designs that were drawn or given", _count(trials)),
    ]


def _is_stage(discrete: DiscreteProblem, name: str) -> bool:
    return name.removeprefix("search ") == discrete.grid.label or STAGE.fullmatch(name) is not None


def _trouble_of_stages(discrete: DiscreteProblem, values: Mapping[str, Any]) -> str:
    stages, start, iterations = (values.get(name) for name in ("stages", "start", "iterations"))
    if not isinstance(stages, list) or not stages:
        return "no list of stages"
    for stage in stages:
        if not isinstance(stage, Mapping) or set(stage) != {"name", "iterations", "seconds"}:
            return f"{stage!r} is no stage"
        if not isinstance(stage["name"], str) or not _is_count(stage["iterations"]):
            return f"{stage!r} is no stage"
        if not _real(stage["seconds"]) >= 0.0:
            return f"stage {stage['name']!r} took {stage['seconds']!r} seconds"
    *way, proof = stages
    if proof["name"] != "proof" or (proof["iterations"] == 0) == (not reason_unbounded(discrete)):
        return f"the last is {proof['name']!r} with {proof['iterations']} iterations"
    names = [stage["name"] for stage in way]
    if len(set(names)) < len(names) or not all(_is_stage(discrete, name) for name in names):
        return f"stages {', '.join(names)}"
    whole = discrete.grid.label
    own = [start] if start in ("uniform", "classical") else [whole, "finish"]
    here = [stage["iterations"] for stage in way if stage["name"] in own]
    alone = start not in ("uniform", "classical") or names == own
    made = sum(here) == iterations if names == [start] else bool(here) and max(here) >= (iterations or 0)
    if not alone or not made:
        return f"{iterations} iterations from start {start!r} are in none of {', '.join(names)}"
    seconds = _real(values.get("seconds"))
    if not sum(stage["seconds"] for stage in stages) <= seconds * (1.0 + 1e-9) + 1e-6:
        return "they take longer than the whole"
    return ""


def _trouble_of_trial(trial: object, where: str) -> str:
    names = {"what", "where", "accepted", "before", "after", "seconds", "network"}
    if not isinstance(trial, Mapping) or set(trial) != names:
        return f"{where} is no trial"
    before, after = trial["before"], trial["after"]
    for name in ("before", "after"):
        if trial[name] is not None and not isfinite(_real(trial[name])):
            return f"{where}.{name} is {trial[name]!r}"
    if trial["what"] not in LEARNED or not all(isinstance(trial[name], str) for name in ("where", "network")):
        return f"{where} is of no known kind"
    if not isinstance(trial["accepted"], bool) or not _real(trial["seconds"]) >= 0.0:
        return f"{where} is no trial"
    is_better = after is not None and (before is None or after < before)
    may_be = {
        "proposal": (True, False),  # taken where the design came of it
        "past": (is_better, False),  # taken where it also beats what else was given
    }.get(trial["what"], (is_better,))
    if trial["accepted"] not in may_be:
        is_taken = "taken" if trial["accepted"] else "not taken"
        return f"{where} was {is_taken}, and is {'better' if is_better else 'no better'}"
    return ""


def _unknowable(discrete: DiscreteProblem, values: Mapping[str, Any]) -> list[Check]:
    """Check kind and range of the claims that cannot be derived."""
    version, machine, threads, solves, seconds, out = (values.get(name) for name in UNKNOWABLE)
    cases = len(discrete.weights)
    is_possible = {
        "version": isinstance(version, str) and VERSION.fullmatch(version) is not None,
        "machine": isinstance(machine, str) and MACHINE.fullmatch(machine) is not None,
        "threads": _is_count(threads) and 1 <= threads <= 100_000,
        "solves": _is_count(solves) and solves >= cases and solves % cases == 0,
        "seconds": isfinite(_real(seconds)) and _real(seconds) >= 0.0,
        "out": out is None or isinstance(out, str),
    }
    return [
        Check(
            name,
            values.get(name) if isinstance(values.get(name), str | int | float) else None,
            None,
            0.0,
            "unchecked" if possible else "differs",
            "possible; it cannot be computed again" if possible else "no possible value",
        )
        for name, possible in is_possible.items()
    ]


def _status(value: object) -> Status | None:
    return Status(value) if isinstance(value, str) and value in tuple(Status) else None


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _real(value: object) -> float:
    """A number, or NaN for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def _joined(values: object) -> str | None:
    return " x ".join(map(repr, values)) if isinstance(values, list) else None


def _count(values: object) -> int | None:
    return len(values) if isinstance(values, list) else None
