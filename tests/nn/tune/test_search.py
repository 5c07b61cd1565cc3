"""Searches find what a formula says is best, drop what is bad, go on where they were, explain refusals."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import optuna
import pytest
import torch
from optuna.trial import BaseTrial

from tests.nn.tune.conftest import Line, formula
from trabecula.nn.tune import (
    Metric,
    Milliseconds,
    Network,
    Pareto,
    Reward,
    TrialResult,
    TuneError,
    TuningResult,
    pareto_front,
    read,
    search,
)
from trabecula.nn.tune.candidate import Report
from trabecula.nn.tune.timing import Timing


def same(one: TuningResult, other: TuningResult) -> bool:
    return [each.to_json() for each in one.trials] == [each.to_json() for each in other.trials]


def test_a_search_for_the_metric_finds_the_widest_network_and_the_best_rate() -> None:
    best = search(formula, trials=30).best
    assert best.settings["width"] >= 50  # type: ignore[operator]
    assert 1e-3 < best.settings["rate"] < 1e-1  # type: ignore[operator]
    assert best.metric == best.value


def test_a_hard_target_gives_the_widest_network_within_it() -> None:
    best = search(formula, trials=50, goal=Reward.hard(3.0)).best
    assert best.latency is not None and 2.0 <= best.latency <= 3.0
    assert best.value == best.metric


def test_a_stronger_weight_gives_a_quicker_network() -> None:
    latencies = [search(formula, trials=35, goal=Reward.soft(3.0, w)).best.latency for w in (0.0, -0.2, -1.0)]
    assert latencies == sorted(latencies, reverse=True)  # type: ignore[type-var]
    assert latencies[0] > 3 * latencies[-1]  # type: ignore[operator]


def test_the_value_is_the_reward_of_what_was_measured() -> None:
    outcome = search(formula, trials=15, goal=Reward(3.0), pruner="none")
    for each in outcome.trials:
        assert each.metric is not None and each.latency is not None
        assert each.value == pytest.approx(each.metric * (each.latency / 3.0) ** -0.07)


def test_a_front_holds_no_trial_that_another_one_beats() -> None:
    outcome = search(formula, trials=40, goal=Pareto(population=10))
    front = outcome.front
    assert len(front) >= 5
    for quick, slow in pairwise(front):
        assert quick.latency < slow.latency and quick.metric < slow.metric  # type: ignore[operator]
    for each in outcome.trials:
        assert not any(each.metric > f.metric and each.latency < f.latency for f in front)  # type: ignore[operator]
        assert each.state == "done" and each.value is None
    with pytest.raises(TuneError, match="no single best"):
        _ = outcome.best
    assert outcome.ranking() == front


def test_evolution_gets_nearer_to_the_front_than_its_first_generation() -> None:
    trials = search(formula, trials=50, goal=Pareto(population=10)).trials

    def area(part: tuple[TrialResult, ...]) -> float:
        """Of metric over latency up to 8 ms that the part's front dominates."""
        front = pareto_front(part)
        ends = [*(each.latency or 0.0 for each in front[1:]), 8.0]
        return sum(
            (each.metric or 0.0) * (end - (each.latency or 0.0))
            for each, end in zip(front, ends, strict=True)
        )

    assert area(trials) > area(trials[:10])


def test_the_front_of_equal_and_unmeasured_trials() -> None:
    assert pareto_front([]) == ()
    trials = [
        TrialResult(0, {}, "done", metric=0.5, latency=2.0),
        TrialResult(1, {}, "done", metric=0.5, latency=2.0),
        TrialResult(2, {}, "done", metric=0.9),
        TrialResult(3, {}, "done", metric=0.5, latency=3.0),
        TrialResult(4, {}, "done", metric=0.6, latency=2.0),
    ]
    assert [each.number for each in pareto_front(trials)] == [4]
    assert [each.number for each in pareto_front(trials[:4])] == [0]


@pytest.mark.parametrize("rule", ["median", "asha", "hyperband"])
def test_bad_trials_are_dropped_before_their_last_epoch(rule: str) -> None:
    outcome = search(formula, trials=30, pruner=rule)
    dropped = outcome.in_state("pruned")
    assert dropped
    assert all(each.epochs <= 3 and each.value is None and each.metric is not None for each in dropped)
    assert any(each.epochs < 3 for each in dropped)
    assert all("worse than the others" in each.note for each in dropped)
    assert outcome.best not in dropped


