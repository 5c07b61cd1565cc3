"""How likely answers are: the nicest of several designs is drawn with odds that grow with their niceties.

Of two designs it is the model of Bradley and Terry (1952, "Rank analysis of incomplete block designs: I"), of
more that of Luce (1959, "Individual choice behavior").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SLIPS = 0.1
"""Share of a person's answers that are given blindly."""


@dataclass(frozen=True)
class Answer:
    """An answer by numbers: rows of the niceties that were compared, which is the nicest, and its weight."""

    rows: tuple[int, ...]
    nicest: int
    weight: float = 1.0


def log_likelihood(
    niceties: Array, answers: Sequence[Answer], slips: float = SLIPS
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
    for rows, nicest, weights in _by_size(answers):
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


def _by_size(
    answers: Sequence[Answer],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Array]]:
    """Answers among equally many designs: rows `[answer, design]`, the nicest and weights `[answer]`."""
    for size in sorted({len(answer.rows) for answer in answers}):
        alike = [answer for answer in answers if len(answer.rows) == size]
        rows = np.array([answer.rows for answer in alike])
        yield rows, np.array([a.nicest for a in alike]), np.array([a.weight for a in alike], np.float64)


def odds(niceties: Array) -> Array:
    """Chances to be called the nicest, along the last axis."""
    shares = np.exp(niceties - niceties.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
