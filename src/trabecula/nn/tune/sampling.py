"""Proposals that depend on the seed, the trial's number and the trials before it, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState


class ByNumber(BaseSampler):
    """Makes the sampler anew for every trial, seeded with the trial's number.

    So a search that was stopped goes on as if it had not been, and processes that share a storage do not
    propose the same settings twice for having begun with the same seed.

    Parameters
    ----------
    make
        The sampler of a seed.
    seed
        Of the search.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int) -> None:
        self._make, self._seed = make, seed
        self._inner = make(seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the sampler for this trial."""
        self._inner = self._make(trial_seed(self._seed, trial.number))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What is sampled together."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample it."""
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one setting."""
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Hand over what the sampler keeps of a trial."""
        self._inner.after_trial(study, trial, state, values)


def trial_seed(seed: int, number: int) -> int:
    """The seed of a trial: of its proposals, its weights and its batches."""
    return (seed * 1_000_003 + number * 7_919) % 2**31
