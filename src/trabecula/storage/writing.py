"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_UNLINKED = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)
"""What file systems without hard links answer."""

_LONGEST = 60
"""Characters of a file's name that its temporary name repeats: names may have 255 bytes."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open `path` for writing so that it appears complete or keeps its old content, whatever happens.

    For files that the caller names one by one. In a folder of ours, `owned.Owned.replacing` sees to it that
    nobody else's file is replaced.

    Parameters
    ----------
    path
        File to write; its folder exists.

    Yields
    ------
    IO[bytes]
        A new file next to `path`, renamed onto it when the block ends without an exception.
    """
    with temporary(path.with_name(temporary_name(path.name))) as (part, file):
        yield file
        flush(file)
        part.replace(path)
        sync_folder(path.parent)


def temporary_name(name: str, token: str = "") -> str:
    """A name for what will be `name`, used by no other thread or process.

    Parameters
    ----------
    token
        Of the folder's mark: what carries it is known to be ours after its process is gone.
    """
    unique = f"{os.getpid()}-{threading.get_ident():x}-{os.urandom(6).hex()}"
    return f".{name[:_LONGEST]}.{token}{'-' if token else ''}{unique}.tmp"


@contextmanager
def temporary(part: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file that is gone when the block ends, unless it was renamed in it."""
    try:
        with part.open("xb") as file:
            yield part, file
    finally:
        part.unlink(missing_ok=True)


def flush(file: IO[bytes]) -> None:
    """See that what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See that names in a folder are on the disk, where the system can say so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def create(path: Path, part: Path) -> None:
    """Give the whole file `part` the name `path`, which must be free; `part` is gone afterwards.

    Raises
    ------
    FileExistsError
        There is something of that name, even a link that leads nowhere.
    """
    try:
        os.link(part, path, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNLINKED:
            raise
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # claims the name, then takes it
        part.replace(path)
    else:
        part.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array of numbers to an `.npy` file atomically."""
    with replacing(path) as file:
        put_array(file, array)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays of numbers to an uncompressed `.npz` file atomically."""
    with replacing(path) as file:
        put_arrays(file, arrays)


def put_array(file: IO[bytes], array: NDArray[Any]) -> None:
    """Write one array of numbers into an open `.npy` file."""
    np.save(file, array, allow_pickle=False)


def put_arrays(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays of numbers into an open `.npz` file, uncompressed."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
