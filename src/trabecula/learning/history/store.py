"""The kept solves: an SQLite index, and a folder an entry beside it.

The folders are the truth; the index is made again from them where it is damaged. Several processes may use a
history at once. What is removed is known by marks (`trabecula.storage`): a folder of an entry that has none,
an index that was not made here and everything else in the folder stay, whatever they are called.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.learning.history import entry as entries
from trabecula.learning.history.describe import (
    Vector,
    mirror,
    mirrors,
    sketch,
    vector,
)
from trabecula.learning.history.entry import Entry, is_id
from trabecula.problem import Problem
from trabecula.results.result import Result
from trabecula.storage import database
from trabecula.storage.folders import remove_folder, sweep_folders
from trabecula.storage.mark import OwnershipError, read_mark
from trabecula.storage.owned import (
    LEFT_OVER,
    PRIVATE,
    PRIVATE_FOLDER,
    hold,
)
from trabecula.storage.reading import UnreadableError, open_regular

T = TypeVar("T")

ALIKE = 0.7
"""Distance up to which a past problem is offered: a load moved by a tenth of the side, a volume halved, a
support shortened by a third; not another direction of the load (docs/guide/command-line.md)."""

INDEX, FOLDERS = "index.sqlite", "entries"
KIND = "history"
"""Of the folder, in its mark."""

SCHEMA = 1
BUSY = 10.0
"""Seconds to wait for another process."""

_TABLE = (
    "entries (id TEXT PRIMARY KEY, key TEXT UNIQUE, kind TEXT, made REAL,"
    " name TEXT, elements TEXT, merit REAL, compliance REAL, volume REAL, converged INTEGER,"
    " word TEXT, start TEXT, seconds REAL, version TEXT, bytes INTEGER, vector BLOB)"
)
_LARGEST = 1 << 30
"""Bytes of an index at most: a thousand entries take about ten megabytes."""

_LONGEST = 1 << 24
"""Bytes of one value in it at most."""

_COLUMNS = [field.name for field in fields(Entry)]
_CORRUPT = (11, 26)  # SQLITE_CORRUPT, SQLITE_NOTADB


class NewerError(RuntimeError):
    """The history was written by a newer trabecula."""


class _StrangeError(sqlite3.DatabaseError):
    """The index holds what this program never writes: it is as good as damaged."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


@dataclass(frozen=True, eq=False)
class Match:
    """A past problem like the one asked about.

    Attributes
    ----------
    entry
        The past solve.
    distance
        0: the same problem, up to its size, units and grid.
    mirror
        Axes (0 is x) the past design was mirrored in to fit.
    design
        float32 `[z, y, x]` of the past grid: its design variables, mirrored.
    """

    entry: Entry
    distance: float
    mirror: tuple[int, ...]
    design: NDArray[np.float32]


