"""The mark of a folder of ours: a small file that says which of the files beside it we wrote.

It names every file with the sum of its content, so that it is true wherever the folder is copied to, and a
file that somebody put there or changed is known not to be ours. Of a file that is being replaced it names the
old and the new content: whenever a process is killed, what lies there is one of the two.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trabecula.storage.reading import UnreadableError

MARK = ".trabecula.json"
FORMAT = 1
"""Of the mark and of the files beside it; a folder of a higher one is not written."""

_LARGEST = 64 << 20
_SUM = re.compile(r"[0-9a-f]{64}")
_TOKEN = re.compile(r"[0-9a-f]{16}")


class OwnershipError(UnreadableError):
    """What is not ours stands where we would write; `str()` is one message that says how to mend it."""


@dataclass(frozen=True)
class Trace:
    """What a file held when we wrote it.

    Attributes
    ----------
    sha256
        Sum of its content, hexadecimal.
    size
        Bytes.
    """

    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> Trace:
        """The trace of a file as it is now; a link is not followed.

        Raises
        ------
        OSError
            It cannot be read, or is a link.
        """
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(digest, os.fstat(file.fileno()).st_size)


@dataclass(frozen=True)
class Mark:
    """What the file says.

    Attributes
    ----------
    kind
        What the folder is: "result", "checkpoint", "history", ...
    token
        16 hexadecimal digits, drawn when the folder was marked: temporary files carry it in their names.
    files
        Files we wrote by name, each with the contents it may have: the latest, and the one before it.
    """

    kind: str
    token: str
    files: Mapping[str, tuple[Trace, ...]] = field(default_factory=dict)

    @classmethod
    def new(cls, kind: str) -> Mark:
        """The mark of a folder in which nothing is ours yet."""
        return cls(kind, os.urandom(8).hex())

    def to_bytes(self) -> bytes:
        """As it is written."""
        files = {name: [[t.sha256, t.size] for t in traces] for name, traces in sorted(self.files.items())}
        tree = {
            "trabecula": "folder",
            "format": FORMAT,
            "kind": self.kind,
            "token": self.token,
            "files": files,
        }
        return (json.dumps(tree, indent=1) + "\n").encode()


def read_mark(folder: Path) -> Mark | None:
    """The mark of a folder, or None where there is none.

    Raises
    ------
    OwnershipError
        There is something of its name that is no mark, or that a newer version wrote.
    """
    path = folder / MARK
    try:
        content = read_plain(path, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OwnershipError(
            path, f"cannot be read as the mark of a folder ({reason}); move it away"
        ) from error
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        tree = None
    if isinstance(tree, dict) and tree.get("trabecula") == "folder":
        number = tree.get("format")
        if type(number) is int and number > FORMAT:
            raise OwnershipError(
                folder,
                f"was written by a newer trabecula (format {number}, here {FORMAT});"
                " update it, or choose another folder",
            )
        if type(number) is int and number == FORMAT and (mark := _mark(tree)) is not None:
            return mark
    raise OwnershipError(
        path, "is not the mark of a folder, or is damaged; move it away or choose another folder"
    )


def _mark(tree: dict[str, Any]) -> Mark | None:
    kind, token, files = tree.get("kind"), tree.get("token"), tree.get("files")
    if not (isinstance(kind, str) and isinstance(token, str) and _TOKEN.fullmatch(token)):
        return None
    if not isinstance(files, dict):
        return None
    found: dict[str, tuple[Trace, ...]] = {}
    for name, traces in files.items():
        if not is_name(name) or not isinstance(traces, list):
            return None
        for trace in traces:
            if not (isinstance(trace, list) and len(trace) == 2 and isinstance(trace[0], str)):
                return None
            if not (_SUM.fullmatch(trace[0]) and type(trace[1]) is int):
                return None
        found[name] = tuple(Trace(digest, size) for digest, size in traces)
    return Mark(kind, token, found)


def is_name(name: str) -> bool:
    """Whether a text names something in a folder itself, and no folder below or above it."""
    return name not in ("", ".", "..") and not set(name) & {"/", os.sep, "\0"}


def read_plain(path: Path, limit: int, whole: bool = True) -> bytes:
    """The content of a plain file of at most `limit` bytes; links, pipes and devices are not read.

    Parameters
    ----------
    whole
        Refuse a file that is larger; else its beginning is returned.

    Raises
    ------
    OSError
        It is something else, or larger.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode) or (whole and info.st_size > limit):
            raise OSError(errno.EINVAL, "no plain file, or too large")
        return file.read(limit)


def find_leftovers(folder: Path, token: str, older_than: float) -> list[Path]:
    """What carries the token of a folder in its name and has not been written to for so many seconds."""
    found, now = [], time.time()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(".tmp") and f".{token}-" in entry.name:
                with suppress(OSError):
                    if now - entry.stat(follow_symlinks=False).st_mtime >= older_than:
                        found.append(Path(entry.path))
    return found
