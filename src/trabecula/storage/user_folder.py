"""Where things of the user are kept on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder `trabecula` among the user's data: in `XDG_DATA_HOME`, else where the system has its habit.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    for name in ("XDG_DATA_HOME", *(("LOCALAPPDATA",) if sys.platform == "win32" else ())):
        given = os.environ.get(name)
        if given and Path(given).is_absolute():  # the XDG specification: relative ones are to be ignored
            return Path(given) / "trabecula"
    return Path.home() / ".local" / "share" / "trabecula"


_OFF = ("0", "off", "no", "false")


def is_on(switch: str) -> bool:
    """Whether something is used: yes, unless the environment's variable `switch` is 0, off, no or false."""
    return os.environ.get(switch, "").strip().lower() not in _OFF


def folder(variable: str, name: str) -> Path:
    """The folder that the environment's `variable` names, else the folder `name` in `home`.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    given = os.environ.get(variable)
    return Path(given).absolute() if given else home() / name
