"""What a search found: every trial, the best, and the front of metric against latency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from trabecula.nn.tune.space import Value
from trabecula.nn.tune.storage import TuneError
from trabecula.storage.reading import CheckedRecord

RECORD = "record"
"""The attribute of Optuna's trial that keeps what is not a value of it."""

State = Literal["done", "pruned", "failed", "running"]

STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "running",
}


@dataclass(frozen=True)
class TrialResult:
    """One trial.

    Attributes
    ----------
    number
        Its place in the search, from 0.
    settings
        What it was made with.
    state
        `done`, `pruned` (dropped early), `failed`, or `running` (also in a process that has died lately).
    metric
        The last one; None where there was none.
    latency, low, high
        Median and quartiles in ms (all the same where it was measured elsewhere); None where it was not
        timed.
    value
        What the goal made of it: the reward or the metric; None for a front, and for trials not done.
    epochs
        Metrics it yielded.
    note
        Why it was dropped or failed.
    seed
        Of its weights and batches.
    """

    number: int
    settings: Mapping[str, Value]
    state: State
    metric: float | None = None
    latency: float | None = None
    low: float | None = None
    high: float | None = None
    value: float | None = None
    epochs: int = 0
    note: str = ""
    seed: int = 0

    @classmethod
    def of(cls, trial: FrozenTrial) -> TrialResult:
        """Of Optuna's record of it."""
        kept = CheckedRecord(Path("storage"), trial.user_attrs.get(RECORD, {}))

        def figure(key: str) -> float | None:
            return None if kept.values.get(key) is None else float(kept.take(key, int, float))

        done = trial.state == TrialState.COMPLETE and trial.values is not None and len(trial.values) == 1
        return cls(
            number=trial.number,
            settings=dict(trial.params),
            state=STATES[trial.state],
            metric=figure("metric"),
            latency=figure("latency"),
            low=figure("low"),
            high=figure("high"),
            value=trial.values[0] if done else None,
            epochs=kept.whole("epochs") if "epochs" in kept.values else 0,
            note=kept.text("note", 1 << 20) if "note" in kept.values else "",
            seed=kept.whole("seed", 0, 1 << 128) if "seed" in kept.values else 0,
        )

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class TuningResult:
    """All trials of a search, in their order."""

    trials: tuple[TrialResult, ...]

    @classmethod
    def of(cls, study: Study) -> TuningResult:
        """Of Optuna's study."""
        return cls(tuple(TrialResult.of(trial) for trial in study.get_trials(deepcopy=False)))

    def in_state(self, state: State) -> tuple[TrialResult, ...]:
        """The trials that are done, pruned, failed or running."""
        return tuple(each for each in self.trials if each.state == state)

    @property
    def best(self) -> TrialResult:
        """The trial of the highest value; the first of equals.

        Raises
        ------
        TuneError
            Where none is done, or the goal was a front, which has no single best.
        """
        valued = [each for each in self.trials if each.value is not None]
        if not valued:
            why = "a front has no single best; see `front`" if self.in_state("done") else "no trial was done"
            raise TuneError(f"no best trial: {why}")
        return max(valued, key=lambda each: cast("float", each.value))

    @property
    def front(self) -> tuple[TrialResult, ...]:
        """Done trials that no other beats in metric and latency, from quick to slow; whatever the goal."""
        return pareto_front(self.in_state("done"))

    def ranking(self) -> tuple[TrialResult, ...]:
        """Done trials from the highest value to the lowest; for a front, those on it from quick to slow."""
        valued = [each for each in self.trials if each.value is not None]
        if not valued:
            return self.front
        return tuple(sorted(valued, key=lambda each: -cast("float", each.value)))

    def to_json(self) -> dict[str, object]:
        """Plain values: trials, counts, numbers of the best and of the front."""
        best = self.best.number if any(each.value is not None for each in self.trials) else None
        counts: Iterable[State] = ("done", "pruned", "failed", "running")
        return {
            **{state: len(self.in_state(state)) for state in counts},
            "best": best,
            "front": [each.number for each in self.front],
            "trials": [each.to_json() for each in self.trials],
        }


def pareto_front(trials: Sequence[TrialResult]) -> tuple[TrialResult, ...]:
    """Those that none other beats: as good in metric and latency, and better in one.

    Of equal ones the first is kept; those without metric or latency are left out.

    Returns
    -------
    tuple[TrialResult, ...]
        From quick to slow, so from the lowest metric to the highest.
    """
    known = [each for each in trials if each.metric is not None and each.latency is not None]
    known.sort(key=lambda each: (cast("float", each.latency), -cast("float", each.metric), each.number))
    front: list[TrialResult] = []
    for each in known:
        if not front or cast("float", each.metric) > cast("float", front[-1].metric):
            front.append(each)
    return tuple(front)
