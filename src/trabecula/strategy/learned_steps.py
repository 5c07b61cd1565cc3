"""Steps of the loop that a network makes, each accepted or refused by the next solve.

A network's design is kept only if its true objective is better than that of the design it was drawn from.
The solves that decide this are those that the loop would make next anyway, so that a refused design costs one
solve or two.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.design import Schedule
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import advance, begin, look_ahead, run, to_single
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import Optimizer
from trabecula.responses import Evaluation
from trabecula.results.records import Trial
from trabecula.starts import (
    ExtrapolationNetwork,
    Proposal,
    ProposalNetwork,
    UpscalingNetwork,
    slightly_grey,
    target_volume,
    volume_of,
)
from trabecula.surrogate import (
    Card,
    Model,
    log_sensitivity_ratio,
    model_in_use,
    shipped_model,
)
from trabecula.surrogate.model import SHIPPED

Array = NDArray[np.float64]
Pull = NDArray[np.float32]

CONVEX = 20
"""Iterations of the design of penalty 1 that a proposer is shown."""

PULLS = 3
"""Solves that the pulls take which a proposer is shown beside it (`proposer_ratios`)."""

TOLERANCE = 1e-3
"""Relative residual of the solves that give a network its fields."""


@dataclass(frozen=True)
class Learned:
    """The networks that take part, each in place of one step; None leaves the step as it is.

    Attributes
    ----------
    proposer
        Proposes designs for the coarsest grid.
    corrector
        Hands over from grid to grid.
    leaper
        Leaps on the finest grid.
    """

    proposer: ProposalNetwork | None = None
    corrector: UpscalingNetwork | None = None
    leaper: ExtrapolationNetwork | None = None

    @classmethod
    def load(cls, dimension: int, leaps: bool = True) -> Learned:
        """The networks that ship with trabecula for 2 or 3 dimensions, with or without the one for leaps."""
        return cls.among(shipped_model, dimension, leaps)

    @classmethod
    def in_use(cls, dimension: int, leaps: bool = True) -> Learned:
        """The user's own networks, and those that ship where the user has none.

        Warns
        -----
        NetworkWarning
            Where one of the user's cannot be used.
        """
        return cls.among(model_in_use, dimension, leaps)

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards of the networks that take part."""
        parts = (self.proposer, self.corrector, self.leaper)
        return tuple(part.model.card for part in parts if part is not None)

    @classmethod
    def among(cls, given: Callable[[str, int], Model | None], dimension: int, leaps: bool = True) -> Learned:
        """What `given` has of a kind ("proposer", "corrector", "leap") for 2 or 3 dimensions.

        The corrector that ships is left out where there is a proposer: behind it its designs end worse
        (docs/decisions/proposer.md). A user's own takes part.
        """
        proposer, corrector = given("proposer", dimension), given("corrector", dimension)
        if proposer is not None and corrector is not None and corrector.card.version == SHIPPED:
            corrector = None
        leaper = given("leap", dimension) if leaps else None
        return cls(
            proposer=None if proposer is None else ProposalNetwork.of(proposer),
            corrector=None if corrector is None else UpscalingNetwork.of(corrector),
            leaper=None
            if leaper is None
            else ExtrapolationNetwork(leaper, sharpness=leaper.card.settings["sharpness"]),
        )


def ratio_of(analysis: Analysis, x: Array, found: Evaluation, volume: float, beta: float = 0.0) -> Pull:
    """The ratio of `trabecula.surrogate.log_sensitivity_ratio` of an evaluated design, for any goal.

    `beta` is the steepness of the projection that it was evaluated with.
    """
    discrete = analysis.discrete
    if analysis.formulation.minimises_material(discrete):
        gradient = np.sum([limit.gradient for limit in found.constraints], axis=0)
    else:
        gradient = found.gradient
    return log_sensitivity_ratio(gradient, analysis.chain.volume_gradient(x, beta), volume, ~discrete.void)


