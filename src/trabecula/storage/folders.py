"""Whole folders of ours in a folder of ours: made at once, removed by their marks."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from trabecula.storage import writing
from trabecula.storage.mark import (
    MARK,
    Mark,
    OwnershipError,
    Trace,
    find_leftovers,
    read_mark,
)
from trabecula.storage.owned import (
    LEFT_OVER,
    PRIVATE,
    PRIVATE_FOLDER,
    hold,
)

T = TypeVar("T")


def remove_folder(folder: Path, kind: str, wait: float = 0.0) -> bool:
    """Remove a folder that we made: all files in it that are ours, and it itself, if nothing else is in it.

    Returns
    -------
    bool
        Whether it was ours: a folder with a mark of that kind, and no link.
    """
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return False
        mark = read_mark(folder)
    except (FileNotFoundError, NotADirectoryError, OwnershipError):
        return False
    if mark is None or mark.kind != kind:
        return False
    with hold(folder, kind, wait=wait) as owned:
        owned.retire()
    return True


def make_folder(
    parent: Path, name: str, kind: str, token: str, fill: Callable[[Path], T], private: bool = False
) -> T:
    """Make a marked folder, whole or not at all.

    Parameters
    ----------
    parent, name
        Where, and as what; there is nothing of that name.
    kind
        For its mark.
    token
        Of a folder of ours above it: the temporary name carries it, for `sweep_folders`.
    fill
        Writes the files into the folder it is given; all that is in there afterwards is ours.

    Raises
    ------
    FileExistsError
        There is something of that name.
    OSError
        It cannot be written.
    """
    part = parent / writing.temporary_name(name, token)
    part.mkdir(mode=PRIVATE_FOLDER if private else 0o777)
    try:
        found = fill(part)
        (part / MARK).unlink(missing_ok=True)
        files = {path.name: (Trace.of(path),) for path in part.iterdir()}
        writing.write_bytes(part / MARK, replace(Mark.new(kind), files=files).to_bytes())
        for path in part.iterdir() if private else ():
            path.chmod(PRIVATE)
        if os.path.lexists(parent / name):  # a rename would take the place of an empty folder
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(parent / name))
        part.rename(parent / name)
        writing.sync_folder(parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return found


def sweep_folders(parent: Path, token: str, older_than: float = LEFT_OVER) -> None:
    """Remove temporary folders of `make_folder` that a killed process left."""
    for path in find_leftovers(parent, token, older_than):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
