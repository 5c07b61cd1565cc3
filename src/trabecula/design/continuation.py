"""How penalty and projection change over the iterations, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log

SHARPEST = 100.0
"""Steepness a projection ends with: a hundredth of a design stays grey at most (docs/decisions/crisp.md)."""


RISE = 36
"""Iterations in which the penalty rises further where it does: as many as six steepnesses are held."""


@dataclass(frozen=True)
class Schedule:
    """Penalty from `start` to `end` in equal steps over `over` iterations; then beta grows every `hold` ones,
    and where `rise` is above 0 the penalty from `end` to `last` in equal steps over as many iterations.

    Iterations count from 0. The penalty is `end` from iteration `over` on, `start` at iteration 0 (if `over`
    > 0).

    Attributes
    ----------
    start, end
        First and last penalty.
    over
        Iterations of the ramp; 0 begins at `end`.
    beta_start, beta_end
        First and last steepness of the projection; an end of 0 leaves it out.
    hold
        Iterations at every steepness before it grows.
    factor
        By how much it grows.
    grey
        Iteration before which there is no projection (beta 0); from then on, or from the end of the ramp
        where that is later, beta grows.
    last, rise
        Penalty that the projected design ends with, and iterations in which it gets there while beta grows; a
        rise of 0 leaves it at `end`.

    Examples
    --------
    >>> ramp = Schedule(1.0, 3.0, over=4)
    >>> [ramp.penalty(i) for i in range(6)]
    [1.0, 1.5, 2.0, 2.5, 3.0, 3.0]
    """

    start: float = 3.0
    end: float = 3.0
    over: int = 0
    beta_start: float = 1.0
    beta_end: float = 0.0
    hold: int = 25
    factor: float = 2.0
    grey: int = 0
    last: float = 0.0
    rise: int = 0

    @property
    def final(self) -> float:
        """Penalty that everything ends with."""
        return self.last if self.rise else self.end

    def penalty(self, i: int) -> float:
        """Penalty of iteration `i`."""
        if i >= self.over:
            passed = i - self._projects_from
            if self.rise and passed >= self.rise:
                return self.last
            return self.end if passed <= 0 else self._rising(passed)
        return self.start + (self.end - self.start) * max(i, 0) / self.over

    def beta(self, i: int) -> float:
        """Steepness of the projection in iteration `i`; 0 where there is none yet."""
        if i < self.grey or not self.beta_end:
            return 0.0
        steps = max(0, i - self._projects_from) // self.hold
        return float(min(self.beta_end, self.beta_start * self.factor ** min(steps, 60)))

    def changes(self, i: int) -> bool:
        """Whether iteration `i` differs from the one before it: steps then do not compare."""
        return i > 0 and (self.penalty(i) != self.penalty(i - 1) or self.beta(i) != self.beta(i - 1))

    def is_settled(self, i: int) -> bool:
        """Whether everything is at its final value in iteration `i` and ever after."""
        return self.penalty(i) == self.final and self.beta(i) == self.beta_end and i >= self.over

    def iterations_at_end(self, i: int) -> int:
        """Iterations before `i` in which everything was at its final value already."""
        steps = 0
        if self.beta_start < self.beta_end:
            steps = ceil(log(self.beta_end / self.beta_start) / log(self.factor) - 1e-9)
        return max(0, i - self._projects_from - max(self.hold * steps, self.rise))

    @property
    def _projects_from(self) -> int:
        """Iteration from which on beta grows."""
        return max(self.over, self.grey)

    def _rising(self, passed: int) -> float:
        """Penalty so many iterations after beta began to grow."""
        return self.end + (self.last - self.end) * passed / self.rise if self.rise else self.end


def ramp(start: float, end: float, over: int) -> Schedule:
    """Penalty `start` to `end` over `over` iterations, then held; no projection."""
    return Schedule(start=start, end=end, over=over)


def doubling(beta_end: float, hold: int = 25, penalty: float = 3.0, beta_start: float = 1.0) -> Schedule:
    """A fixed penalty, and beta doubled every `hold` iterations up to `beta_end`."""
    return Schedule(penalty, penalty, 0, beta_start, beta_end, hold)


def sharpen_late(schedule: Schedule, iterations: int) -> Schedule:
    """The schedule of a run of so many iterations, the last 20 of which are projected.

    Designs are then ranked by what comes out of them (docs/decisions/crisp.md).
    """
    grey = max(iterations - 20, schedule.over)
    return replace(schedule, beta_start=2.0, beta_end=16.0, hold=7, factor=2.8, grey=grey)


def sharpen(schedule: Schedule, last: float | None = None) -> Schedule:
    """The schedule with the steepness of the projection raised from 2 to its end after the penalty's ramp.

    Every choice is a measured one (docs/decisions/crisp.md).

    Parameters
    ----------
    last
        Penalty that the design ends with, where it is above that of the ramp (`final_penalty`).
    """
    steep = replace(schedule, beta_start=2.0, beta_end=SHARPEST, hold=6, factor=2.2)
    return steep if last is None or last <= schedule.end else replace(steep, last=last, rise=RISE)


def sharpen_soon(schedule: Schedule) -> Schedule:
    """The same in three large steps, for a design that coarser grids have made black and white already.

    Source: measured (docs/decisions/sooner.md).
    """
    return replace(schedule, beta_start=6.0, beta_end=SHARPEST, hold=4, factor=4.1)