def correct(
    analysis: Analysis, corrector: UpscalingNetwork, coarse: Array, plan: Plan, where: str
) -> tuple[Array | None, Trial]:
    """Draw a fine design from a coarse one, and decide whether it is better than the resampled coarse one.

    Both are made a little grey in the same way and solved at the full penalty, which takes two solves.

    Parameters
    ----------
    coarse
        float64 `[z, y, x]` of any grid of the box.
    plan
        At the full penalty from its first iteration.

    Returns
    -------
    Array or None
        The network's design, float64 `[z, y, x]`; None where it was refused.
    Trial
        What happened.
    """
    clock = time.perf_counter()
    discrete, chain = analysis.discrete, analysis.chain
    plain = slightly_grey(coarse, discrete, chain)
    _, before = look_ahead(analysis, plan, begin(plan, plain))
    volume = target_volume(plain, discrete, chain)
    fields = ratio_of(analysis, plain, before, volume, plan.schedule.beta(0))
    drawn = corrector.draw(coarse, fields, discrete, chain)
    first = begin(plan, slightly_grey(drawn, discrete, chain))
    _, after = look_ahead(analysis, plan, replace(first, displacements=to_single(before.displacements)))
    accepted = bool(after.merit < before.merit)
    seconds = time.perf_counter() - clock
    label = corrector.model.card.label
    trial = Trial("hand-over", where, accepted, before.merit, after.merit, seconds, label)
    return (drawn if accepted else None), trial


def propose(analysis: Analysis, proposer: ProposalNetwork, convex: Array, count: int) -> list[Proposal]:
    """Ask a network for proposals on the coarsest grid, which takes three solves.

    Parameters
    ----------
    convex
        float64 `[z, y, x]`: what `convex_plan` ends with.
    count
        How many.
    """
    pulls = proposer_ratios(analysis, convex)
    discrete, chain = analysis.discrete, analysis.chain
    return list(proposer.propose(convex, pulls, discrete, chain, count))


def convex_plan(optimizer: Optimizer) -> Plan:
    """`CONVEX` iterations at penalty 1, from the uniform design: what a proposer is shown."""
    return Plan(optimizer, Schedule(1.0, 1.0), Stop(change=0.0, kkt=0.0, limit=CONVEX), TOLERANCE)


def convex_design(analysis: Analysis, optimizer: Optimizer) -> Array:
    """The design that `convex_plan` ends with, float64 `[z, y, x]`."""
    return run(analysis, convex_plan(optimizer), analysis.chain.uniform(volume_of(analysis.discrete))).x


def proposer_ratios(analysis: Analysis, convex: Array) -> list[Pull]:
    """Log sensitivity ratios: uniform and convex design at penalty 1, the convex one at the full too."""
    discrete, chain = analysis.discrete, analysis.chain
    volume = target_volume(convex, discrete, chain)
    full = discrete.options.penalty
    pulls = []
    for design, penalty in ((chain.uniform(volume), 1.0), (convex, 1.0), (convex, full)):
        found = analysis.evaluate(design, penalty, tolerance=TOLERANCE)
        pulls.append(ratio_of(analysis, design, found, volume))
    return pulls


@dataclass(frozen=True)
class Observation:
    """A design that a leap will be drawn from, and its log sensitivity ratio."""

    x: Array
    pull: Pull


def observe(analysis: Analysis, plan: Plan, step: Step) -> tuple[Step, Observation]:
    """Evaluate the design of a step, and take from it what a leap needs."""
    step, found = look_ahead(analysis, plan, step)
    volume = target_volume(step.x, analysis.discrete, analysis.chain)
    beta = plan.schedule.beta(len(step.rows))
    return step, Observation(step.x, ratio_of(analysis, step.x, found, volume, beta))


def leap(
    analysis: Analysis, leaper: ExtrapolationNetwork, early: Observation, plan: Plan, step: Step, where: str
) -> tuple[Step, Trial]:
    """Leap to where the iteration will end, if that is better than the ordinary next design.

    Parameters
    ----------
    early
        The design `leaper.apart` iterations ago.
    step
        Where the loop stands.

    Returns
    -------
    Step
        After the ordinary step, or in its place the leap; evaluated either way.
    Trial
        What happened.
    """
    clock = time.perf_counter()
    discrete, chain = analysis.discrete, analysis.chain
    step, late = observe(analysis, plan, step)
    drawn = leaper.draw([early.x, late.x], [early.pull, late.pull], discrete, chain)
    ordinary, next_one = look_ahead(analysis, plan, advance(analysis, plan, step))
    jumped = replace(ordinary, x=drawn, memory=plan.optimizer.start(), known=None)
    jumped, after = look_ahead(analysis, plan, jumped)
    accepted = bool(after.merit < next_one.merit)
    seconds = time.perf_counter() - clock
    label = leaper.model.card.label
    trial = Trial("leap", where, accepted, next_one.merit, after.merit, seconds, label)
    return (jumped if accepted else ordinary), trial