class Store:
    """The history in a folder, made when something is first kept.

    Parameters
    ----------
    folder
        Nothing but what the history itself put there is touched.
    limit
        Bytes; the oldest entries go first.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    def keep(self, result: Result) -> Entry | None:
        """Keep a result. Of one problem only the best design is kept.

        Returns
        -------
        Entry or None
            None where a better design of the same problem is there, or the limit is too small.

        Raises
        ------
        OSError, sqlite3.Error, NewerError
            If it cannot be kept; what was there stays.
        OwnershipError
            If something that is not ours is in the way.
        """
        token = self._make()
        entry, numbers = entries.write(result, self.folder / FOLDERS, token)
        try:
            dropped = self._attempt(lambda index: _insert(index, entry, numbers, self.limit))
        except BaseException:
            self._remove(entry.id)
            raise
        for name in dropped:
            self._remove(name)
        self._sweep(token)
        return None if entry.id in dropped else entry

    def entries(self) -> list[Entry]:
        """All kept solves, the newest first.

        Raises
        ------
        OSError, sqlite3.Error, NewerError
            If it cannot be read.
        """
        if not self._exists():
            return []
        select = f"SELECT {', '.join(_COLUMNS)} FROM entries ORDER BY made DESC, id"
        return self._attempt(lambda index: [_entry(row) for row in index.execute(select)])

    def nearest(self, discrete: DiscreteProblem, within: float = ALIKE) -> Match | None:
        """The past problem most like a given one, mirror images considered; None if none is near enough.

        Raises
        ------
        OSError, sqlite3.Error, NewerError
            If it cannot be read.
        """
        if not self._exists():
            return None
        pooled = sketch(discrete)
        select = (
            f"SELECT {', '.join(_COLUMNS)}, vector FROM entries WHERE kind = ? AND converged = 1"
            " ORDER BY made DESC, id"
        )
        rows = self._attempt(
            lambda index: [
                (_entry(row[:-1]), _blob(row[-1])) for row in index.execute(select, (pooled.kind,))
            ]
        )
        images = [(axes, vector(mirror(pooled, axes))) for axes in mirrors(discrete.grid.dimension)]
        length = images[0][1].nbytes
        rows = [row for row in rows if len(row[-1]) == length]
        if not rows:
            return None
        known = np.stack([np.frombuffer(row[-1], np.float16) for row in rows]).astype(np.float32)
        distances = np.stack(
            [np.linalg.norm(known - image.astype(np.float32), axis=1) for _, image in images]
        )
        for place in np.argsort(distances, axis=None, kind="stable"):
            image, row = divmod(int(place), len(rows))
            if not distances[image, row] <= within:
                return None
            found = rows[row][0]
            axes = images[image][0]
            with suppress(UnreadableError):  # removed by another process, or damaged: the next one
                design, _ = self.arrays(found)
                turned = np.ascontiguousarray(np.flip(design, tuple(-1 - axis for axis in axes)))
                return Match(found, float(distances[image, row]), axes, turned)
        return None

    def problem(self, entry: Entry) -> Problem:
        """The problem of an entry.

        Raises
        ------
        UnreadableError, ProblemError
            It is damaged, or gone.
        """
        return entries.problem_of(self.place(entry))

    def place(self, entry: Entry) -> Path:
        """The folder of an entry.

        Raises
        ------
        UnreadableError
            Its id is none of ours, and might lead anywhere.
        """
        if not is_id(entry.id):
            raise UnreadableError(self.folder, f"has no entry {entry.id!r}: an id has 32 hexadecimal digits")
        return self.folder / FOLDERS / entry.id

    def arrays(self, entry: Entry) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Design variables and physical density of an entry, float32 `[z, y, x]`.

        Raises
        ------
        UnreadableError
            It is damaged, or gone.
        """
        return entries.arrays_of(self.place(entry), entry.elements)

    def coarser(self, entry: Entry, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Design variables of the coarser grids that led to an entry's, float64 `[z, y, x]`, coarsest first.

        Parameters
        ----------
        shapes
            Of the coarser grids of its problem.

        Raises
        ------
        UnreadableError
            It is damaged or gone, or the solve had no coarser grids.
        """
        return entries.coarser_of(self.place(entry), shapes)

    def clear(self) -> int:
        """Remove everything that the history put there; returns how many entries there were.

        Raises
        ------
        OSError
            If something cannot be removed.
        OwnershipError
            If another process writes.
        """
        if not self.folder.is_dir():
            return 0
        with hold(self.folder, KIND, wait=BUSY, private=True) as held:
            if not held.is_marked:
                return 0
            count, folders = 0, self.folder / FOLDERS
            if _is_folder(folders):
                ids = [path for path in sorted(folders.iterdir()) if is_id(path.name)]
                count = sum(remove_folder(path, entries.KIND, BUSY) for path in ids)
                sweep_folders(folders, held.token, 0.0)
                with suppress(OSError):  # others are in it
                    folders.rmdir()
            for path in self._indexes():
                database.remove(path)
                if database.is_free(path):
                    break
            held.retire()
        return count

    def _exists(self) -> bool:
        return (self.folder / FOLDERS).is_dir()

    def _make(self) -> str:
        """Make and mark the folder, if that was not done; the token of the mark."""
        folders = self.folder / FOLDERS
        mark = read_mark(self.folder) if self.folder.is_dir() else None
        if mark is None or not _is_folder(folders):
            with hold(self.folder, KIND, wait=BUSY, private=True) as held:
                if not _is_folder(folders):
                    try:
                        folders.mkdir(mode=PRIVATE_FOLDER)
                    except FileExistsError as error:
                        raise OwnershipError(
                            folders, "is no folder that trabecula made; move it away"
                        ) from error
                held.mark()
                return held.token
        return mark.token

    def _indexes(self) -> Iterator[Path]:
        """What the index may be called: where a name is taken, the next one."""
        stem, ending = INDEX.split(".")
        for number in itertools.count(1):
            yield self.folder / (INDEX if number == 1 else f"{stem}-{number}.{ending}")

    def _index(self) -> Path | None:
        """The index, made if there is none; None where the folder is not ours to write."""
        if read_mark(self.folder) is None:
            return None
        for path in self._indexes():
            if database.is_free(path):
                with suppress(FileExistsError):  # another process was first
                    database.create(path, PRIVATE)
            if database.is_ours(path):
                return path
        raise AssertionError("names do not end")

    def _attempt(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Do something to the index in one transaction; where it is damaged, once more to a new one."""
        try:
            return self._do(action)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _CORRUPT:
                raise
        path = self._index()
        if path is not None:
            database.remove(path)
        return self._do(action)

    def _do(self, action: Callable[[sqlite3.Connection], T]) -> T:
        path = self._index()  # of a history that is not ours to write, an index in memory is made
        if path is not None:
            _look_at(path)
        place = ":memory:" if path is None else str(path)
        with closing(sqlite3.connect(place, timeout=BUSY, isolation_level=None)) as index:
            _distrust(index)
            with suppress(sqlite3.OperationalError):  # another process opens it for the first time, too
                index.execute("PRAGMA journal_mode = WAL")
            index.execute("PRAGMA synchronous = NORMAL")
            index.execute("BEGIN IMMEDIATE")
            try:
                self._prepare(index)
                found = action(index)
            except BaseException:
                with suppress(sqlite3.Error):
                    index.execute("ROLLBACK")
                raise
            index.execute("COMMIT")
        return found

    def _prepare(self, index: sqlite3.Connection) -> None:
        """Make the table in a new index, and fill it with what the folders say."""
        (version,) = index.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise NewerError(f"{self.folder} was written by a newer version")
        if version == SCHEMA:
            _check_schema(index)
            return
        index.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE}")
        for entry, numbers in self._entries_on_disk():
            _insert(index, entry, numbers, self.limit)
        index.execute(f"PRAGMA user_version = {SCHEMA}")

    def _entries_on_disk(self) -> Iterator[tuple[Entry, Vector]]:
        for path in sorted((self.folder / FOLDERS).iterdir()):
            if is_id(path.name) and _is_folder(path):
                with suppress(OSError, UnreadableError):
                    yield entries.read(path)

    def _sweep(self, token: str) -> None:
        """Remove what processes that died left behind."""
        folders = self.folder / FOLDERS
        if not _is_folder(folders):
            return
        sweep_folders(folders, token)
        known = {entry.id for entry in self.entries()}
        for path in folders.iterdir():
            with suppress(OSError):
                if path.name not in known and time.time() - path.lstat().st_mtime > LEFT_OVER:
                    self._remove(path.name)

    def _remove(self, name: str) -> None:
        if is_id(name) and _is_folder(self.folder / FOLDERS):
            with suppress(OSError, OwnershipError):
                remove_folder(self.folder / FOLDERS / name, entries.KIND, BUSY)


