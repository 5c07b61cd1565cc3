"""The history around `trabecula solve`: a past design offered, and what was solved kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from trabecula.cli.edge import say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trabecula.discretisation.discrete import DiscreteProblem
    from trabecula.results.result import Result
    from trabecula.storage.owned import Owned

PAST = "past.npy"
"""The design that was offered, kept in the result folder until the solve has converged, to resume with."""


_MOST = 100_000_000
"""Voxels of a past design at most."""


def is_wanted(asked: bool | None) -> bool:
    """Whether the history takes part: as the command says, else as the environment says."""
    if asked is not None:
        return asked
    from trabecula.learning.history import is_on

    return is_on()


def forget(folder: Owned) -> None:
    """Remove the offered design, if it is the one that `offer` put there."""
    folder.remove(PAST)


def offer(discrete: DiscreteProblem, folder: Owned, quiet: bool) -> None:
    """Look for the nearest past design and put it into the result folder."""
    from trabecula.learning.history import recall

    match = recall(discrete)
    if match is None:
        return
    folder.write_array(PAST, match.design)
    if not quiet:
        what = "solved before" if match.distance == 0 else f"like {match.entry.name!r}, solved before"
        say(f"trabecula: note: {what}; the design found then is tried too (--no-history leaves it out)")


def read_offer(folder: Path) -> list[NDArray[np.float64]]:
    """The design that was put into the result folder, if one was.

    Raises
    ------
    UnreadableError
        It is damaged.
    """
    from trabecula.storage.reading import Form, UnreadableError, read_array

    path = folder / PAST
    if not os.path.lexists(path):
        return []
    try:
        design = read_array(path, Form(most=_MOST)).astype("float64")
        if design.ndim not in (2, 3) or not design.size or design.min() < 0.0 or design.max() > 1.0:
            raise UnreadableError(path, "it holds no densities")
    except UnreadableError as error:
        raise UnreadableError(
            path, f"is damaged; move it away, or solve into another folder ({error.reason})"
        ) from error
    return [design]


def remember(result: Result, quiet: bool) -> None:
    """Keep a result in the history; where that cannot be, say so and no more."""
    from trabecula.learning.history import keep

    reason = keep(result)
    if reason and not quiet:
        say(f"trabecula: note: not kept in the history ({reason})")
