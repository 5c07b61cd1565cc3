"""What choices say of the niceties of all designs: Gaussian-process preference learning by Laplace's method.

Source: Chu and Ghahramani 2005, "Preference learning with Gaussian processes"; Rasmussen and Williams 2006,
"Gaussian processes for machine learning", section 3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trabecula.taste.choices import Pick, Place
from trabecula.taste.likelihood import Group, NumberedAnswer, group_by_size, log_likelihood
from trabecula.taste.prior import Prior

Array = NDArray[np.float64]

STEPS, SMALL, LOOSE = 200, 1e-8, 1e-2
"""Newton steps at most, and the step below which the mode is found, and before slopes are weighed anew."""

ROUNDS, DOUBT = 3, 0.3
"""How often slopes are weighed anew, and how many features' worth of doubt each keeps that it matters."""


@dataclass(frozen=True, eq=False)
class Belief:
    """Niceties of some designs, as they are thought to be: normally distributed.

    Attributes
    ----------
    mean
        float64 `[design]`; only differences mean something: one more is odds of e to 1.
    covariance
        float64 `[design, design]`.
    """

    mean: Array
    covariance: Array

    @property
    def deviation(self) -> Array:
        """float64 `[design]`: standard deviations."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


@dataclass(frozen=True, eq=False)
class Taste:
    """What was learned of choices.

    Attributes
    ----------
    places
        The designs that were chosen among.
    weights
        float64 `[design]`: the gradient of the likelihood at the mode; what every design adds to others'.
    curvature
        float64 `[design, design]`: of the likelihood at the mode.
    """

    prior: Prior
    places: tuple[Place, ...]
    weights: Array
    curvature: Array

    @cached_property
    def _inner(self) -> Array:
        """`W^(1/2) (I + W^(1/2) K W^(1/2))^-1 W^(1/2)`, with the roots taken of all of W."""
        values, vectors = np.linalg.eigh(self.curvature)
        root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        own = self.prior.covariance(self.places, self.places)
        solved = np.linalg.solve(np.eye(len(root)) + root @ own @ root, root)
        return np.asarray(root @ solved)

    def believe(self, places: Sequence[Place]) -> Belief:
        """The niceties of designs; of no choices what the prior says."""
        own = self.prior.covariance(places, places)
        if not self.places:
            return Belief(np.zeros(len(places)), own)
        cross = self.prior.covariance(places, self.places)
        return Belief(cross @ self.weights, own - cross @ self._inner @ cross.T)


def learn(picks: Sequence[Pick], prior: Prior | None = None) -> Taste:
    """Learn from choices; their order does not matter.

    Parameters
    ----------
    picks
        Any number, also none, also contradictory ones.
    """
    prior = Prior() if prior is None else prior
    places: list[Place] = []
    rows: dict[bytes, int] = {}
    answers = []
    for pick in picks:
        numbers = []
        for place in pick.shown:
            if place.key not in rows:
                rows[place.key] = len(places)
                places.append(place)
            numbers.append(rows[place.key])
        answers.append(NumberedAnswer(tuple(numbers), pick.nicest, pick.weight))
    if not places:
        return Taste(prior, (), np.zeros(0), np.zeros((0, 0)))
    groups, weights = group_by_size(answers), np.zeros(len(places))
    for _ in range(ROUNDS):
        weights, curvature = _find_mode(prior.covariance(places, places), groups, weights, LOOSE)
        prior = _reweigh(Taste(prior, tuple(places), weights, curvature))
    weights, curvature = _find_mode(prior.covariance(places, places), groups, weights, SMALL)
    return Taste(prior, tuple(places), weights, curvature)


def _reweigh(taste: Taste) -> Prior:
    """The prior whose slopes are as large as was learned: few features matter to most people.

    Source: MacKay 1994, "Bayesian nonlinear modeling for the prediction competition" (relevance).
    """
    if not taste.prior.slope:
        return taste.prior
    features = np.stack([place.features for place in taste.places])
    shares = np.array(taste.prior.shares or (1.0,) * features.shape[1])
    own = taste.prior.slope**2 * shares
    mean = own * (features.T @ taste.weights)
    variance = own - np.einsum("ik,ij,jk->k", features, taste._inner, features) * own**2
    wanted = (np.square(mean) + variance) / taste.prior.slope**2
    return replace(taste.prior, shares=tuple((wanted + DOUBT) / (1.0 + DOUBT)))


def _find_mode(own: Array, groups: list[Group], a: Array, small: float) -> tuple[Array, Array]:
    """The most likely niceties `K a`, by Newton's method on `a` with halved steps; `a` and the curvature."""
    eye = np.eye(len(own))

    def look(weights: Array) -> tuple[float, Array, Array]:
        niceties = own @ weights
        value, gradient, curvature = log_likelihood(niceties, groups)
        return value - 0.5 * float(weights @ niceties), gradient, curvature

    best, gradient, curvature = look(a)
    for _ in range(STEPS):
        step = np.linalg.solve(eye + curvature @ own, gradient - a)
        length = 1.0
        found = look(a + step)
        while found[0] < best - 1e-12 and length > 1e-6:
            length *= 0.5
            found = look(a + length * step)
        a = a + length * step
        best, gradient, curvature = found
        if float(np.abs(own @ step).max()) < small:
            break
    return a, curvature