def test_nothing_is_dropped_where_no_rule_is_asked_for() -> None:
    assert len(search(formula, trials=20, pruner="none").in_state("done")) == 20


def test_bad_means_by_reward_where_latency_counts() -> None:
    """A network that is better and far too slow is dropped; alone by its metric it would not be."""
    fast_first = iter([1.0] * 6 + [1000.0])

    def candidate(trial: BaseTrial) -> Iterator[Report]:
        latency = next(fast_first)
        yield Milliseconds(latency)
        yield from [0.5 if latency == 1.0 else 0.6] * 3

    outcome = search(candidate, trials=7, goal=Reward.hard(1.0))
    assert [each.state for each in outcome.trials] == ["done"] * 6 + ["pruned"]


def test_a_dropped_candidate_is_closed() -> None:
    closed = []

    def candidate(trial: BaseTrial) -> Iterator[Report]:
        try:
            yield from [-float(trial.number)] * 3
        finally:
            closed.append(trial.number)

    outcome = search(candidate, trials=8)
    assert outcome.in_state("pruned")
    assert closed == list(range(8))


def test_a_metric_that_is_no_number_drops_the_trial_and_not_the_search() -> None:
    def candidate(trial: BaseTrial) -> Iterator[Report]:
        yield 0.5
        yield math.nan if trial.number % 2 else 0.6

    outcome = search(candidate, trials=4, pruner="none")
    assert [each.state for each in outcome.trials] == ["done", "pruned"] * 2
    assert outcome.trials[1].note == "the metric became nan in epoch 2"


def test_the_same_seed_gives_the_same_search_and_another_one_another() -> None:
    one, again, other = (search(formula, trials=15, goal=Reward(3.0), seed=k) for k in (0, 0, 1))
    assert same(one, again)
    assert not same(one, other)


