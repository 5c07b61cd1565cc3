"""How penalty and projection change over the iterations, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Penalty from `start` to `end` in equal steps over `over` iterations; then beta doubles every `hold`
    ones.

    Iterations count from 0. The penalty is `end` from iteration `over` on, `start` at iteration 0 (if `over`
    > 0).

    Attributes
    ----------
    start, end
        First and last penalty.
    over
        Iterations of the ramp; 0 begins at `end`.
    beta_start, beta_end
        First and last steepness of the projection; `beta_end` 1 leaves it alone.
    hold
        Iterations at every steepness before it doubles, from the end of the ramp.

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
    beta_end: float = 1.0
    hold: int = 25

    def penalty(self, i: int) -> float:
        """Penalty of iteration `i`."""
        if i >= self.over:
            return self.end
        return self.start + (self.end - self.start) * max(i, 0) / self.over

    def beta(self, i: int) -> float:
        """Steepness of the projection in iteration `i`."""
        doublings = max(0, i - self.over) // self.hold
        return float(min(self.beta_end, self.beta_start * 2.0 ** min(doublings, 60)))

    def changes(self, i: int) -> bool:
        """Whether iteration `i` differs from the one before it: steps then do not compare."""
        return i > 0 and (self.penalty(i) != self.penalty(i - 1) or self.beta(i) != self.beta(i - 1))

    def is_settled(self, i: int) -> bool:
        """Whether everything is at its final value in iteration `i` and ever after."""
        return self.penalty(i) == self.end and self.beta(i) == self.beta_end and i >= self.over


def ramp(start: float, end: float, over: int) -> Schedule:
    """Penalty `start` to `end` over `over` iterations, then held; no projection."""
    return Schedule(start=start, end=end, over=over)


def doubling(beta_end: float, hold: int = 25, penalty: float = 3.0, beta_start: float = 1.0) -> Schedule:
    """A fixed penalty, and beta doubled every `hold` iterations up to `beta_end`."""
    return Schedule(penalty, penalty, 0, beta_start, beta_end, hold)
