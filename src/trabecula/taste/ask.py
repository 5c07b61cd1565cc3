"""Which designs to show next: those whose answer tells most of a person's taste.

What an answer tells is the mutual information of it and the niceties (Houlsby et al. 2011, "Bayesian active
learning for classification and preference learning").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from trabecula.taste.choices import Place
from trabecula.taste.likelihood import odds
from trabecula.taste.model import Belief, Taste

Array = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
SHARES = WEIGHTS / WEIGHTS.sum()
DRAWS = 128
"""Draws of niceties behind the information of more than two designs."""

LIKED = 0.5
"""How much rather designs are shown that are thought to be nice, for among them is the first."""

SHOWN_AGAIN = 2.0
"""How often a design is shown at most, relative to all designs in turn."""

NEARLY = 0.85
"""Share of the most information that is good enough to rather show designs that were seen less."""


def choose_question(
    taste: Taste, places: Sequence[Place], count: int = 2, before: Sequence[tuple[int, ...]] = ()
) -> tuple[int, ...]:
    """Which designs to show.

    Parameters
    ----------
    places
        The designs there are.
    count
        How many are shown together.
    before
        What was shown before; the same designs are not shown together again while there are others, and of
        questions that tell nearly the same, the one with designs that were seen least is taken.

    Raises
    ------
    ValueError
        If there are fewer designs than are to be shown.
    """
    if not 2 <= count <= len(places):
        raise ValueError(f"count is {count}; it must be at least 2 and at most {len(places)}, the designs")
    belief = taste.believe(places)
    seen = Counter(number for shown in before for number in shown)
    known = {frozenset(shown) for shown in before}
    most = 1 + SHOWN_AGAIN * count * len(before) / len(places)
    free = [k for k in range(len(places)) if seen[k] < most]
    if len(free) < count:
        free = list(range(len(places)))
    pairs = list(combinations(free, 2))
    fresh = [pair for pair in pairs if count > 2 or frozenset(pair) not in known] or pairs
    told = pair_information(belief, fresh) * np.exp(LIKED * _rise(belief, fresh))
    enough = NEARLY * told.max()
    best = min(
        (k for k in range(len(fresh)) if told[k] >= enough),
        key=lambda k: (seen[fresh[k][0]] + seen[fresh[k][1]], -told[k], fresh[k]),
    )
    chosen = list(fresh[best])
    while len(chosen) < count:
        others = [k for k in free if k not in chosen]
        gains = set_information(belief, [(*chosen, k) for k in others])
        gains = gains * np.exp(LIKED * _rise(belief, [(k, k) for k in others]))
        near = [k for k, gain in zip(others, gains, strict=True) if gain >= NEARLY * gains.max()]
        chosen.append(min(near, key=lambda k: (seen[k], -gains[others.index(k)], k)))
    return tuple(sorted(chosen))


def _rise(belief: Belief, pairs: Sequence[tuple[int, int]]) -> Array:
    """How nice pairs are thought to be, in standard deviations over all designs, `[pair]`."""
    spread = float(belief.mean.std())
    if not spread:
        return np.zeros(len(pairs))
    return np.asarray(((belief.mean - belief.mean.mean()) / spread)[np.array(pairs)].mean(axis=1))


def pair_information(belief: Belief, pairs: Sequence[tuple[int, int]]) -> Array:
    """What the answers to pairs tell, in nats, `[pair]`; by Gauss-Hermite quadrature."""
    rows = np.array(pairs)
    i, j = rows[:, 0], rows[:, 1]
    difference = belief.mean[i] - belief.mean[j]
    c = belief.covariance
    deviation = np.sqrt(np.maximum(c[i, i] + c[j, j] - 2.0 * c[i, j], 0.0))
    chances = 1.0 / (1.0 + np.exp(-np.clip(difference[:, None] + deviation[:, None] * NODES, -500.0, 500.0)))
    both = np.stack([chances, 1.0 - chances], axis=-1)
    return np.asarray(_entropy(np.einsum("pnk,n->pk", both, SHARES)) - _entropy(both) @ SHARES)


def set_information(belief: Belief, sets: Sequence[tuple[int, ...]]) -> Array:
    """What the answers to sets of equally many designs tell, in nats, `[set]`; by drawing niceties, the same
    draws every time."""
    rows = np.array(sets)
    values, vectors = np.linalg.eigh(belief.covariance[rows[:, :, None], rows[:, None, :]])
    roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    normal = np.random.default_rng(0).standard_normal((DRAWS, rows.shape[1]))
    chances = odds(belief.mean[rows][:, None, :] + np.einsum("sij,dj->sdi", roots, normal))
    return np.asarray(_entropy(chances.mean(axis=1)) - _entropy(chances).mean(axis=1))


def _entropy(chances: Array) -> Array:
    """Of the last axis."""
    return np.asarray(-(chances * np.log(np.maximum(chances, 1e-300))).sum(axis=-1))
