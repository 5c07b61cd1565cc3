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


@dataclass(frozen=True)
class Answer:
    """An answer by numbers: rows of the niceties that were compared, which is the nicest, and its weight."""

    rows: tuple[int, ...]
    nicest: int
    weight: float = 1.0


def log_likelihood(niceties: Array, answers: Sequence[Answer]) -> tuple[float, Array, Array]:
    """Logarithm of the likelihood, its gradient, and its negative Hessian.

    Parameters
    ----------
    niceties
        float64 `[design]`.

    Returns
    -------
    tuple
        The logarithm; `[design]`; `[design, design]`, positive semidefinite.
    """
    value, gradient = 0.0, np.zeros(len(niceties))
    curvature = np.zeros((len(niceties), len(niceties)))
    for answer in answers:
        rows = np.array(answer.rows)
        shares = odds(niceties[rows])
        value += answer.weight * float(np.log(np.maximum(shares[answer.nicest], 1e-300)))
        np.add.at(gradient, rows, -answer.weight * shares)
        gradient[rows[answer.nicest]] += answer.weight
        inner = answer.weight * (np.diag(shares) - np.outer(shares, shares))
        np.add.at(curvature, (rows[:, None], rows[None, :]), inner)
    return value, gradient, curvature


def odds(niceties: Array) -> Array:
    """Chances to be called the nicest, along the last axis."""
    shares = np.exp(niceties - niceties.max(axis=-1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
