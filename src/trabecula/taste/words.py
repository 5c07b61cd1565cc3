"""What was learned, in words: which features go with nicety, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from trabecula.taste.choices import Place
from trabecula.taste.features import FEATURES, NAMES
from trabecula.taste.model import Taste

SURE, FEW = 0.85, 4
"""How sure something must be to be said, and how much is said at most."""


@dataclass(frozen=True)
class Leaning:
    """How nicety goes with one feature over some designs.

    Attributes
    ----------
    name
        Of the feature.
    words
        What is liked of it.
    worth
        By how much a design that has a standard deviation more of it is nicer, in the mean of those designs,
        whatever else it has more of; 1 is odds of e to 1.
    sure
        Chance that the sign is right, 0.5 to 1.
    """

    name: str
    words: str
    worth: float
    sure: float

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return dict(vars(self))


def describe_taste(taste: Taste, places: Sequence[Place] | None = None) -> tuple[Leaning, ...]:
    """How nicety goes with each feature, the surest of the strong ones first.

    Parameters
    ----------
    places
        The designs that are spoken of; default: those that were chosen among.
    """
    chosen = taste.places if places is None else tuple(places)
    if len(chosen) < 2:
        return ()
    belief = taste.believe(chosen)
    features = np.stack([place.features for place in chosen])
    centred = features - features.mean(axis=0)
    squares = np.square(centred).sum(axis=0)
    found = []
    for k, feature in enumerate(FEATURES):
        if squares[k] <= 1e-9:
            continue
        slope = centred[:, k] / squares[k]  # nicety's regression on the feature alone
        worth = float(slope @ belief.mean)
        deviation = sqrt(max(float(slope @ belief.covariance @ slope), 1e-300))
        sure = 0.5 * (1.0 + erf(abs(worth) / deviation / sqrt(2.0)))
        found.append(Leaning(feature.name, feature.high if worth > 0 else feature.low, worth, sure))
    own = _own_worths(taste)
    return tuple(sorted(found, key=lambda each: -_strength(each, own)))


def _own_worths(taste: Taste) -> dict[str, float]:
    """What one standard deviation more of each feature is worth while all others stay the same."""
    features = np.stack([place.features for place in taste.places]) if taste.places else np.zeros((0, 0))
    if not features.size:
        return {}
    prior = taste.prior
    worths = prior.slope**2 * np.array(prior.shares or (1.0,) * features.shape[1])
    worths = worths * (features.T @ taste.weights)
    return dict(zip(NAMES, worths.tolist(), strict=True))


def _strength(leaning: Leaning, own: dict[str, float]) -> float:
    """How much a leaning says: features that only go with others that matter come behind those."""
    alone = own.get(leaning.name, 0.0)
    agrees = max(0.0, alone if leaning.worth > 0.0 else -alone)
    return (agrees + 0.1 * abs(leaning.worth)) * (2.0 * leaning.sure - 1.0)


def say_taste(leanings: Sequence[Leaning]) -> str:
    """The same as a line: "thick members (98 % sure), few holes (91 %)"."""
    told = [each for each in leanings if each.sure >= SURE][:FEW]
    if not told:
        return "nothing sure yet"
    first, *others = (f"{each.words} ({min(99, round(100 * each.sure))} %" for each in told)
    return ", ".join([f"{first} sure)"] + [f"{other})" for other in others])
