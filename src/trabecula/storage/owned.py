"""Folders of ours: the one way files are written into them and removed from them.

`hold` locks a folder and reads its mark (`mark`). What is written is entered into the mark first, what is
removed is looked up in it: a file that the mark does not know, or that holds something else than we wrote, is
neither replaced nor removed. The order of the steps is such that a process can be killed between any two.
"""

from __future__ import annotations

import stat
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from numpy.typing import NDArray

from trabecula.storage import writing
from trabecula.storage.lock import (
    LOCK,
    Holder,
    Lock,
    take,
)
from trabecula.storage.mark import (
    MARK,
    Mark,
    OwnershipError,
    Trace,
    find_leftovers,
    is_name,
    read_mark,
)

REMEDY = "move it away or choose another folder"
PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
"""Rights of files and folders that only their owner may read."""

LEFT_OVER = 3600.0
"""Seconds after which a temporary file in a folder of many writers was left by one that died."""

BUSY = 60.0
"""Seconds to wait where several processes write into one folder, each for a moment."""

_ATTEMPTS = 5

_HELD: weakref.WeakValueDictionary[tuple[int, int], Owned] = weakref.WeakValueDictionary()
_HELD_MUTEX = threading.Lock()


def hold(folder: Path, kind: str, *, wait: float = 0.0, private: bool = False, remedy: str = REMEDY) -> Owned:
    """Lock a folder that files of ours go into, and learn which files in it are ours.

    The thread that holds a folder may hold it again: it is given the same object, and the folder is free when
    every one of them was closed. The folder is made where there is none; it is marked when the first file is
    written. Without a mark every file in it is somebody else's.

    Parameters
    ----------
    folder
        Where; it may be a link to a folder, for it is what the user names.
    kind
        What it is for, where it has no mark yet.
    wait
        Seconds to wait for another thread or process that holds it.
    private
        Whether only the user may read what is written.
    remedy
        What a message advises where something is in the way.

    Raises
    ------
    LockedError
        Somebody else holds it.
    OwnershipError
        It is of a newer version, or names of ours are taken.
    OSError
        It cannot be made or written.
    """
    for attempt in range(_ATTEMPTS):
        with suppress(FileNotFoundError):  # whoever held it last has just removed it, for it was empty
            return _hold(folder, kind, wait, private, remedy)
        time.sleep(0.01 * attempt)
    return _hold(folder, kind, wait, private, remedy)


def check_writable(path: Path, kind: str) -> None:
    """See that a file can be written into a folder of a kind, before any time is spent on what goes into it.

    Raises
    ------
    OwnershipError
        There is a file of that name that is not ours, or was changed.
    """
    with hold(path.parent, kind, wait=BUSY) as held:
        held.check([path.name])


def _hold(folder: Path, kind: str, wait: float, private: bool, remedy: str) -> Owned:
    made = _make(folder, PRIVATE_FOLDER if private else 0o777)
    try:
        info = folder.stat()
        key = (info.st_dev, info.st_ino)
        with _HELD_MUTEX:
            known = _HELD.get(key)
            if known is not None and known._enter():
                return known
        lock = take(folder, wait)
        try:
            owned = Owned(folder, kind, lock, read_mark(folder), private, remedy, made)
        except BaseException:
            lock.release()
            raise
    except BaseException:
        _unmake(made)
        raise
    with _HELD_MUTEX:
        _HELD[key] = owned
    return owned


