"""What a search is after: the metric, MnasNet's reward of metric and latency, or the front of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler

Direction = Literal["maximize", "minimize"]


class TuningGoal(Protocol):
    """Turns a metric and a latency into what the search optimises, and says how it samples."""

    @property
    def directions(self) -> tuple[Direction, ...]:
        """One for each value; trials are dropped early where there is one value."""
        ...

    @property
    def needs_latency(self) -> bool:
        """Whether it needs the latency."""
        ...

    def values(self, metric: float, latency: float | None) -> tuple[float, ...]:
        """What a trial is worth; latency in ms."""
        ...

    def sampler(self, seed: int) -> BaseSampler:
        """What proposes settings."""
        ...


@dataclass(frozen=True)
class Metric:
    """The metric alone, by a tree-structured Parzen estimator; latency is kept where it is measured."""

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Larger is better."""
        return ("maximize",)

    @property
    def needs_latency(self) -> bool:
        """Latency does not count."""
        return False

    def values(self, metric: float, latency: float | None) -> tuple[float, ...]:
        """The metric."""
        return (metric,)

    def sampler(self, seed: int) -> BaseSampler:
        """A tree-structured Parzen estimator (Bergstra et al. 2011)."""
        return TPESampler(seed=seed)


@dataclass(frozen=True)
class Reward:
    """metric * (latency / target)^w with w = `under` up to the target and `over` beyond it.

    Tan et al. 2019, MnasNet, arXiv 1807.11626, eq. 2 and 3: -0.07 on both sides is the soft limit (halving
    the latency is worth 5 % of the metric), 0 and -1 the hard one.

    Attributes
    ----------
    target
        Latency in ms.
    under, over
        The exponents; at most zero.
    """

    target: float
    under: float = -0.07
    over: float = -0.07

    def __post_init__(self) -> None:
        if not (math.isfinite(self.target) and self.target > 0):
            raise ValueError(f"the target is a positive number of milliseconds, not {self.target}")
        if not (-math.inf < self.under <= 0 and -math.inf < self.over <= 0):
            raise ValueError("the exponents of the reward are at most zero: a slower network is worth less")

    @classmethod
    def soft(cls, target: float, weight: float = -0.07) -> Reward:
        """The same exponent on both sides of the target."""
        return cls(target, weight, weight)

    @classmethod
    def hard(cls, target: float) -> Reward:
        """Nothing for being quicker than the target, and in proportion less for being slower."""
        return cls(target, 0.0, -1.0)

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Larger is better."""
        return ("maximize",)

    @property
    def needs_latency(self) -> bool:
        """Latency counts."""
        return True

    def __call__(self, metric: float, latency: float) -> float:
        """The reward of a metric (at least zero) at a latency in ms.

        Raises
        ------
        ValueError
            For a negative metric: a product would reward a bad network for being slow.
        """
        if metric < 0:
            raise ValueError(f"the reward needs a metric of at least zero, not {metric:g}")
        exponent = self.under if latency <= self.target else self.over
        return float(metric * (latency / self.target) ** exponent)

    def values(self, metric: float, latency: float | None) -> tuple[float, ...]:
        """The reward."""
        assert latency is not None
        return (self(metric, latency),)

    def sampler(self, seed: int) -> BaseSampler:
        """A tree-structured Parzen estimator (Bergstra et al. 2011)."""
        return TPESampler(seed=seed)


@dataclass(frozen=True)
class Pareto:
    """The front of metric against latency by NSGA-II (Deb et al. 2002): nothing better is both.

    For a metric that is one minus the error it is the front of error against latency. Every trial runs to its
    end: of two values none says alone that a trial is bad.

    Attributes
    ----------
    population
        Trials per generation; the first generation is random, so several should fit into the search.
    """

    population: int = 16

    def __post_init__(self) -> None:
        if self.population < 2:
            raise ValueError(f"a population holds at least two, not {self.population}")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """A larger metric and a smaller latency are better."""
        return ("maximize", "minimize")

    @property
    def needs_latency(self) -> bool:
        """Latency counts."""
        return True

    def values(self, metric: float, latency: float | None) -> tuple[float, ...]:
        """Metric and latency."""
        assert latency is not None
        return (metric, latency)

    def sampler(self, seed: int) -> BaseSampler:
        """NSGA-II."""
        return NSGAIISampler(population_size=self.population, seed=seed)