def _is_folder(path: Path) -> bool:
    """Whether it is a folder itself, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _look_at(path: Path) -> None:
    """Refuse an index that is no regular file, and treat one that is too large as damaged."""
    with open_regular(path) as file:
        if file.seek(0, os.SEEK_END) > _LARGEST:
            raise _StrangeError("the index is too large")


def _distrust(index: sqlite3.Connection) -> None:
    """Limit what a forged index can do: long values, functions in its schema."""
    index.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    index.execute("PRAGMA trusted_schema = OFF")


def _check_schema(index: sqlite3.Connection) -> None:
    """See that an index holds our table and nothing that would run when it is read: no view, no trigger."""
    found = index.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    if found != [("table", f"CREATE TABLE {_TABLE}")]:
        raise _StrangeError("the index holds other tables than a history's")


def _insert(index: sqlite3.Connection, entry: Entry, numbers: Vector, limit: int) -> list[str]:
    """Insert an entry unless a better one of its problem is there; returns the ids that lose their place."""
    if entry.bytes > limit:
        return [entry.id]
    row = index.execute(  # its own line may be there: another process made the index from the folders
        f"SELECT {', '.join(_COLUMNS)} FROM entries WHERE key = ? AND id != ?", (entry.key, entry.id)
    ).fetchone()
    dropped = []
    if row is not None:
        earlier = _entry(row)
        if not entry.is_better(earlier):
            index.execute("UPDATE entries SET made = ? WHERE id = ?", (entry.made, earlier.id))
            return [entry.id]
        index.execute("DELETE FROM entries WHERE id = ?", (earlier.id,))
        dropped.append(earlier.id)
    values = [*astuple(entry), numbers.tobytes()]
    values[_COLUMNS.index("elements")] = "x".join(map(str, entry.elements))
    marks = ", ".join("?" * len(values))
    index.execute(f"INSERT OR REPLACE INTO entries ({', '.join(_COLUMNS)}, vector) VALUES ({marks})", values)
    total = index.execute("SELECT COALESCE(SUM(bytes), 0) FROM entries").fetchone()[0]
    for name, size in index.execute("SELECT id, bytes FROM entries ORDER BY made, id").fetchall():
        if total <= limit:
            break
        if not is_id(name):
            raise _StrangeError(f"an entry is called {name!r}")
        index.execute("DELETE FROM entries WHERE id = ?", (name,))
        dropped.append(name)
        total -= size
    return dropped


def _entry(row: Sequence[object]) -> Entry:
    """An entry from a line of the index, which anybody could have written."""
    values = dict(zip(_COLUMNS, row, strict=True))
    try:
        elements = [int(n) for n in str(values["elements"])[:40].split("x")]
        converged = {0: False, 1: True}.get(values["converged"], values["converged"])  # type: ignore[call-overload]
        return entries.entry_from(Path(INDEX), values | {"elements": elements, "converged": converged})
    except ValueError as error:
        raise _StrangeError(str(error)) from error


def _blob(value: object) -> bytes:
    """The vector of a line, which anybody could have written too."""
    if (
        not isinstance(value, bytes)
        or len(value) % 2
        or not np.isfinite(np.frombuffer(value, np.float16)).all()
    ):
        raise _StrangeError("a vector is none")
    return value
