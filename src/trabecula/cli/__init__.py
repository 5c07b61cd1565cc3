"""The command line: one file a command, each importing what it needs only when it runs."""

from __future__ import annotations

import gc
import sys

from trabecula.cli.signals import Listener, code_of

__all__ = ["main"]


def main() -> None:
    """Run the command line and end the process with its exit code; signals are listened to from the start."""
    gc.disable()  # while all is loaded that a command needs, see `trabecula.cli.loading`; `guard` turns it on
    listener = Listener()
    listener.listen()
    try:
        from trabecula.cli import app
    except KeyboardInterrupt as interrupt:
        sys.exit(code_of(interrupt))
    app.main(listener)
