"""What a result says of its way and of its limits: stages, trials and limits, as plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One part of a solve: its `name`, the design iterations it took and its wall time in seconds."""

    name: str
    iterations: int
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What became of a design that a network drew, or that was there already.

    Attributes
    ----------
    what
        "proposal", "hand-over" or "leap": a network's. "past": one that was given, for example a past one; it
        is taken where it beats all others on the coarsest grid. A proposal is taken where the design came of
        it.
    where
        Grid and origin of the design.
    accepted
        Whether it was taken.
    before, after
        Objective of the ordinary design and of this one, the same penalty for both; for a proposal, of the
        best start without a network (infinite where none was made) and of it at the end of the coarsest grid.
    seconds
        Wall time of features, network and solves.
    network
        Name and version of the network, or nothing where none was asked.
    """

    what: str
    where: str
    accepted: bool
    before: float
    after: float
    seconds: float
    network: str = ""

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {key: to_plain(value) for key, value in vars(self).items()}


@dataclass(frozen=True)
class LimitRecord:
    """What became of a limit.

    Attributes
    ----------
    name
        Of the quantity that is limited.
    limit, value
        In the quantity's unit.
    sense
        "at_most" or "at_least".
    met
        Whether the design keeps it, to a millionth of the limit.
    """

    name: str
    limit: float
    value: float
    sense: str
    met: bool

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return {key: to_plain(value) for key, value in vars(self).items()}


def to_plain(value: Any) -> object:
    """A value as JSON has it: numbers of Python, None for what is no number."""
    value = value.item() if hasattr(value, "item") else value  # NumPy's scalars are no JSON
    return None if isinstance(value, float) and not math.isfinite(value) else value
