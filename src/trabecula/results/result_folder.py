"""A result folder on disk: what its files are called, and how those without arrays are written and read."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trabecula.storage.mark import OwnershipError
from trabecula.storage.owned import Owned, hold
from trabecula.storage.reading import UnreadableError, digest_of, open_regular

if TYPE_CHECKING:
    from trabecula.problem import Problem

PROBLEM = "problem.yaml"
RESULT = "result.json"
DENSITY = "density.npy"
PART = "part.npy"
STATE = "state.npz"
HISTORY = "history.csv"
PICTURE = "design.png"
CHECKPOINT = "checkpoint"
FILES = (PROBLEM, DENSITY, PART, STATE, HISTORY, PICTURE, RESULT)
"""What `Result.save` writes, besides copies of the files that the problem names."""

KIND = "result"
"""Of a result folder, in its mark."""

_COPIED = re.compile(r"input-(.+)-[0-9a-f]{16}")
"""The name of a copy, without its ending."""

_LONGEST = 60

_LARGEST = 1 << 28
"""Bytes of a file that a problem names at most; `trabecula.problem.stl` reads no larger ones."""


def copies(problem: Problem) -> dict[str, str]:
    """The files a problem names, and what their copies in a result folder are called.

    Such as `input-part-0123456789abcdef.stl`, after the content: a name that no export has, and the same
    again for a copy of a copy.

    Raises
    ------
    OSError
        A file cannot be read.
    """
    from trabecula.problem import files as files_of

    found = {}
    for name in files_of(problem):
        place = Path(name)
        digest = digest_of(place, _LARGEST)[:16]
        copied = _COPIED.fullmatch(place.stem)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", copied[1] if copied else place.stem)[:_LONGEST].strip("-")
        suffix = place.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", place.suffix) else ""
        found[name] = f"input-{stem or 'file'}-{digest}{suffix}"
    return found


def save_problem(problem: Problem, folder: Owned, renamed: Mapping[str, str] | None = None) -> None:
    """Write `problem.yaml` and copies of the files it names, so that the folder can be moved or sent away.

    It says itself whether the design is projected: what another version does by itself changes nothing.

    Parameters
    ----------
    renamed
        What `copies` gives, where it is known already.
    """
    from trabecula.problem import dump, with_files
    from trabecula.problem.restate import explicit

    renamed = copies(problem) if renamed is None else renamed
    for name, copy in renamed.items():
        path = folder.folder / copy
        if not (path.is_file() and path.samefile(name)):
            with open_regular(Path(name), _LARGEST) as source, folder.replacing(copy) as target:
                shutil.copyfileobj(source, target)
    folder.write_text(PROBLEM, dump(explicit(with_files(problem, dict(renamed)))))


def check(problem: Problem, folder: Owned, names: Iterable[str]) -> dict[str, str]:
    """See, before anything is solved, that files and the copies of a problem's inputs can be written.

    Parameters
    ----------
    names
        Of the files that are going to be written into the folder.

    Returns
    -------
    dict of str to str
        As `copies`.

    Raises
    ------
    OwnershipError
        A file of somebody else, or one that was changed, stands where one of them would; or an input of the
        problem does.
    OSError
        An input cannot be read.
    """
    inputs = copies(problem)
    for name in names:
        path = folder.folder / name
        if any(path.exists() and path.samefile(each) for each in inputs):
            raise OwnershipError(path, "is an input of this problem; choose another folder")
    folder.check(names)
    folder.check(inputs.values())
    return inputs


def check_checkpoints(folder: Owned) -> None:
    """See that checkpoints can be written into a result folder, whatever their names will be.

    Raises
    ------
    OwnershipError
        Their folder is none, or holds `.npz` files that are not ours or were changed.
    LockedError
        Somebody else solves there.
    """
    place = folder.folder / CHECKPOINT
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise OwnershipError(place, f"is no folder that trabecula made; {folder.remedy}")
    if place.is_dir():
        with hold(place, CHECKPOINT, remedy=folder.remedy) as held:
            held.check(sorted(path.name for path in place.glob("*.npz")))


def same_problem(one: Problem, other: Problem) -> bool:
    """Whether two problems ask the same, wherever the files they name are kept."""
    from trabecula.problem import files as files_of
    from trabecula.problem import with_files
    from trabecula.problem.restate import explicit

    def by_content(problem: Problem) -> Problem:
        digests = {name: digest_of(Path(name), _LARGEST) for name in files_of(problem)}
        return explicit(with_files(problem, digests))

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


def clear(folder: Owned, problem: Problem, keep: Iterable[str] = ()) -> None:
    """Remove what an earlier result left in a result folder, so that nothing old passes for new.

    Nothing but what we wrote and nobody changed goes; `result.json` goes first.

    Parameters
    ----------
    problem
        Files that this problem names stay.
    keep
        Names that stay.
    """
    from trabecula.problem import files as files_of

    inputs = files_of(problem)
    for name in sorted({*folder.names} - {*keep}, key=lambda name: (name != RESULT, name)):
        path = folder.folder / name
        if not (path.exists() and any(path.samefile(each) for each in inputs)):
            folder.remove(name)


def forget(folder: Path) -> None:
    """Remove our checkpoints in a result folder, once the result itself is safe."""
    checkpoint = folder / CHECKPOINT
    if checkpoint.is_dir() and not checkpoint.is_symlink():
        with suppress(OwnershipError), hold(checkpoint, CHECKPOINT) as held:
            held.retire()
