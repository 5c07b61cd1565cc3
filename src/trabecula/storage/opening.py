"""Files opened without trusting them: regular ones only, of a limited size, and every fault one sentence."""

from __future__ import annotations

import csv
import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trabecula.storage.visible import on_one_line

LONGEST = 400
"""Characters of a reason at most: what a file says of itself may be a megabyte long."""

MISSING = "does not exist"
"""The reason where there is no such file."""

_KINDS = {
    stat.S_IFDIR: "is a directory",
    stat.S_IFIFO: "is a pipe, not a file",
    stat.S_IFSOCK: "is a socket, not a file",
    stat.S_IFCHR: "is a device, not a file",
    stat.S_IFBLK: "is a device, not a file",
}

_DAMAGE = (
    ValueError,  # also of Unicode, of JSON, of a NUL in a name
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    SyntaxError,
    RuntimeError,  # also RecursionError and NotImplementedError
    ArithmeticError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    csv.Error,
    zlib.error,
)
"""What readers raise when a file is not what it should be."""


class UnreadableError(ValueError):
    """A saved file that is missing, damaged or not what its name says; `str()` is one clear message."""

    def __init__(self, path: Path, reason: str) -> None:
        reason = on_one_line(first_line(reason, LONGEST))
        super().__init__(f"{on_one_line(str(path))}: {reason}")
        self.path = path
        self.reason = reason


def first_line(text: str, length: int = 60) -> str:
    """The first line of a text, of at most so many characters.

    Examples
    --------
    >>> shortened("a" * 100, 8)
    'aaaaa...'
    """
    line = text.split("\n", 1)[0]
    return line if len(line) <= length else f"{line[: length - 3]}..."


def shorten(value: object) -> str:
    """A value from a file as a message may show it: its `repr`, no longer than a line."""
    if isinstance(value, str | bytes):
        value = value[:80]
    elif isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    return first_line(repr(value))


@contextmanager
def explaining(path: Path, kind: str = "file of this kind") -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into `UnreadableError`.

    Parameters
    ----------
    path
        The file.
    kind
        What it should be, for the message: "damaged or no array file".
    """
    try:
        yield
    except UnreadableError:
        raise
    except FileNotFoundError as error:
        raise UnreadableError(path, MISSING) from error
    except OSError as error:
        raise UnreadableError(path, (error.strerror or str(error)).lower()) from error
    except _DAMAGE as error:
        said = first_line(str(error) or type(error).__name__, 120)
        raise UnreadableError(path, f"damaged or no {kind} ({said})") from error


def open_regular(path: Path, limit: int | None = None) -> IO[bytes]:
    """Open a regular file (or a link to one) to read bytes.

    A pipe, a socket or a device is refused before it is opened, and what takes the file's place in between
    is opened without waiting and refused as well: nothing here can hang.

    Parameters
    ----------
    path
        The file.
    limit
        Bytes it may have at most.

    Raises
    ------
    UnreadableError
        It is missing, cannot be opened, is no regular file, or is too large.
    """
    with explaining(path):
        _refuse(path, path.stat(), limit)
        flags = os.O_RDONLY
        for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
            flags |= getattr(os, name, 0)
        descriptor = os.open(path, flags)
        try:
            _refuse(path, os.fstat(descriptor), limit)
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise


def _refuse(path: Path, status: os.stat_result, limit: int | None) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise UnreadableError(path, _KINDS.get(kind, "is not a file"))
    if limit is not None and status.st_size > limit:
        raise UnreadableError(path, f"larger than {limit} bytes, which no file of this kind is")


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, or too large.
    """
    with explaining(path), open_regular(path, limit) as file:
        content = file.read(limit + 1) or b""
    if len(content) > limit:  # it grew, or is of a file system that does not tell sizes
        raise UnreadableError(path, f"larger than {limit} bytes, which no file of this kind is")
    return content


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of at most `limit` bytes; a byte order mark at its beginning is left out.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, too large, not UTF-8, or holds a NUL.
    """
    try:
        text = read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(path, "not a text file in UTF-8") from error
    if "\0" in text:
        raise UnreadableError(path, "not a text file: it holds a NUL")
    return text


def digest_of(path: Path, limit: int) -> str:
    """SHA-256 of a regular file's content, in hexadecimal, read a megabyte at a time.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, or too large.
    """
    digest = hashlib.sha256()
    with explaining(path), open_regular(path, limit) as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
