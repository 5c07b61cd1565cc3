"""One trial: run the candidate, time it, report its metrics, drop it where it is bad."""

from __future__ import annotations

import math
import random
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import optuna
import torch

from trabecula.nn.tune.candidate import (
    Candidate,
    Milliseconds,
    Network,
    Report,
)
from trabecula.nn.tune.goals import TuningGoal
from trabecula.nn.tune.outcome import RECORD
from trabecula.nn.tune.sampling import trial_seed
from trabecula.nn.tune.storage import TuneError
from trabecula.nn.tune.timing import LatencyMs, Timing, steady_time


@dataclass(frozen=True)
class TrialRecord:
    """What is known of a running trial."""

    latency: LatencyMs | None = None
    metric: float | None = None
    epochs: int = 0
    note: str = ""

    @property
    def milliseconds(self) -> float | None:
        """The median latency, where it is known."""
        return None if self.latency is None else self.latency.median

    def keep(self, trial: optuna.Trial, seed: int) -> None:
        """Write it down beside the trial, at once: every write waits for the disk."""
        known = {
            "metric": self.metric,
            "latency": self.milliseconds,
            "low": None if self.latency is None else self.latency.low,
            "high": None if self.latency is None else self.latency.high,
            "epochs": self.epochs,
            "note": self.note,
            "seed": seed,
        }
        trial.set_user_attr(RECORD, known)


@dataclass(frozen=True)
class Objective:
    """What Optuna calls: the candidate under a goal.

    Attributes
    ----------
    candidate, goal, seed, timing
        As of `search`.
    """

    candidate: Candidate
    goal: TuningGoal
    seed: int
    timing: Timing

    def __call__(self, trial: optuna.Trial) -> tuple[float, ...]:
        """The values of a trial.

        Raises
        ------
        optuna.TrialPruned
            Where it is dropped: worse than the others so far, or its metric is no number.
        TuneError
            Where the candidate does not do what candidates do.
        """
        seed = trial_seed(self.seed, trial.number)
        record = TrialRecord()
        try:
            with use_seed(seed):
                for report in reports(self.candidate, trial):
                    record = self._after(record, report, trial)
                    if record.note:
                        raise optuna.TrialPruned(record.note)
            if record.metric is None:
                raise TuneError("the candidate yielded no metric")
            return self.goal.values(record.metric, record.milliseconds)
        except (optuna.TrialPruned, TuneError):
            raise
        except Exception as error:
            record = replace(record, note=f"{type(error).__name__}: {' '.join(str(error).split())}")
            raise
        finally:
            record.keep(trial, seed)

    def _after(self, record: TrialRecord, report: Report, trial: optuna.Trial) -> TrialRecord:
        if isinstance(report, Network | Milliseconds):
            if record.latency is not None or record.metric is not None:
                raise TuneError("the candidate yields one Network or Milliseconds, and it comes first")
            return replace(record, latency=self._time(report, trial))
        metric = _number(report)
        if self.goal.needs_latency and record.latency is None:
            raise TuneError(
                "this goal needs the latency: yield a Network or Milliseconds before the first metric"
            )
        record = replace(record, metric=metric, epochs=record.epochs + 1)
        if not math.isfinite(metric):
            return replace(record, metric=None, note=f"the metric became {metric} in epoch {record.epochs}")
        if len(self.goal.directions) > 1:
            return record
        try:
            value = self.goal.values(metric, record.milliseconds)[0]
        except ValueError as error:
            raise TuneError(str(error)) from None
        trial.report(value, record.epochs)
        if trial.should_prune():
            return replace(record, note=f"worse than the others after epoch {record.epochs}")
        return record

    def _time(self, report: Network | Milliseconds, trial: optuna.Trial) -> LatencyMs:
        if isinstance(report, Milliseconds):
            return LatencyMs(report.value, report.value, report.value)
        return steady_time(report, trial.study, self.timing)


def reports(candidate: Candidate, trial: optuna.trial.BaseTrial) -> Generator[Report, None, None]:
    """What a candidate yields, or the one metric it returns; a generator left early is closed."""
    given = candidate(trial)
    if not isinstance(given, Iterable) or isinstance(given, torch.Tensor):
        yield given
        return
    try:
        yield from given
    finally:
        if callable(close := getattr(given, "close", None)):
            close()


@contextmanager
def use_seed(seed: int) -> Iterator[None]:
    """Python's and PyTorch's random numbers from this seed inside the block, and as before behind it."""
    before = random.getstate()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)


def _number(report: object) -> float:
    try:
        return float(report)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TuneError(
            f"the candidate yielded a {type(report).__name__};"
            " it yields a Network or Milliseconds, then numbers"
        ) from None
