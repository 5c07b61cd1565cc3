"""Signals that end the command line: what is kept stays kept, and the exit code says what happened.

Only the command line listens; a program that calls `trabecula.solve` keeps its own handlers.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130
TERMINATED = 143
_CODES = {"SIGINT": INTERRUPTED, "SIGTERM": TERMINATED, "SIGHUP": TERMINATED}
_IMPATIENT = 3


class Terminated(KeyboardInterrupt):
    """A request to end that is not from the keyboard; whatever deals with an interrupt deals with it too."""


class Listener:
    """Turns the first signal into an exception of the main thread.

    A second one is ignored, so that what is being written is written; the third ends the process at once,
    which loses no more than `kill -9` would: files are whole or not there (`trabecula.storage.writing`).

    Attributes
    ----------
    is_over
        Whether the work is done and signals are ignored: the process is about to end by itself.
    code
        The exit code of the first signal; None before.
    """

    def __init__(self) -> None:
        self.is_over = False
        self.code: int | None = None
        self._count = 0

    def listen(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP, but leave those alone that are ignored, as under `nohup`."""
        for name in _CODES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        self._count += 1
        if self.is_over:
            return
        if self._count == 1:
            self.code = _CODES[name]
            raise KeyboardInterrupt if name == "SIGINT" else Terminated
        if self._count >= _IMPATIENT:
            os._exit(_CODES[name])


def code_of(interrupt: KeyboardInterrupt) -> int:
    """The exit code that an interrupt stands for."""
    return TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED


def name_of(interrupt: KeyboardInterrupt) -> str:
    """What happened, in a word."""
    return "terminated" if isinstance(interrupt, Terminated) else "interrupted"
