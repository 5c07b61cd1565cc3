"""Standard output and error that a command may write to whatever stands behind them.

What happened to the work decides about the exit code, not who reads about it: a reader that goes away
(`| head -1`), and output that is closed (`>&-`), change nothing. Output that cannot be written for another
reason, a full disk for example, is remembered and reported once the work is done. Characters that the
encoding of the terminal lacks are written as escapes (`\\u2013`).
"""

from __future__ import annotations

import io
import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Outlet(io.RawIOBase):
    """A raw stream that never raises: after the first failure everything written to it is dropped.

    Parameters
    ----------
    under
        The stream that is written to.

    Attributes
    ----------
    error
        Why it failed; None while it works, and where only the reader has gone away.
    """

    def __init__(self, under: io.RawIOBase) -> None:
        super().__init__()
        self.error: OSError | None = None
        self._under = under
        self._is_open = True

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """Of the stream under it."""
        return self._under.fileno()

    def isatty(self) -> bool:
        """Whether the stream under it is a terminal."""
        return self._under.isatty()

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of `data`, or drop all of it."""
        size = memoryview(data).nbytes
        while self._is_open:
            try:
                written = self._under.write(data)
            except BrokenPipeError:
                self._is_open = False
            except OSError as error:
                self._is_open, self.error = False, error
            else:
                if written is not None:
                    return written
                select.select([], [self], [])  # does not block, and takes no more now
        return size


def shield() -> Outlet | None:
    """Put outlets behind `sys.stdout` and `sys.stderr`; returns that of stdout, None where it is closed.

    Descriptors that are closed are taken by the null device, so that no file is opened in their place and
    receives what others print.
    """
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(free)
    sys.stdout, outlet = _shield_stream(sys.stdout)
    sys.stderr, _ = _shield_stream(sys.stderr)
    return outlet


def _shield_stream(stream: TextIO | None) -> tuple[TextIO, Outlet | None]:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8"), None
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # there is no buffer with `python -u`
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(raw, io.RawIOBase):
        return stream, None  # somebody else's, as a test's
    outlet = Outlet(raw)
    text = io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=stream.encoding,
        errors="backslashreplace" if stream.errors == "strict" else stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return text, outlet


def flush(outlet: Outlet | None) -> OSError | None:
    """Write out what stdout and stderr still hold; returns why stdout could not be written, if so."""
    sys.stdout.flush()
    sys.stderr.flush()
    return None if outlet is None else outlet.error
