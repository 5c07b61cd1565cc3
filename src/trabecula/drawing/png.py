"""PNG files of colour pictures."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
_EFFORT = 4  # 6 takes twice as long for a file 5 % smaller


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file, the same bytes every time.

    Every row is kept as its difference to the row above, which suits flat areas and smooth shades alike.

    Parameters
    ----------
    pixels
        uint8 `[row, column, (red, green, blue)]`.

    Source: Portable Network Graphics, W3C Recommendation, 2003, sections 9 and 11.
    """
    rows, columns, _ = pixels.shape
    flat = pixels.reshape(rows, -1)
    lines = np.full((rows, 1 + flat.shape[1]), _UP, dtype=np.uint8)
    lines[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=lines[1:, 1:])
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    text = b"Software\0trabecula"
    parts = ((b"IHDR", head), (b"tEXt", text), (b"IDAT", zlib.compress(lines.data, _EFFORT)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
