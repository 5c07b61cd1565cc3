"""Latencies can be compared: in turn, corrected by a yardstick, measured again for the finalists."""

from __future__ import annotations

import time
from collections.abc import Iterator

import optuna
import pytest
import torch
from optuna.trial import BaseTrial
from torch import nn
from torch.nn.functional import mse_loss

from tests.nn.tune.conftest import Line, formula
from trabecula.nn.tune import (
    Network,
    Reward,
    TrialResult,
    TuneError,
    remeasure,
    retrain,
    search,
)
from trabecula.nn.tune.candidate import Report
from trabecula.nn.tune.timing import (
    YARDSTICK,
    Timing,
    steady_time,
    time_together,
)

QUICK = Timing(runs=8, warmup=1)


class Clock:
    """A clock that moves when a network is called and at no other time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.slowness = 1.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        plain = Network.call

        def call(network: Network) -> object:
            self.now += self.slowness * 1e-6 * sum(p.numel() for p in network.model.parameters())
            return plain(network)

        monkeypatch.setattr(Network, "call", call)


def network(width: int) -> Network:
    return Network(Line(width, 1), torch.ones(1, width))


def test_a_network_with_more_work_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    found = time_together({"a": network(10), "b": network(20)}, QUICK)
    assert found["a"].median == pytest.approx(0.110) and found["b"].median == pytest.approx(0.420)


def test_a_machine_that_became_slower_does_not_make_networks_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    study = optuna.create_study()
    first = steady_time(network(10), study, QUICK)
    clock.slowness = 1.7
    later = steady_time(network(10), study, QUICK)
    assert later.median == pytest.approx(first.median) == pytest.approx(0.110)
    assert study.user_attrs[YARDSTICK] > 0


def test_two_inputs_are_passed_as_two() -> None:
    pair = Network(nn.Bilinear(2, 3, 4), (torch.ones(1, 2), torch.ones(1, 3)))
    assert pair.call().shape == (1, 4)  # type: ignore[attr-defined]
    assert time_together({"pair": pair}, QUICK)["pair"].median > 0


def trained(trial: BaseTrial) -> Iterator[Report]:
    """Fit a line of two matrices to a rotation."""
    model = Line(trial.suggest_int("width", 2, 6), trial.suggest_int("depth", 1, 2))
    width = model.layers[0].in_features
    x = torch.randn(32, width)
    yield Network(model, x[:1])
    optimiser = torch.optim.Adam(model.parameters(), trial.suggest_float("rate", 1e-3, 1e-1, log=True))
    for _ in range(3):
        loss = mse_loss(model(x), x.flip(1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield 1 / (1 + loss.item())


def test_the_best_network_can_be_had_again_with_the_weights_it_had() -> None:
    metrics = []

    def watched(trial: BaseTrial) -> Iterator[Report]:
        for report in trained(trial):
            if isinstance(report, float):
                metrics.append(report)
            yield report

    best = search(trained, trials=5, goal=Reward(0.1), timing=QUICK).best
    found = retrain(watched, best)
    assert metrics[-1] == best.metric
    assert found.model.layers[0].in_features == best.settings["width"]  # type: ignore[index, union-attr]
    again = retrain(trained, best)
    torch.testing.assert_close(again.model.state_dict(), found.model.state_dict(), rtol=0, atol=0)


def test_finalists_are_timed_again_in_turn_and_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = search(trained, trials=4, goal=Reward(0.1), timing=QUICK, pruner="none")
    Clock(monkeypatch)
    again = remeasure(trained, outcome.front, QUICK)
    assert [each.number for each in again] == [each.number for each in outcome.front]
    for each in again:
        width, depth = each.settings["width"], each.settings["depth"]
        weights = depth * (width * width + width)  # type: ignore[operator]
        assert each.latency == pytest.approx(weights * 1e-3)
    assert remeasure(trained, ()) == ()


def test_without_a_network_there_is_nothing_to_have_again() -> None:
    tried = TrialResult(0, {"width": 3, "rate": 0.1}, "done")
    with pytest.raises(TuneError, match="yields no Network"):
        retrain(formula, tried)
    with pytest.raises(TuneError, match="does not yield a Network first"):
        remeasure(formula, [tried])
