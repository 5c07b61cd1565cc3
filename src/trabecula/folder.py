"""A result folder on disk: what its files are called, and how those without arrays are written and read."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from trabecula.storage import writing
from trabecula.storage.reading import UnreadableError, digest_of, open_regular

if TYPE_CHECKING:
    from trabecula.problem import Problem

PROBLEM = "problem.yaml"
RESULT = "result.json"
DENSITY = "density.npy"
STATE = "state.npz"
HISTORY = "history.csv"
PICTURE = "design.png"
CHECKPOINT = "checkpoint"
_MADE = (RESULT, DENSITY, STATE, HISTORY, PICTURE, "design.stl", "design.3mf", "design.vti", "report.html")

_LARGEST = 1 << 28
"""Bytes of a file that a problem names at most; `trabecula.problem.stl` reads no larger ones."""


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
            with open_regular(place, _LARGEST) as source, writing.replacing(folder / copy) as target:
                shutil.copyfileobj(source, target)
    writing.write_text(folder / PROBLEM, dump(with_files(problem, renamed)))


def same_problem(one: Problem, other: Problem) -> bool:
    """Whether two problems ask the same, wherever the files they name are kept."""
    from trabecula.problem import files as files_of
    from trabecula.problem import with_files

    def by_content(problem: Problem) -> Problem:
        digests = {name: digest_of(Path(name), _LARGEST) for name in files_of(problem)}
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
