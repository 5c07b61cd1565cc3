"""Rules by which a bad trial is dropped, by name."""

from __future__ import annotations

from collections.abc import Callable

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    # below the median of the others at the same epoch
    "median": lambda: MedianPruner(n_startup_trials=5),
    # asynchronous successive halving (Li et al. 2020, arXiv 1810.05934): the best quarter goes on
    "asha": SuccessiveHalvingPruner,
    # several of these with more and fewer epochs before the first cut (Li et al. 2018, arXiv 1603.06560)
    "hyperband": HyperbandPruner,
    "none": NopPruner,
}


def pruner(name: str | BasePruner) -> BasePruner:
    """The rule of that name, or the rule itself.

    Raises
    ------
    ValueError
        For a name that is none of `median`, `asha`, `hyperband`, `none`.
    """
    if isinstance(name, BasePruner):
        return name
    if name not in PRUNERS:
        raise ValueError(f"no pruner '{name}'; there are {', '.join(PRUNERS)}")
    return PRUNERS[name]()
