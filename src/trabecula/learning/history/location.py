"""Where the history is kept, how large it may get, and whether one is kept at all."""

from __future__ import annotations

import math
import os
from pathlib import Path

from trabecula.storage import user_folder

SWITCH, FOLDER, LIMIT = "TRABECULA_HISTORY", "TRABECULA_HISTORY_DIR", "TRABECULA_HISTORY_MB"

MEGABYTES = 500.0
"""The default limit."""


def is_on() -> bool:
    """Whether solves are kept: yes, unless `TRABECULA_HISTORY` is 0, off, no or false."""
    return user_folder.is_on(SWITCH)


def folder() -> Path:
    """`TRABECULA_HISTORY_DIR`, else `trabecula/history` among the user's data.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    return user_folder.folder(FOLDER, "history")


def limit() -> int:
    """Bytes the history may take: `TRABECULA_HISTORY_MB` megabytes, else 500."""
    try:
        megabytes = float(os.environ.get(LIMIT, ""))
    except ValueError:
        megabytes = MEGABYTES
    return int(1e6 * megabytes) if math.isfinite(megabytes) and megabytes >= 0 else int(1e6 * MEGABYTES)
