"""Learned steps inside the loop, each decided by the next solve.

A network's design is kept only if its true objective is better than that of the design it was drawn from;
the solves both decisions need are the ones the loop would make next, so a refused one costs a solve or two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.analysis import Analysis, Evaluation
from trabecula.optimize import Plan, Step, begin, light, looked
from trabecula.physics import thread_count
from trabecula.starts import Corrector, slightly_grey, target_volume
from trabecula.surrogate import pull

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """What became of a network's design.

    Attributes
    ----------
    what
        "proposal", "hand-over" or "leap".
    where
        Grid and origin of the design.
    accepted
        Whether it was better.
    before, after
        Objective of the ordinary design and of the network's, the same penalty for both.
    seconds
        Wall time of features, network and the solves.
    """

    what: str
    where: str
    accepted: bool
    before: float
    after: float
    seconds: float

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        return dict(vars(self))


def pull_of(analysis: Analysis, x: Array, found: Evaluation, volume: float) -> NDArray[np.float32]:
    """The pull of an evaluated design (`trabecula.surrogate.pull`), whatever the goal is."""
    discrete = analysis.discrete
    if discrete.goal.minimize == "volume":
        gradient = np.sum([limit.gradient for limit in found.constraints], axis=0)
    else:
        gradient = found.gradient
    return pull(gradient, analysis.chain.volume_gradient(x), volume, ~discrete.void)


def correct(
    analysis: Analysis, corrector: Corrector, coarse: Array, plan: Plan, where: str
) -> tuple[Step | None, Trial]:
    """Hand a coarse design over by the network, if that is better than the coarse design as it is.

    Parameters
    ----------
    coarse
        float64 `[z, y, x]` of any grid of the box.
    plan
        At the full penalty from its first iteration.

    Returns
    -------
    Step or None
        The first step, evaluated; None where the network's design was refused.
    Trial
        What happened.
    """
    clock = time.perf_counter()
    discrete, chain = analysis.discrete, analysis.chain
    plain = slightly_grey(coarse, discrete, chain)
    _, before = looked(analysis, plan, begin(plan, plain))
    volume = target_volume(plain, discrete, chain)
    fields = pull_of(analysis, plain, before, volume)
    drawn = corrector.draw(coarse, fields, discrete, chain, thread_count(analysis.threads))
    first = replace(begin(plan, drawn), displacements=light(before.displacements))
    first, after = looked(analysis, plan, first)
    accepted = bool(after.merit < before.merit)
    seconds = time.perf_counter() - clock
    trial = Trial("hand-over", where, accepted, before.merit, after.merit, seconds)
    return (first if accepted else None), trial