class Owned:
    """A folder that this thread holds; see `hold`. Its methods may be called from any thread.

    Attributes
    ----------
    folder
        Where.
    stale
        Who had held it and did not let it go, because it was killed; None: nobody.
    remedy
        What messages advise where something is in the way.
    """

    def __init__(
        self,
        folder: Path,
        kind: str,
        lock: Lock,
        mark: Mark | None,
        private: bool,
        remedy: str,
        made: list[Path],
    ) -> None:
        self.folder = folder
        self.stale: Holder | None = lock.stale
        self._mark = mark
        self._is_marked = mark is not None
        self._next = mark or Mark.new(kind)
        self._lock = lock
        self._is_dirty = False
        self._private = private
        self.remedy = remedy
        self._made = made
        self._seen: dict[str, tuple[tuple[int, ...], Trace]] = {}
        self._staged: list[tuple[Path, str]] | None = None
        self._mutex = threading.RLock()
        self._thread = threading.get_ident()
        self._count = 1
        self._free = weakref.finalize(self, _let_go, lock, made)

    def __enter__(self) -> Owned:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _enter(self) -> bool:
        """Hold it once more, where this thread holds it."""
        if self._count and self._thread == threading.get_ident() and self._lock.is_held:
            self._count += 1
            return True
        return False

    def close(self) -> None:
        """Let the folder go, the last time it is closed; one that was made and left empty is removed."""
        with self._mutex:
            self._count -= 1
            if self._count == 0:
                if self._is_dirty:
                    with suppress(OSError):
                        self._put(self._next, sync=False)
                self._free()

    @property
    def is_held(self) -> bool:
        """Whether the folder is still there and ours to write."""
        return self._count > 0 and self._lock.is_held

    @property
    def is_marked(self) -> bool:
        """Whether the folder has a mark."""
        return self._is_marked

    @property
    def token(self) -> str:
        """What temporary names in the folder carry."""
        return self._next.token

    @property
    def names(self) -> tuple[str, ...]:
        """Files we wrote here once; some may be gone or changed since."""
        return tuple(self._next.files)

    def is_ours(self, name: str) -> bool:
        """Whether a file is there and holds what we wrote."""
        with self._mutex:
            return not isinstance(self._look(name), str | None)

    def objection(self, name: str) -> str | None:
        """Why a name may not be written; None where it is free or the file is ours."""
        with self._mutex:
            found = self._look(name)
            return found if isinstance(found, str) else None

    def check(self, names: Iterable[str]) -> None:
        """See that all names that are going to be written are free or ours.

        Raises
        ------
        OwnershipError
            One is not; the message names it.
        """
        for name in names:
            reason = self.objection(name)
            if reason is not None:
                raise OwnershipError(self.folder / name, f"{reason}; {self.remedy}")

    def mark(self) -> None:
        """Mark the folder, if it is not marked."""
        with self._mutex:
            if not self._is_marked:
                self._put(self._next, sync=False)

    @contextmanager
    def replacing(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for writing so that it appears complete or keeps its old content, whatever happens.

        Raises
        ------
        OwnershipError
            There is something of that name that is not ours; nothing has happened then.
        """
        self.check([name])
        self.mark()  # what is cut off from here on is known by the token in its name
        part = self.folder / writing.temporary_name(name, self.token)
        staged = False
        try:
            with part.open("xb") as file:
                if self._private:
                    part.chmod(PRIVATE)
                yield file
                writing.flush(file)
            with self._mutex:
                if self._staged is None:
                    self._commit([(part, name)])
                else:
                    self._staged.append((part, name))
                    staged = True  # the batch renames or removes it
        finally:
            if not staged:
                part.unlink(missing_ok=True)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Write several files at once: none appears before all are written, and the mark is written once."""
        with self._mutex:
            assert self._staged is None, "batches do not nest"
            staged: list[tuple[Path, str]] = []
            self._staged = staged
            try:
                yield
                self._staged = None
                self._commit(staged)
            finally:
                self._staged = None
                for part, _ in staged:
                    part.unlink(missing_ok=True)

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file; see `replacing`."""
        with self.replacing(name) as file:
            file.write(content)

    def write_text(self, name: str, content: str) -> None:
        """Write a file in UTF-8; see `replacing`."""
        self.write_bytes(name, content.encode())

    def write_array(self, name: str, array: NDArray[Any]) -> None:
        """Write an `.npy` file of numbers; see `replacing`."""
        with self.replacing(name) as file:
            writing.put_array(file, array)

    def write_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write an uncompressed `.npz` file of numbers; see `replacing`."""
        with self.replacing(name) as file:
            writing.put_arrays(file, arrays)

    def remove(self, name: str) -> bool:
        """Remove a file, if it is ours; whether it was."""
        with self._mutex:
            ours = self.is_ours(name)
            if ours:
                (self.folder / name).unlink()
            if name in self._next.files:
                files = {key: value for key, value in self._next.files.items() if key != name}
                self._next, self._is_dirty = replace(self._next, files=files), True
                self._seen.pop(name, None)
            return ours

    def sweep(self, older_than: float = 0.0) -> None:
        """Remove temporary files of ours that a killed process left.

        Parameters
        ----------
        older_than
            Seconds since they were last written, where others may write at the same time.
        """
        if self._is_marked:
            for path in find_leftovers(self.folder, self.token, older_than):
                with suppress(OSError):  # a folder, or gone
                    path.unlink()

    def retire(self) -> None:
        """Remove all files of ours and the mark; where nothing else is in the folder, it goes when closed."""
        with self._mutex:
            if not self._is_marked:
                return
            for name in self.names:
                self.remove(name)
            self.sweep()
            with suppress(FileNotFoundError):
                (self.folder / MARK).unlink()
            self._is_marked = self._is_dirty = False
            self._next = Mark.new(self._next.kind)
            if self.folder not in self._made:
                self._made.append(self.folder)

    def _look(self, name: str) -> Trace | str | None:
        """The trace of a file of ours; why it is not ours; or None, where there is nothing."""
        if not is_name(name) or name in (MARK, LOCK):
            return "is no name for a file here"
        path = self.folder / name
        try:
            info = path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return (error.strerror or str(error)).lower()
        if not stat.S_ISREG(info.st_mode):
            return f"is a {_kind(info.st_mode)} where a file of trabecula would stand"
        traces = self._next.files.get(name, ())
        if not self._is_marked:
            return (
                "was not written by trabecula, or by an earlier version that did not mark its folders,"
                " and is never overwritten"
            )
        if not traces:
            return "was not written by trabecula and is never overwritten"
        if not info.st_mode & stat.S_IWUSR:
            return "is write-protected"
        signature = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        seen = self._seen.get(name)
        if seen is not None and seen[0] == signature:
            return seen[1]
        if any(trace.size == info.st_size for trace in traces):
            try:
                found = Trace.of(path)
            except OSError as error:
                return (error.strerror or str(error)).lower()
            if found in traces:
                self._seen[name] = (signature, found)
                return found
        return "was changed since trabecula wrote it and is never overwritten"

    def _commit(self, staged: list[tuple[Path, str]]) -> None:
        """Give whole temporary files their names: the mark first, then the files, in their order."""
        files = dict(self._next.files)
        traces = {}
        for part, name in staged:
            found = self._look(name)
            if isinstance(found, str):
                raise OwnershipError(self.folder / name, f"{found}; {self.remedy}")
            traces[name] = Trace.of(part)
            files[name] = (traces[name],) if found in (None, traces[name]) else (traces[name], found)
        self._put(replace(self._next, files=files))
        for part, name in staged:
            path = self.folder / name
            part.replace(path)
            info = path.lstat()
            signature = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
            self._seen[name] = (signature, traces[name])
        writing.sync_folder(self.folder)

    def _put(self, mark: Mark, sync: bool = True) -> None:
        path = self.folder / MARK
        with writing.temporary(path.with_name(writing.temporary_name(MARK[1:], mark.token))) as (part, file):
            file.write(mark.to_bytes())
            if self._private:
                part.chmod(PRIVATE)
            if sync:
                writing.flush(file)
            file.flush()
            if self._is_marked:
                part.replace(path)
            else:
                writing.create(path, part)
        self._is_marked, self._is_dirty = True, False
        self._next = mark


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "link"
    return "folder" if stat.S_ISDIR(mode) else "device or pipe"


def _make(folder: Path, mode: int) -> list[Path]:
    """Make a folder and those above it; which were made, the innermost first."""
    wanted = [folder, *folder.absolute().parents]
    missing = []
    for path in wanted:
        if path.exists():
            break
        missing.append(path)
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    return missing


def _unmake(made: list[Path]) -> None:
    with suppress(OSError):
        for path in made:
            path.rmdir()


def _let_go(lock: Lock, made: list[Path]) -> None:
    if lock.release():
        _unmake(made)
