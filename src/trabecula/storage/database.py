"""SQLite files of ours: they change with every transaction, so the sign that they are ours is inside.

SQLite keeps four bytes for a program's number in the header of its files. A database is made with ours under
a temporary name; whatever else stands under a name that we would use is left alone.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from trabecula.storage import writing
from trabecula.storage.mark import read_plain

OURS = 0x74726162
"""The number, "trab"; https://www.sqlite.org/fileformat.html#application_id."""

_HEADER = 100
_BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database."""

_WAL = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_SHM = (3007000).to_bytes(4, sys.byteorder)
_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"


def is_ours(path: Path) -> bool:
    """Whether a database was made by `create`, and the files beside it, if any, are those of a database."""
    header = _start(path)
    if header is None or len(header) < _HEADER or not header.startswith(b"SQLite format 3\0"):
        return False
    return int.from_bytes(header[68:72], "big") == OURS and all(_belongs(path, end) for end in _BESIDE)


def is_free(path: Path) -> bool:
    """Whether neither a database of that name is there nor a file that SQLite would keep beside it."""
    return not any(os.path.lexists(f"{path}{end}") for end in ("", *_BESIDE))


def create(path: Path, mode: int = 0o666) -> None:
    """Make an empty database.

    Raises
    ------
    FileExistsError
        There is something of that name.
    OSError, sqlite3.Error
        It cannot be written.
    """
    with writing.temporary(path.with_name(writing.temporary_name(path.name))) as (part, file):
        if mode != 0o666:
            part.chmod(mode)
        with closing(sqlite3.connect(part, isolation_level=None)) as made:
            made.execute("PRAGMA journal_mode = OFF")
            made.execute(f"PRAGMA application_id = {OURS}")
        writing.flush(file)
        writing.create(path, part)


def remove(path: Path) -> None:
    """Remove a database and what SQLite keeps beside it, if it is ours."""
    if is_ours(path):
        for end in ("", *_BESIDE):
            Path(f"{path}{end}").unlink(missing_ok=True)


def _belongs(path: Path, end: str) -> bool:
    beside = Path(f"{path}{end}")
    if not os.path.lexists(beside):
        return True
    start = _start(beside)
    if start is None:
        return False
    if end == "-wal":
        return start == b"" or start.startswith(_WAL)
    if end == "-shm":
        return start == b"" or start.startswith((_SHM, bytes(4)))
    return start == b"" or start.startswith((_JOURNAL, bytes(8)))


def _start(path: Path) -> bytes | None:
    """The first bytes of a plain file; None for anything else."""
    try:
        return read_plain(path, _HEADER, whole=False)
    except FileNotFoundError:
        return b""  # SQLite has just removed it
    except OSError:
        return None
