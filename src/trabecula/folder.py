"""A result folder on disk: what its files are called, and how those without arrays are written and read."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trabecula.storage import writing
from trabecula.storage.reading import UnreadableError, read_text

if TYPE_CHECKING:
    from trabecula.problem import Problem

Row = Mapping[str, float | int | str]
"""One line of the history: what an iteration measured."""

PROBLEM = "problem.yaml"
RESULT = "result.json"
DENSITY = "density.npy"
STATE = "state.npz"
HISTORY = "history.csv"
PICTURE = "design.png"
CHECKPOINT = "checkpoint"
_MADE = (RESULT, DENSITY, STATE, HISTORY, PICTURE, "design.stl", "design.3mf", "design.vti", "report.html")

_JSON_LIMIT = 1_000_000
HISTORY_LIMIT = 100_000_000
"""Bytes of `history.csv` that are read at most."""


def save_problem(problem: Problem, folder: Path) -> None:
    """Write `problem.yaml` and copies of the files it names, so that the folder can be moved or sent away."""
    from trabecula.problem import dump, with_files
    from trabecula.problem import files as files_of

    renamed: dict[str, str] = {}
    for name in files_of(problem):
        place = Path(name)
        copy = next(
            candidate
            for number in itertools.count(1)
            if (candidate := place.name if number == 1 else f"{place.stem}-{number}{place.suffix}")
            not in renamed.values()
        )
        renamed[name] = copy
        if not (folder / copy).exists() or not place.samefile(folder / copy):
            with place.open("rb") as source, writing.replacing(folder / copy) as target:
                shutil.copyfileobj(source, target)
    writing.write_text(folder / PROBLEM, dump(with_files(problem, renamed)))


def same_problem(one: Problem, other: Problem) -> bool:
    """Whether two problems ask the same, wherever the files they name are kept."""
    from trabecula.problem import files as files_of
    from trabecula.problem import with_files

    def by_content(problem: Problem) -> Problem:
        digests = {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in files_of(problem)}
        return with_files(problem, digests)

    return by_content(one) == by_content(other)


def load_problem(folder: Path, *, max_memory: float | None = None) -> Problem:
    """Read the problem a result folder was made for.

    Raises
    ------
    UnreadableError
        There is no such folder, or no problem in it.
    """
    from trabecula.problem import load

    if not folder.is_dir():
        raise UnreadableError(folder, "is not a folder" if folder.exists() else "does not exist")
    if not (folder / PROBLEM).is_file():
        raise UnreadableError(folder, f"holds no {PROBLEM}, so it is not a result of trabecula")
    return load(folder / PROBLEM) if max_memory is None else load(folder / PROBLEM, max_memory=max_memory)


def clear(folder: Path) -> None:
    """Remove what an earlier result left in a result folder, so that nothing old passes for new.

    Touches nothing in a folder that holds no problem of ours, and nothing but files that `save` and the
    exports write; `result.json` goes first.
    """
    if (folder / PROBLEM).is_file():
        for name in _MADE:
            (folder / name).unlink(missing_ok=True)


def forget(folder: Path) -> None:
    """Remove the checkpoints in a result folder, once the result itself is safe."""
    checkpoint = folder / CHECKPOINT
    if checkpoint.is_dir():
        for pattern in ("*.npz", ".*.tmp"):
            for path in checkpoint.glob(pattern):
                path.unlink()
        if not any(checkpoint.iterdir()):
            checkpoint.rmdir()


def format_history(rows: Sequence[Row]) -> str:
    """History rows as CSV with a header; a value that a row lacks is empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def parse_history(text: str) -> list[dict[str, float | int | str]]:
    """The inverse of `format_history`."""
    return [
        {key: _cell(value) for key, value in row.items() if isinstance(key, str) and value}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]


def _cell(text: str) -> float | int | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises
    ------
    UnreadableError
        It is missing, too large, or holds something else.
    """
    try:
        values = json.loads(read_text(path, _JSON_LIMIT))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(path, f"is not JSON ({error})") from error
    if not isinstance(values, dict):
        raise UnreadableError(path, "is not one JSON object")
    return values
