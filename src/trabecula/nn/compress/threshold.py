"""From which doubt on a second opinion is asked, so that the error stays below a target."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class ThresholdChoice:
    """A threshold and what it gave on the data it was chosen on.

    Parameters
    ----------
    threshold
        The little network answers where its doubt is not above this.
    error
        Mean error of the pair.
    limit
        Upper confidence limit of that error; the error itself where no confidence was asked.
    share
        Share of the examples sent to the big network.
    """

    threshold: float
    error: float
    limit: float
    share: float


def choose_threshold(
    doubt: ArrayLike,
    little_errors: ArrayLike,
    big_errors: ArrayLike,
    target: float,
    confidence: float | None = 0.9,
) -> ThresholdChoice:
    """The highest threshold at which the pair keeps a target error.

    Parameters
    ----------
    doubt, little_errors, big_errors
        For every validation example: the little network's doubt, and either network's error (0 or 1, or any
        number).
    target
        Mean error to keep.
    confidence
        With this probability (over validation sets) the error on new data is below the target: thresholds
        are tested one after the other, from "all to the big one" on, until the upper limit of the error
        first exceeds the target (fixed-sequence testing: Angelopoulos et al. 2021, Learn then Test,
        arXiv 2110.01052). The limit is Clopper and Pearson's for errors of 0 and 1, Student's otherwise. None
        takes the error measured for the truth: about every second time the target is then missed a little.

    Returns
    -------
    ThresholdChoice
        `threshold` is minus infinity where all must go to the big network.

    Raises
    ------
    ValueError
        Where even the big network alone does not keep the target.
    """
    little, big = np.asarray(little_errors, float), np.asarray(big_errors, float)
    order = np.argsort(np.asarray(doubt, float), kind="stable")
    sorted_doubt = np.asarray(doubt, float)[order]
    # entry k: the k surest answered by the little network
    mean = _cumulate(little[order], big[order])
    if confidence is None:
        limit = mean
    else:
        square = _cumulate(little[order] ** 2, big[order] ** 2)
        binary = bool(np.isin(little, (0, 1)).all() and np.isin(big, (0, 1)).all())
        limit = _limits(mean, square, len(order), confidence, binary)
    # equal doubts go the same way
    possible = np.flatnonzero(np.append(True, np.append(np.diff(sorted_doubt) > 0, True)))
    kept = limit[possible] <= target
    if confidence is not None:
        kept = np.logical_and.accumulate(kept)
    if not kept.any():
        best = "" if confidence is None else f" (with {100 * confidence:g} % confidence {limit[0]:.4g})"
        raise ValueError(
            f"an error of {target:g} cannot be kept: the big network alone has {mean[0]:.4g}{best}"
        )
    count = int(possible[np.flatnonzero(kept)[-1]])
    threshold = float(sorted_doubt[count - 1]) if count else -math.inf
    return ThresholdChoice(threshold, float(mean[count]), float(limit[count]), 1 - count / len(order))


def _cumulate(little: NDArray[np.float64], big: NDArray[np.float64]) -> NDArray[np.float64]:
    ahead = np.append(0.0, np.cumsum(little))
    behind = np.append(np.cumsum(big[::-1])[::-1], 0.0)
    return np.asarray((ahead + behind) / len(little), float)


def _limits(
    mean: NDArray[np.float64], square: NDArray[np.float64], number: int, confidence: float, binary: bool
) -> NDArray[np.float64]:
    """Upper confidence limits of means of `number` values."""
    if binary:
        wrong = np.round(mean * number)
        limit = stats.beta.ppf(confidence, wrong + 1, number - wrong)
        return np.asarray(np.where(wrong < number, limit, 1.0), float)
    if number < 2:
        return np.full_like(mean, math.inf)
    variance = np.maximum(square - mean**2, 0) * number / (number - 1)
    return mean + float(stats.t.ppf(confidence, number - 1)) * np.sqrt(variance / number)
