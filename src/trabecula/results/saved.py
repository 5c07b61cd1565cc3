"""A saved result, read back from its folder without trusting it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from trabecula.certificate.kinds import refuse_other
from trabecula.certificate.record import Certificate
from trabecula.certificate.words import Word
from trabecula.part import Part
from trabecula.problem import Problem
from trabecula.results.records import LimitRecord, Stage, Trial
from trabecula.results.result import Result
from trabecula.results.result_folder import (
    DENSITY,
    HISTORY,
    PART,
    RESULT,
    STATE,
    load_problem,
)
from trabecula.results.spoken_units import understand
from trabecula.status import Status
from trabecula.storage.reading import (
    CheckedRecord,
    UnreadableError,
    read_array,
    read_arrays,
    read_history,
    read_json,
    shorten,
)
from trabecula.storage.tables import Row

_LARGEST = 1_000_000
"""Bytes of `result.json` at most."""


def load(folder: Path, max_memory: float | None = None) -> Result:
    """Read a result folder; see `Result.load`."""
    problem = load_problem(folder, max_memory=max_memory)
    shape = problem.domain.elements[::-1]
    values = understand(folder / RESULT, read_json(folder / RESULT, _LARGEST), problem)
    density = read_array(folder / DENSITY, shape)
    if density.min() < 0 or density.max() > 1:
        raise UnreadableError(folder / DENSITY, "holds densities outside 0 to 1")
    refuse_other(folder / DENSITY, {"density": density})
    mask = None
    if values.get("part") is not None:
        mask = read_array(folder / PART, shape)
        refuse_other(folder / PART, {"part": mask})
        if mask.max() > 1:
            raise UnreadableError(folder / PART, "holds other numbers than 0 and 1")
    state = read_arrays(folder / STATE, {"design": shape, "relaxed": shape, "penalty": (), "beta": ()})
    for name in ("design", "penalty", "beta"):
        if name not in state:
            raise UnreadableError(folder / STATE, f"does not hold {name!r}")
    refuse_other(folder / STATE, state)
    rows = read_history(folder / HISTORY)
    return _from_json(folder / RESULT, values, problem, density, mask, state, rows)


def _from_json(
    path: Path,
    values: dict[str, Any],
    problem: Problem,
    density: NDArray[Any],
    mask: NDArray[Any] | None,
    state: dict[str, NDArray[Any]],
    history: Sequence[Row],
) -> Result:
    def real(source: CheckedRecord, key: str) -> float:
        value = source.take(key, float, int, type(None))
        return math.nan if value is None else float(value)

    def all_of(key: str) -> Iterator[CheckedRecord]:
        yield from (CheckedRecord(path, each) for each in held.take(key, list))

    held = CheckedRecord(path, values)
    word = held.take("word", str)
    if word not in get_args(Word):
        raise UnreadableError(
            path, f"'word' is {shorten(word)}, which is none of {', '.join(get_args(Word))}"
        )
    converged = held.take("converged", bool)
    status = held.take("status", str) if "status" in values else "converged" if converged else "limit"
    if status not in tuple(Status) or converged != (status == Status.CONVERGED):
        raise UnreadableError(
            path, f"'status' is {shorten(status)} and 'converged' is {str(converged).lower()}"
        )
    try:
        certificate = Certificate.from_json(held.take("certificate", dict))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(path, f"'certificate' cannot be read ({error})") from error
    try:
        part = None if mask is None else Part.from_json(held.take("part", dict), mask.astype(bool))
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(path, f"'part' cannot be read ({error})") from error
    relaxed = state.get("relaxed")
    return Result(
        problem=problem,
        density=density.astype(np.float32),
        design=state["design"].astype(np.float64),
        history=history,
        certificate=certificate,
        stages=tuple(
            Stage(s.text("name"), s.whole("iterations"), real(s, "seconds")) for s in all_of("stages")
        ),
        status=Status(status),
        start=held.text("start"),
        iterations=held.whole("iterations"),
        solves=held.whole("solves"),
        seconds=real(held, "seconds"),
        compliance=real(held, "compliance"),
        volume=real(held, "volume"),
        objective=real(held, "objective") if "objective" in values else _objective(problem, held),
        no_bound=(held.take("no_bound", str, type(None)) or "") if "no_bound" in values else "",
        limits=tuple(
            LimitRecord(
                limit.text("name"),
                real(limit, "limit"),
                real(limit, "value"),
                limit.text("sense"),
                limit.take("met", bool),
            )
            for limit in (all_of("limits") if "limits" in values else ())
        ),
        threads=held.whole("threads"),
        version=held.text("version"),
        machine=held.text("machine") if "machine" in values else "",
        word=word,
        relaxed=None if relaxed is None else relaxed.astype(np.float32),
        tolerance=real(held, "tolerance") if "tolerance" in values else 0.0,
        part=part,
        not_certified=(held.take("not_certified", str, type(None)) or "")
        if "not_certified" in values
        else "",
        recorded=values,
        penalty=float(state["penalty"]),
        beta=float(state["beta"]),
        trials=tuple(
            Trial(
                t.text("what"),
                t.text("where"),
                t.take("accepted", bool),
                real(t, "before"),
                real(t, "after"),
                real(t, "seconds"),
                t.text("network") if "network" in t.values else "",
            )
            for t in (all_of("learned") if "learned" in values else ())
        ),
    )


def _objective(problem: Problem, held: CheckedRecord) -> float:
    """That of a result whose file does not say it: it was written before there were other goals."""
    value = held.take("volume" if problem.goal.minimize == "volume" else "compliance", float, int, type(None))
    return math.nan if value is None else float(value)