@pytest.mark.parametrize("goal", [Reward(3.0), Pareto(population=4)], ids=repr)
def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(
    goal: Reward | Pareto, tmp_path: Path
) -> None:
    whole = search(formula, trials=11, goal=goal)  # the last by what ten have shown
    file = tmp_path / "trials.db"
    for trials in (4, 11):
        resumed = search(formula, trials=trials, goal=goal, storage=file)
        assert len(resumed.trials) == trials
    assert same(resumed, whole)
    assert same(read(file), whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trials.db"]


def test_trials_that_are_there_are_not_done_again(tmp_path: Path) -> None:
    search(formula, trials=5, storage=tmp_path / "t.db")
    seen: list[TrialResult] = []
    assert len(search(formula, trials=3, storage=tmp_path / "t.db", progress=seen.append).trials) == 5
    search(formula, trials=7, storage=tmp_path / "t.db", progress=seen.append)
    assert [each.number for each in seen] == [5, 6]


def test_weights_and_random_numbers_depend_on_the_trial_and_leave_none_outside_behind() -> None:
    drawn = []

    def candidate(trial: BaseTrial) -> float:
        drawn.append((torch.rand(()).item(), random.random()))
        return 0.5

    torch.manual_seed(5)
    random.seed(5)
    before = torch.get_rng_state(), random.getstate()
    search(candidate, trials=3)
    search(candidate, trials=3)
    assert drawn[:3] == drawn[3:] and len(set(drawn)) == 3
    assert torch.equal(before[0], torch.get_rng_state()) and before[1] == random.getstate()


def test_an_interrupted_trial_does_not_count(tmp_path: Path) -> None:
    def candidate(trial: BaseTrial) -> float:
        if trial.number == 2:
            raise KeyboardInterrupt
        return 0.5

    with pytest.raises(KeyboardInterrupt):
        search(candidate, trials=4, storage=tmp_path / "t.db")
    outcome = search(candidate, trials=4, storage=tmp_path / "t.db")
    assert [each.state for each in outcome.trials] == ["done", "done", "failed", "done", "done"]


def test_an_exception_of_the_candidate_is_one_message_with_the_settings() -> None:
    def candidate(trial: BaseTrial) -> float:
        if trial.suggest_int("width", 3, 3):
            raise RuntimeError("shapes\n do not fit")
        return 0.0

    with pytest.raises(TuneError, match=r"^trial 0 \(width=3\) failed: RuntimeError: shapes do not fit$"):
        search(candidate, trials=2)


def test_expected_exceptions_fail_a_trial_and_count() -> None:
    def candidate(trial: BaseTrial) -> float:
        if trial.number % 2:
            raise MemoryError("too large")
        return 0.5

    seen: list[TrialResult] = []
    outcome = search(candidate, trials=4, catch=(MemoryError,), progress=seen.append)
    assert [each.state for each in outcome.trials] == ["done", "failed"] * 2
    assert outcome.trials[1].note == "MemoryError: too large"
    assert [each.number for each in seen] == [0, 1, 2, 3]
    with pytest.raises(TuneError, match="no trial was done"):
        _ = TuningResult(outcome.in_state("failed")).best


def test_a_candidate_may_drop_itself() -> None:
    def candidate(trial: BaseTrial) -> float:
        raise optuna.TrialPruned

    assert search(candidate, trials=2, catch=(Exception,)).trials[1].state == "pruned"


def test_a_list_and_a_tensor_are_reports_too() -> None:
    assert search(lambda trial: [0.1, 0.2], trials=1).best.metric == 0.2
    assert search(lambda trial: torch.tensor(0.25), trials=1).best.metric == 0.25


@pytest.mark.parametrize(
    ("reports", "goal", "said"),
    [
        ([], Metric(), "no metric"),
        ([Milliseconds(1.0)], Metric(), "no metric"),
        ([0.5], Reward(1.0), "yield a Network or Milliseconds before the first metric"),
        ([0.5, Milliseconds(1.0)], Metric(), "it comes first"),
        ([Milliseconds(1.0), Milliseconds(1.0)], Metric(), "yields one Network"),
        ([Milliseconds(1.0), -0.5], Reward(1.0), "at least zero"),
        (["good"], Metric(), "yielded a str"),
        ([None], Metric(), "yielded a NoneType"),
    ],
)
def test_a_candidate_that_does_not_keep_to_the_rules_is_told(
    reports: list[Report], goal: Metric | Reward, said: str
) -> None:
    with pytest.raises(TuneError, match=said):
        search(lambda trial: iter(reports), trials=1, goal=goal, catch=(ValueError,))


def test_a_storage_of_another_goal_is_refused(tmp_path: Path) -> None:
    search(formula, trials=1, goal=Reward(3.0), storage=tmp_path / "t.db")
    with pytest.raises(TuneError, match=r"is a search for Reward\(target=3.0.*not for Reward\(target=4.0"):
        search(formula, trials=2, goal=Reward(4.0), storage=tmp_path / "t.db")
    with pytest.raises(TuneError, match="not for Pareto"):
        search(formula, trials=2, goal=Pareto(), storage=tmp_path / "t.db")
    assert len(search(formula, trials=2, goal=Pareto(), storage=tmp_path / "t.db", name="other").trials) == 2


def test_a_storage_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all")
    for storage, said in (
        (tmp_path / "no" / "t.db", "is no folder"),
        (tmp_path, "is a folder"),
        (tmp_path / "text.db", "no SQLite file"),
        ("nonsense://host/name", "cannot be opened"),
    ):
        with pytest.raises(TuneError, match=said):
            search(formula, trials=1, storage=storage)
    with pytest.raises(TuneError, match="there is no file"):
        read(tmp_path / "none.db")
    search(formula, trials=1, storage=tmp_path / "t.db", name="mine")
    with pytest.raises(TuneError, match="no search 'search'; it has mine"):
        read(tmp_path / "t.db")


def test_an_unreadable_storage_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "t.db"
    file.write_bytes(b"")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("trabecula.storage.opening.os.open", refuse)
    with pytest.raises(TuneError, match="cannot be read"):
        search(formula, trials=1, storage=file)


def test_numbers_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        search(formula, trials=0)
    with pytest.raises(ValueError, match="at least one trial"):
        search(formula, trials=1, workers=0)
    with pytest.raises(ValueError, match="no pruner"):
        search(formula, trials=1, pruner="best")


def test_a_network_is_timed_before_it_is_trained_and_left_as_it_was() -> None:
    modes = []

    def candidate(trial: BaseTrial) -> Iterator[Report]:
        model = Line(8, 2)
        model.register_forward_pre_hook(lambda module, inputs: modes.append(module.training))
        yield Network(model, torch.ones(1, 8))
        assert model.training and all(p.requires_grad for p in model.parameters())
        yield 0.5

    best = search(candidate, trials=1, goal=Reward(1.0), timing=Timing(runs=6, warmup=1)).best
    assert best.latency is not None and best.low is not None and best.high is not None
    assert 0 < best.low <= best.latency <= best.high
    assert modes == [False] * 7
