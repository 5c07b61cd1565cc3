"""By how much a design misses its limits, stated as a certificate states it."""

from __future__ import annotations

from collections.abc import Sequence

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.responses import formulate


def violation_of(discrete: DiscreteProblem, volume: float, excesses: Sequence[float]) -> float:
    """Return by how much a design misses its limits, 0 if it keeps all.

    Parameters
    ----------
    volume
        Its volume fraction.
    excesses
        One per limit: by how much the value misses it, relative to it (`Limited.excess`).

    Returns
    -------
    float
        The volume fraction too much, where nothing else is limited; else the largest relative excess.
    """
    limit = _only_volume(discrete)
    return max(0.0, volume - limit) if limit is not None else max(0.0, *excesses)


def relative_violation(discrete: DiscreteProblem, violation: float) -> float:
    """A certificate's `volume_violation` relative to the limit."""
    limit = _only_volume(discrete)
    return violation if limit is None else violation / limit


def _only_volume(discrete: DiscreteProblem) -> float | None:
    """The limit on the volume fraction where that is all that is limited."""
    goal = discrete.goal
    return goal.volume if len(formulate(discrete).limits) == 1 else None
