"""Files that are not what they say: whoever reads them may refuse, not hang, not flood, not fall."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

Make = Callable[[Path], object]
"""Puts something hostile in the place of a file."""


def content(data: bytes | str) -> Make:
    return lambda path: path.write_bytes(data.encode() if isinstance(data, str) else data)


def sparse(size: int, head: bytes = b"", tail: bytes = b"") -> Make:
    """A file of so many bytes that takes none on the disk."""

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(head)
            file.truncate(size)
            file.seek(0, os.SEEK_END)
            file.write(tail)

    return make


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def link_to(target: str) -> Make:
    return lambda path: path.symlink_to(target)


def header(fields: str, version: int = 1, length: int | None = None, numbers: bytes = b"") -> bytes:
    """An `.npy` file with a header of one's own."""
    text = fields.encode().ljust(117) + b"\n"
    width = 2 if version == 1 else 4
    said = len(text) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + said.to_bytes(width, "little") + text + numbers


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


@cache
def packed_zeros(name: str, size: int) -> bytes:
    """An archive of one compressed array of zeros that unpacks to `size` bytes."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
        made.open(f"{name}.npy", "w", force_zip64=True) as member,
    ):
        member.write(header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({size // 8},), }}"))
        for _ in range(size >> 24):
            member.write(bytes(1 << 24))
    return file.getvalue()


def bomb(name: str, size: int = 2 << 30) -> Make:
    return lambda path: path.write_bytes(packed_zeros(name, size))


def directory_bomb(count: int = 300_000) -> bytes:
    """An archive whose list has many members of nothing."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    size = count * (len(entry) + 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, size, 0, 0)
    return (entry + b"a") * count + end


def twice(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, data)
        with made.open(zipfile.ZipInfo(name), "w") as member:
            member.write(data)
    return file.getvalue()


def encrypted(data: bytes) -> bytes:
    """An archive that says its members are encrypted."""
    return data.replace(b"PK\1\2\x14\x03\x14\0\0", b"PK\1\2\x14\x03\x14\0\1")


EVERYWHERE: dict[str, Make] = {
    "a pipe": fifo,
    "a device": link_to("/dev/zero"),
    "a folder": folder,
    "a link to itself": lambda path: path.symlink_to(path),
    "nothing": content(b""),
    "noise": content(bytes(range(256)) * 40),
    "a terabyte": sparse(1 << 40),
}

JSON: dict[str, Make] = {
    "an integer of 400 digits": content('{"compliance": ' + "7" * 400 + "}"),
    "an integer of 9000 digits": content('{"compliance": ' + "7" * 9000 + "}"),
    "a number beyond all": content('{"compliance": 1e999}'),
    "not a number": content('{"compliance": NaN}'),
    "a key twice": content('{"word": "verified", "word": "certified"}'),
    "half a character": content(r'{"word": "\ud800"}'),
    "100000 brackets": content("[" * 100_000),
    "a deep tree": content('{"a":' * 5000 + "1" + "}" * 5000),
    "a million lists": content("[" + "[]," * 300_000 + "[]]"),
    "a NUL": content(b'{"word": "a\0"}'),
    "UTF-16": content('{"word": "verified"}'.encode("utf-16")),
    "a list": content("[]"),
    "an escape": content('{"word": "\x1b]0;owned\x07"}'),
    "a long line": content('{"word": "' + "x" * 900_000 + '"}'),
}

_REST = ", 'fortran_order': False, 'shape': (1,), }"
_F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': "

NPY: dict[str, Make] = {
    "a header of 1.5 GB": sparse(1_500_000_200, b"\x93NUMPY\2\0" + (1_500_000_000).to_bytes(4, "little")),
    "a header longer than the file": content(header(_F8 + "(2,)}", 2, 4_000_000_000)),
    "a deep header": content(header("(" * 5000)),
    "a negative shape": content(header(_F8 + "(-3, 4), }", numbers=bytes(96))),
    "an overflowing shape": content(header(_F8 + "(4294967296, 4294967296), }")),
    "a shape of 400 digits": content(header(_F8 + "(" + "9" * 100 + ",), }")),
    "a shape of 60 axes": content(header(_F8 + "(" + "1, " * 35 + "), }", numbers=bytes(8))),
    "texts of a gigabyte": content(header("{'descr': '<U999999999'" + _REST)),
    "a structure": content(header("{'descr': [('a', '<f8', (99999, 99999))]" + _REST)),
    "objects": content(npy(np.array([{}], dtype=object))),
    "complex numbers": content(npy(np.zeros((12, 24), complex))),
    "one number": content(npy(np.asarray(3.0))),
    "NaN": content(npy(np.full((12, 24), np.nan, np.float32))),
    "format 3": content(b"\x93NUMPY\3\0" + bytes(80)),
}  # fmt: skip

NPZ: dict[str, Make] = {
    "a bomb": bomb("design"),
    "a directory of 300000": content(directory_bomb()),
    "a member twice": content(twice("design.npy", npy(np.zeros((12, 24))))),
    "a path out": content(archive({"../../design.npy": npy(np.zeros((12, 24)))})),
    "no arrays": content(archive({})),
    "a strange member": content(archive({"evil.npy": npy(np.zeros(3))})),
    "a member encrypted": content(encrypted(archive({"design.npy": npy(np.zeros((12, 24)))}))),
    "a member of text": content(archive({"design": b"x"})),
    "deflate": content(archive({"design.npy": npy(np.zeros((12, 24)))}, zipfile.ZIP_DEFLATED)),
    "bzip2": content(archive({"design.npy": npy(np.zeros((12, 24)))}, zipfile.ZIP_BZIP2)),
}

NARROW = "1," * 63 + "1\n"

TABLE: dict[str, Make] = {
    "96 MB": content(b"iteration,compliance\n" + b"1,2.0\n" * 16_000_000),
    "a million rows": content(b"a\n" + b"1\n" * 1_000_000),
    "12 MB of narrow cells": content(",".join(f"c{k}" for k in range(64)) + "\n" + NARROW * 90_000),
    "a line of 20 MB": content(b"a,b\n" + b"1" * 20_000_000),
    "a quote that never ends": content(b'a,b\n"' + b"1\n" * 50_000),
    "1000 columns": content(",".join(f"c{k}" for k in range(700)) + "\n"),
    "rows of other lengths": content("a,b\n1\n1,2,3\n"),
    "a column twice": content("a,a\n1,2\n"),
}  # fmt: skip


def request(**values: object) -> Make:
    all_of = {"start": None, "proposals": None, "iterations": None, "tolerance": None, "leaps": None}
    return content(json.dumps(all_of | values))


REQUEST: dict[str, Make] = {
    "no proposals": request(proposals=0),
    "a million proposals": request(proposals=1_000_000),
    "iterations backwards": request(iterations=-5),
    "a tolerance of one": request(tolerance=1.0),
    "a start unknown": request(start="\x1b[2Jx"),
    "a start that is a list": request(start=["uniform"]),
    "leaps as a number": request(leaps=1),
    "a truth as a number": request(proposals=True),
    "nothing asked": content("{}"),
    "another key": request(threads=3),
}
