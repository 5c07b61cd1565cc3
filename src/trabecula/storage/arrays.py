"""Arrays of numbers read without trusting them: headers and sizes are compared before memory is taken."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from trabecula.storage.archives import opening_archive
from trabecula.storage.opening import (
    UnreadableError,
    explaining,
    open_regular,
    shorten,
)

LARGEST = 1 << 36
"""Bytes of a file of arrays at most (64 GiB); what is read is limited by the shapes that are expected."""

_HEADER = 10_000
"""Bytes of a header at most: one of numpy's own has 118."""

_FIELDS = re.compile(
    r"\{\s*'descr':\s*'([^'\\]{1,32})',\s*'fortran_order':\s*(True|False),"
    r"\s*'shape':\s*\(([0-9, ]{0,400})\),?\s*\}\s*"
)
_REAL = re.compile(r"[<>=|]?(?:f[248]|[iu][1248]|b1)")


@dataclass(frozen=True)
class Form:
    """What an array must be.

    Attributes
    ----------
    shape
        Its shape; None stands for any length, and None alone for any shape of at most six axes.
    dtype
        Its type, such as "float32", in any byte order; None for any real numbers.
    finite
        Whether NaN and infinity are refused.
    most
        Numbers in it at most.
    """

    shape: tuple[int | None, ...] | None = None
    dtype: str | None = None
    finite: bool = True
    most: int = 1 << 33

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape is one of these."""
        if self.shape is None:
            return len(shape) <= 6
        return len(shape) == len(self.shape) and all(
            wanted in (None, given) for wanted, given in zip(self.shape, shape, strict=True)
        )


Forms = Mapping[str, "Form | tuple[int, ...]"]


def read_array(path: Path, form: Form | tuple[int, ...]) -> NDArray[Any]:
    """Read one real array from an `.npy` file.

    The header is compared with what is expected and with the size of the file before any memory is taken for
    the numbers, and nothing is ever unpickled.

    Parameters
    ----------
    path
        The file.
    form
        What it must hold; a shape stands for any finite real numbers of that shape.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, damaged, or holds something else.
    """
    with explaining(path, "array file"), open_regular(path, LARGEST) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        return _read_npy(path, file, size, form)


def read_arrays(path: Path, forms: Forms) -> dict[str, NDArray[Any]]:
    """Read those arrays of an `.npz` file that `forms` names; a name that is not there is left out.

    Raises
    ------
    UnreadableError
        The file is missing, damaged, compressed, or holds something else.
    """
    return read_named_arrays(path, forms.get)


def read_named_arrays(
    path: Path, form_of: Callable[[str], Form | tuple[int, ...] | None], limit: int = LARGEST
) -> dict[str, NDArray[Any]]:
    """Read all arrays of an `.npz` file.

    Parameters
    ----------
    path
        The file.
    form_of
        What the array of a name must be; None where no array may have that name.
    limit
        Bytes of the file at most, and so of all arrays together.

    Raises
    ------
    UnreadableError
        The file is missing, damaged, compressed, or holds something else.
    """
    found = {}
    with opening_archive(path, limit, kind="array file") as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            form = form_of(name)
            if form is None or info.filename == name:
                raise UnreadableError(path, f"holds {shorten(info.filename)}, which does not belong there")
            with archive.open(info) as member:
                found[name] = _read_npy(path, member, info.file_size, form)
    return found


def read_member(path: Path, archive: zipfile.ZipFile, name: str, form: Form) -> NDArray[Any]:
    """Read one array of an archive that `opening_archive` opened; compressed ones too.

    Raises
    ------
    UnreadableError
        It is missing, damaged, or something else.
    """
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise UnreadableError(path, f"does not hold {shorten(name)}") from None
    with explaining(path, "array file"), archive.open(info) as member:
        return _read_npy(path, member, info.file_size, form)


def _read_npy(path: Path, file: IO[bytes], size: int, form: Form | tuple[int, ...]) -> NDArray[Any]:
    form = form if isinstance(form, Form) else Form(form)
    begin, dtype, fortran, shape = _header(path, file)
    if form.dtype is not None and dtype.newbyteorder("=") != np.dtype(form.dtype):
        raise UnreadableError(path, f"holds {dtype.name} where {form.dtype} belongs")
    if not form.fits(shape):
        wanted = "at most six axes" if form.shape is None else str(form.shape).replace("None", "any")
        raise UnreadableError(path, f"holds an array of shape {shape}; the problem needs {wanted}")
    count = math.prod(shape)
    if size - begin != count * dtype.itemsize:
        raise UnreadableError(path, "is shorter or longer than its header says")
    if count > form.most:
        raise UnreadableError(path, f"holds {count} numbers; at most {form.most} are read")
    flat: NDArray[Any] = np.empty(count, dtype)
    _fill(path, file, flat.view(np.uint8).data)
    if form.finite and not np.isfinite(flat).all():
        raise UnreadableError(path, "holds NaN or infinite values")
    array: NDArray[Any] = flat.astype(dtype.newbyteorder("="), copy=False)
    return array.reshape(shape, order="F" if fortran else "C")


def _fill(path: Path, file: IO[bytes], room: memoryview) -> None:
    """Read as many bytes as there is room for, and see that there are no more."""
    done = 0
    while done < len(room):
        part = file.read(min(1 << 22, len(room) - done))
        if not part:
            raise UnreadableError(path, "is shorter or longer than its header says")
        room[done : done + len(part)] = part
        done += len(part)
    if file.read(1):  # in an archive this is what compares the checksum
        raise UnreadableError(path, "is shorter or longer than its header says")


def _header(path: Path, file: IO[bytes]) -> tuple[int, np.dtype[Any], bool, tuple[int, ...]]:
    """Bytes before the numbers, type, order and shape; the header's length is looked at before it is read."""
    magic = file.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) < 8:
        raise UnreadableError(path, "damaged or no array file (it does not begin like one)")
    version = magic[6], magic[7]
    if version not in ((1, 0), (2, 0)):
        raise UnreadableError(path, f"array format {version} is not known here")
    width = 2 if version == (1, 0) else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _HEADER:
        raise UnreadableError(path, f"damaged or no array file (a header of {length} bytes)")
    header = file.read(length)
    match = _FIELDS.fullmatch(header.decode("latin-1"))
    if len(header) != length or match is None:
        raise UnreadableError(path, "damaged or no array file (its header cannot be read)")
    descr, order, sides = match.groups()
    if not _REAL.fullmatch(descr):
        raise UnreadableError(path, f"holds {shorten(descr)} where real numbers belong")
    words = [word.strip() for word in sides.split(",")]
    if words[-1] == "":
        words.pop()
    if not all(re.fullmatch(r"[0-9]{1,18}", word) for word in words) or len(words) > 32:
        raise UnreadableError(path, "damaged or no array file (its shape cannot be read)")
    return 8 + width + length, np.dtype(descr), order == "True", tuple(map(int, words))
