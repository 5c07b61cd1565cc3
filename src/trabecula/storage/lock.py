"""A lock per folder: one thread of one process writes into it, and a file says which.

The system's lock on that file (`flock`) decides where there is one, so that a killed process never leaves a
folder locked; what the file says is for people, and decides where there is none.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from trabecula.storage import writing
from trabecula.storage.mark import OwnershipError, read_plain

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".trabecula.lock"
_LARGEST = 10_000
_LONGEST = 200
"""Characters of the command that are kept."""

_PAUSE = 0.02
"""Seconds between two looks at a lock that somebody else holds."""

_BUSY = (errno.EAGAIN, errno.EACCES)
_UNLOCKABLE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF)


class LockedError(OwnershipError):
    """Somebody else writes into the folder; `str()` says who, since when, and how to mend it."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes
    ----------
    pid, host
        The process, and the machine it runs on.
    started
        What tells the process from a later one of the same number; "" where the system does not say.
    command
        What was called.
    since
        Local date and time.
    """

    pid: int
    host: str
    started: str
    command: str
    since: str

    @classmethod
    def here(cls) -> Holder:
        """This process, from now on."""
        words = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv else ""
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        return cls(os.getpid(), _host(), _start_time(os.getpid()), _printable(words), since)

    def is_gone(self) -> bool:
        """Whether the process is known to have ended; of another machine nothing is known."""
        if self.host != _host():
            return False
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError, ValueError):
            return True
        except OSError:
            pass
        return self.started != _start_time(self.pid)

    def __str__(self) -> str:
        what = f" ({self.command})" if self.command else ""
        return f"process {self.pid} on {self.host}{what} since {self.since}"

    def to_bytes(self) -> bytes:
        """As it is written."""
        return (json.dumps({"trabecula": "lock", **asdict(self)}) + "\n").encode()

    @classmethod
    def read(cls, content: bytes) -> Holder | None:
        """The inverse of `to_bytes`; None where it is something else."""
        try:
            tree = json.loads(content)
        except (ValueError, RecursionError):
            return None
        if not isinstance(tree, dict) or tree.pop("trabecula", None) != "lock":
            return None
        kinds = {each.name: int if each.name == "pid" else str for each in fields(cls)}
        if set(tree) != set(kinds) or any(type(tree[key]) is not kind for key, kind in kinds.items()):
            return None
        texts = {key: _printable(value) for key, value in tree.items() if key != "pid"}
        return cls(pid=tree["pid"], **texts)


class Lock:
    """A lock that is held; see `take`.

    Attributes
    ----------
    stale
        Who had left it behind, if anybody had.
    """

    def __init__(self, path: Path, handle: int, stale: Holder | None) -> None:
        self.path = path
        self.stale = stale
        self._handle: int | None = handle
        _HELD.add(self)

    @property
    def is_held(self) -> bool:
        """Whether it keeps others out: not in the child of a fork, nor when its file was removed."""
        return self._handle is not None and _is_at(self.path, self._handle)

    def release(self) -> bool:
        """Let others in; whether it was held. More than once does no harm."""
        handle, self._handle = self._handle, None
        if handle is None:
            return False
        with suppress(OSError):
            if _is_at(self.path, handle):
                self.path.unlink()
        if fcntl is not None:  # said aloud: a child of a fork may have the file open still
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)
        return True

    def abandon(self) -> None:
        """In the child of a fork: close the file, and leave the lock to the parent."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


_HELD: weakref.WeakSet[Lock] = weakref.WeakSet()


def _abandon_all() -> None:
    for lock in list(_HELD):
        lock.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)


def take(folder: Path, wait: float = 0.0) -> Lock:
    """Lock a folder.

    Parameters
    ----------
    folder
        It exists.
    wait
        Seconds to wait for somebody else.

    Raises
    ------
    LockedError
        Somebody else holds it.
    OwnershipError
        The lock's name is taken by something else.
    OSError
        The folder cannot be written.
    """
    path = folder / LOCK
    last = time.monotonic() + max(wait, 3 * _PAUSE)  # who is just leaving, or taking over, is waited for
    while True:
        found = _try(path)
        if isinstance(found, Lock):
            return found
        if time.monotonic() > last:
            raise LockedError(folder, f"is in use by {_describe_holder(found)}, or choose another folder")
        time.sleep(_PAUSE)


def _describe_holder(holder: Holder | None) -> str:
    """Who it is, and what can be done about it."""
    if holder is None:
        return "another process; wait for it"
    if (holder.pid, holder.host) == (os.getpid(), _host()):
        return f"another thread of this process since {holder.since}; wait for it"
    mend = "" if fcntl is not None else f" (if it is gone, remove {LOCK})"
    return f"{holder}; wait for it or end it{mend}"


def _try(path: Path) -> Lock | Holder | None:
    """One attempt: the lock, or who holds it (None: it is not known, or has just changed)."""
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return _begin(path)
    except OSError as error:
        raise _foreign(path) from error
    try:
        holder = _holder(path)
        if not _is_at(path, handle):
            return None
        if holder is None:
            raise _foreign(path)
        if not _flock(handle, holder) or not _is_at(path, handle):
            return holder
        with writing.temporary(_part(path)) as (part, file):
            new = _write_and_lock(part, file.fileno())
            part.replace(path)
        return Lock(path, new, holder)
    finally:
        os.close(handle)


def _begin(path: Path) -> Lock | None:
    """Make the file, locked from the beginning; None where somebody else was quicker."""
    with writing.temporary(_part(path)) as (part, file):
        handle = _write_and_lock(part, file.fileno())
        try:
            writing.create(path, part)
        except FileExistsError:
            os.close(handle)
            return None
    return Lock(path, handle, None)


def _write_and_lock(part: Path, handle: int) -> int:
    """Write who we are into a new file and lock it; an open file of its own."""
    os.write(handle, Holder.here().to_bytes())
    own = os.open(part, os.O_RDWR)
    _flock(own, None)
    return own


def _flock(handle: int, holder: Holder | None) -> bool:
    """Whether the lock could be had; without `flock`, whether its holder is gone."""
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno in _BUSY:
                return False
            if error.errno not in _UNLOCKABLE:
                raise
    return holder is None or holder.is_gone()


def _holder(path: Path) -> Holder | None:
    try:
        return Holder.read(read_plain(path, _LARGEST))
    except OSError:
        return None


def _is_at(path: Path, handle: int) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        named, opened = path.lstat(), os.fstat(handle)
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def _foreign(path: Path) -> OwnershipError:
    return OwnershipError(path, "is not the lock of a folder; move it away or choose another folder")


def _part(path: Path) -> Path:
    return path.with_name(writing.temporary_name(path.name.removeprefix(".")))


def _host() -> str:
    if hasattr(os, "uname"):
        return _printable(os.uname().nodename)
    import platform

    return _printable(platform.node())


def _start_time(pid: int) -> str:
    """When a process began, as the system counts; "" where it does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    fields_after_name = text.rpartition(")")[2].split()
    return fields_after_name[19] if len(fields_after_name) > 19 else ""


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST]
