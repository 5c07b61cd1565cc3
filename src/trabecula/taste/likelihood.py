"""How likely answers are: the nicest of several designs is drawn with odds that grow with their niceties.

Of two designs it is the model of Bradley and Terry (1952, "Rank analysis of incomplete block designs: I"), of
more that of Luce (1959, "Individual choice behavior").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SLIPS = 0.1
"""Share of a person's answers that are given blindly."""


@dataclass(frozen=True)
class NumberedAnswer:
    """An answer by numbers: rows of the niceties that were compared, which is the nicest, and its weight."""

    rows: tuple[int, ...]
    nicest: int
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Group:
    """Answers among equally many designs: rows `[answer, design]`, the nicest and weights `[answer]`."""

    rows: NDArray[np.int64]
    nicest: NDArray[np.int64]
    weights: Array


def log_likelihood(
    niceties: Array, answers: Sequence[NumberedAnswer] | Sequence[Group], slips: float = SLIPS
) -> tuple[float, Array, Array]:
    """Logarithm of the likelihood, its gradient, and its curvature.

    Parameters
    ----------
    niceties
        float64 `[design]`.
    slips
        Share of the answers that are given blindly.

    Returns
    -------
    tuple
        The logarithm; `[design]`; `[design, design]`, positive semidefinite: the negative Hessian without
        slips, and with them that of the answers as far as each seems to be meant.
    """
    gradient, curvature = np.zeros(len(niceties)), np.zeros((len(niceties), len(niceties)))
    value = 0.0
    groups = group_by_size(answers)
    for group in groups:
        rows, nicest, weights = group.rows, group.nicest, group.weights
        shares, each = odds(niceties[rows]), np.arange(len(rows))
        meant = (1.0 - slips) * shares[each, nicest]
        chance = meant + slips / rows.shape[1]
        value += float(weights @ np.log(np.maximum(chance, 1e-300)))
        counted = weights * meant / np.maximum(chance, 1e-300)  # as far as it was meant
        np.add.at(gradient, rows[each, nicest], counted)
        np.add.at(gradient, rows, -counted[:, None] * shares)
        inner = -shares[:, :, None] * shares[:, None, :]
        diagonal = np.arange(rows.shape[1])
        inner[:, diagonal, diagonal] += shares
        np.add.at(curvature, (rows[:, :, None], rows[:, None, :]), counted[:, None, None] * inner)
    return value, gradient, curvature


def group_by_size(answers: Sequence[NumberedAnswer] | Sequence[Group]) -> list[Group]:
    """Answers among equally many designs together; groups stay what they are."""
    found = [each for each in answers if isinstance(each, Group)]
    single = [each for each in answers if isinstance(each, NumberedAnswer)]
    for size in sorted({len(answer.rows) for answer in single}):
        alike = [answer for answer in single if len(answer.rows) == size]
        rows, nicest = np.array([a.rows for a in alike]), np.array([a.nicest for a in alike])
        found.append(Group(rows, nicest, np.array([a.weight for a in alike], np.float64)))
    return found


def odds(niceties: Array) -> Array:
    """Chances to be called the nicest, along the last axis."""
    shares = np.exp(niceties - niceties.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
