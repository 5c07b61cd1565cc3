"""The search: so many trials of a candidate for a goal, kept in a file, by one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.pruners import BasePruner
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import TrialState

from trabecula.nn.tune.candidate import Candidate
from trabecula.nn.tune.goals import Metric, TuningGoal
from trabecula.nn.tune.outcome import TrialResult, TuningResult
from trabecula.nn.tune.pruning import pruner as pruner_of
from trabecula.nn.tune.sampling import ByNumber
from trabecula.nn.tune.storage import TuneError, closing_storage, readable
from trabecula.nn.tune.timing import Timing
from trabecula.nn.tune.trial import Objective

GOAL = "goal"
FAILED = "counted_failure"


@dataclass(frozen=True)
class SearchPlan:
    """Everything a process needs to take part in a search; the arguments of `search`."""

    candidate: Candidate
    trials: int
    goal: TuningGoal
    pruner: str | BasePruner
    storage: str | Path | None
    name: str
    seed: int
    timing: Timing
    catch: tuple[type[Exception], ...]
    progress: Callable[[TrialResult], None] | None


def search(
    candidate: Candidate,
    *,
    trials: int,
    goal: TuningGoal | None = None,
    pruner: str | BasePruner = "median",
    storage: str | Path | None = None,
    name: str = "search",
    seed: int = 0,
    workers: int = 1,
    timing: Timing | None = None,
    catch: tuple[type[Exception], ...] = (),
    progress: Callable[[TrialResult], None] | None = None,
) -> TuningResult:
    """Search the settings of a candidate.

    Parameters
    ----------
    candidate
        A `Recipe`, or a function that takes a trial and yields (see `candidate`).
    trials
        How many there shall be in the end, dropped ones included: with a storage that holds some already, the
        rest is done. Processes that share a storage without `workers` may each do one more.
    goal
        `Reward(target)`, `Pareto()`, or `Metric()`, the default.
    pruner
        `median`, `asha`, `hyperband`, `none`, or one of Optuna's. Not for `Pareto`.
    storage
        Path of an SQLite file, which several processes may share, or the URL of a database; None keeps
        nothing.
    name
        Of this search in its storage.
    seed
        Of proposals, weights and batches. One process with latencies that are given does the same trials
        again; measured latencies are never the same twice.
    workers
        Processes on this machine; more than one need a storage, a candidate and a progress that can be
        pickled, and an `if __name__ == "__main__"` around the call in a script.
    timing
        How networks are timed.
    catch
        Exceptions of the candidate that fail a trial and not the search.
    progress
        Called after every trial, in the process that did it.

    Returns
    -------
    TuningResult
        All trials of that name in the storage.

    Raises
    ------
    TuneError
        Where the storage cannot be used or holds a search for another goal, the candidate does not do what
        candidates do or raises, or a worker dies.
    ValueError
        For an unknown pruner or numbers below 1.
    """
    if trials < 1 or workers < 1:
        raise ValueError("a search has at least one trial and one worker")
    pruner_of(pruner)
    chosen = Metric() if goal is None else goal
    plan = SearchPlan(
        candidate, trials, chosen, pruner, storage, name, seed, timing or Timing(), catch, progress
    )
    with closing_storage(storage) as opened:
        study = open_study(plan, opened)
        missing = trials - finished_count(study)
        if workers == 1 or missing < 1:
            take_part(plan, study)
        else:
            from trabecula.nn.tune.workers import share

            share(plan, min(workers, missing), missing)
        with readable(storage):
            return TuningResult.of(study)


def read(storage: str | Path, name: str = "search") -> TuningResult:
    """The trials of a search, without going on with it.

    Raises
    ------
    TuneError
        Where there is no such file, or no search of that name in it.
    """
    if "://" not in str(storage) and not Path(storage).is_file():
        raise TuneError(f"there is no file {storage}")
    with closing_storage(storage, write=False) as opened:
        with readable(storage):
            names = sorted(optuna.get_all_study_names(opened))
            if name in names:
                return TuningResult.of(optuna.load_study(study_name=name, storage=opened))
        raise TuneError(f"{storage} has no search '{name}'; it has {', '.join(names) or 'none'}")


def open_study(plan: SearchPlan, storage: BaseStorage) -> Study:
    """Begin the study, or go on with the one of that name."""
    with _quiet(), readable(plan.storage):
        study = optuna.create_study(
            study_name=plan.name,
            storage=storage,
            directions=list(plan.goal.directions),
            sampler=ByNumber(plan.goal.sampler, plan.seed),
            pruner=pruner_of(plan.pruner),
            load_if_exists=True,
        )
    kept = study.user_attrs.get(GOAL)
    if kept is None:
        study.set_user_attr(GOAL, repr(plan.goal))
    elif kept != repr(plan.goal):
        raise TuneError(
            f"'{plan.name}' in {plan.storage} is a search for {kept}, not for {plan.goal!r};"
            " ask for the same goal, or give another name or storage"
        )
    return study


def take_part(plan: SearchPlan, study: Study, ticket: Callable[[], bool] = lambda: True) -> None:
    """Do trials until there are enough, or no ticket for another one is left."""
    objective = Objective(plan.candidate, plan.goal, plan.seed, plan.timing)
    current = 0

    def watched(trial: optuna.Trial) -> tuple[float, ...]:
        nonlocal current
        current = trial.number
        try:
            return objective(trial)
        except (optuna.TrialPruned, TuneError):
            raise
        except plan.catch:
            trial.set_user_attr(FAILED, True)
            raise

    with _quiet():
        while finished_count(study) < plan.trials and ticket():
            try:
                study.optimize(watched, n_trials=1)
            except TuneError:
                raise
            except Exception as error:
                tried = _trial_result(study, current)
                if not isinstance(error, plan.catch):
                    settings = ", ".join(f"{key}={value}" for key, value in tried.settings.items())
                    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
                    where = f"trial {current} ({settings or 'no settings'})"
                    raise TuneError(f"{where} failed: {said}") from error
            if plan.progress is not None:
                plan.progress(_trial_result(study, current))


def finished_count(study: Study) -> int:
    """Trials that count: done, dropped, or failed in a way that was expected; not those of a dead process."""
    counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    found = study.get_trials(deepcopy=False, states=counted)
    return sum(each.state != TrialState.FAIL or FAILED in each.user_attrs for each in found)


def _trial_result(study: Study, number: int) -> TrialResult:
    return TrialResult.of(study.get_trials(deepcopy=False)[number])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's own lines on stderr; what matters is in the outcome."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
