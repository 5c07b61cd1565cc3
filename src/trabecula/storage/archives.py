"""Zip archives opened without trusting them: what they say of themselves is compared before it counts."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trabecula.storage.opening import (
    UnreadableError,
    explaining,
    open_regular,
    shorten,
)

MEMBERS = 4096
"""Members of an archive at most."""

_DIRECTORY = 2_000_000
"""Bytes of an archive's list of its members at most."""

_NAME = re.compile(r"[A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*")


@contextmanager
def opening_archive(
    path: Path, limit: int, *, unpacked: int | None = None, kind: str = "archive"
) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive whose members are safe to read one by one.

    Parameters
    ----------
    path
        The file.
    limit
        Bytes it may have at most.
    unpacked
        Bytes of all members together where they may be compressed (deflate); None refuses compression, and
        then no member is larger than the file.
    kind
        What it should be, for messages.

    Yields
    ------
    ZipFile
        Its members have plain names, each only once, and are not encrypted; none is larger than it says.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, too large, damaged, or anything else than that.
    """
    with (
        explaining(path, kind),
        open_regular(path, limit) as raw,
        _Sparing(raw, path) as file,
        zipfile.ZipFile(file) as archive,
    ):
        file.most = None
        _look_through(path, archive, file.size, unpacked)
        yield archive


def _look_through(path: Path, archive: zipfile.ZipFile, size: int, unpacked: int | None) -> None:
    infos = archive.infolist()
    if len(infos) > MEMBERS:
        raise UnreadableError(path, f"holds {len(infos)} members; at most {MEMBERS} are read")
    names: set[str] = set()
    for info in infos:
        name = info.filename
        if len(name) > 200 or not _NAME.fullmatch(name) or ".." in name.split("/"):
            raise UnreadableError(
                path, f"holds a member of the name {shorten(name)}, which does not belong there"
            )
        if name in names:
            raise UnreadableError(path, f"holds {shorten(name)} twice")
        names.add(name)
        if info.flag_bits & 0x1:
            raise UnreadableError(path, "is encrypted")
        allowed = (zipfile.ZIP_STORED,) if unpacked is None else (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if info.compress_type not in allowed:
            said = "is compressed; only stored arrays are read" if unpacked is None else "is packed strangely"
            raise UnreadableError(path, said)
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise UnreadableError(path, f"says of {shorten(name)} two different sizes")
        if info.compress_size > size:
            raise UnreadableError(path, f"is shorter than its member {shorten(name)}")
    if unpacked is not None and sum(info.file_size for info in infos) > unpacked:
        raise UnreadableError(path, f"unpacks to more than {unpacked} bytes, which no file of this kind does")


class _Sparing(io.RawIOBase):
    """A file of which nobody may ask for much at once: a zip file's directory is read in one piece."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path = file, path
        self.most: int | None = _DIRECTORY
        self.size: int = file.seek(0, io.SEEK_END)
        file.seek(0)

    def read(self, count: int | None = -1, /) -> bytes:
        """At most `count` bytes."""
        wanted = self.size - self.tell() if count is None or count < 0 else count
        if self.most is not None and wanted > self.most:
            raise UnreadableError(self._path, f"has a directory of more than {self.most} bytes")
        found: bytes = self._file.read(wanted)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """As a file does."""
        place: int = self._file.seek(offset, whence)
        return place

    def tell(self) -> int:
        """As a file does."""
        place: int = self._file.tell()
        return place

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True
