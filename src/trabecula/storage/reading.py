"""Files read without trusting them: sizes, kinds and headers are looked at before any memory is taken."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


class UnreadableError(ValueError):
    """A saved file that is missing, damaged or not what its name says; `str()` is one clear message."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of at most `limit` bytes.

    Raises
    ------
    UnreadableError
        The file is missing, too large, or not text.
    """
    try:
        return read_bytes(path, limit).decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(path, "not a text file in UTF-8") from error


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a file of at most `limit` bytes.

    Raises
    ------
    UnreadableError
        The file is missing or too large.
    """
    with _explaining(path), path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnreadableError(path, f"larger than {limit} bytes, which no file of this kind is")
    return content


def read_array(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read one real array of a known shape from an `.npy` file.

    The header is compared with `shape` and with the size of the file before any memory is taken for the
    numbers, and nothing is ever unpickled.

    Raises
    ------
    UnreadableError
        The file is missing, damaged, or holds something else.
    """
    with _explaining(path), path.open("rb") as file:
        return _read_npy(path, file, path.stat().st_size, shape)


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Read those arrays of an `.npz` file that `shapes` names; a name that is not there is left out.

    Raises
    ------
    UnreadableError
        The file is missing, damaged, compressed, or holds something else.
    """
    found = {}
    with _explaining(path), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name not in shapes or name in found:
                raise UnreadableError(path, f"holds {info.filename!r}, which does not belong there")
            if info.compress_type != zipfile.ZIP_STORED:
                raise UnreadableError(path, "is compressed; only stored arrays are read")
            with archive.open(info) as member:
                found[name] = _read_npy(path, member, info.file_size, shapes[name])
    return found


def _read_npy(path: Path, file: IO[bytes], size: int, shape: tuple[int, ...]) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise UnreadableError(path, f"array format {version} is not known here")
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    stored, fortran, dtype = read_header(file)
    if dtype.kind not in "fiu":
        raise UnreadableError(path, f"holds {dtype} where real numbers belong")
    if stored != shape:
        raise UnreadableError(path, f"holds an array of shape {stored}; the problem needs {shape}")
    count = int(np.prod(shape, dtype=np.int64))
    content = file.read(count * dtype.itemsize + 1) if size > count * dtype.itemsize else b""
    if len(content) != count * dtype.itemsize:
        raise UnreadableError(path, "is shorter or longer than its header says")
    array: NDArray[Any] = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    if not np.isfinite(array).all():
        raise UnreadableError(path, "holds NaN or infinite values")
    return array.astype(dtype.newbyteorder("="))


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableError(path, "does not exist") from error
    except OSError as error:
        raise UnreadableError(path, (error.strerror or str(error)).lower()) from error
    except UnreadableError:
        raise
    except (ValueError, EOFError, SyntaxError, RuntimeError, zipfile.BadZipFile) as error:
        raise UnreadableError(path, f"damaged or not an array file ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
