"""A recipe gives each function the settings it names, and complains about the ones nobody takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from tests.nn.tune.conftest import Line
from trabecula.nn.tune import (
    Float,
    Int,
    OneOf,
    Recipe,
    Reward,
    search,
)
from trabecula.nn.tune.timing import Timing

SPACE = {"width": Int(2, 8, step=2), "rate": Float(0.01, 0.1, log=True), "bias": OneOf((True, False))}
X = torch.eye(8)


def build(width: int, bias: bool) -> nn.Module:
    return nn.Sequential(nn.Linear(8, width, bias), nn.Linear(width, 8, bias))


def train(model: nn.Module, rate: float, epochs: int = 4) -> Iterator[None]:
    optimiser = torch.optim.Adam(model.parameters(), rate)
    for _ in range(epochs):
        assert model.training
        optimiser.zero_grad()
        (model(X) - X).square().mean().backward()
        optimiser.step()
        yield


def evaluate(model: nn.Module) -> float:
    model.eval()
    with torch.no_grad():
        return 1 - float((model(X) - X).square().mean())


def test_a_recipe_is_searched_like_any_candidate() -> None:
    recipe = Recipe(SPACE, build, train, evaluate, X[:1])
    outcome = search(recipe, trials=5, goal=Reward(0.1), pruner="none", timing=Timing(runs=3, warmup=1))
    assert {"width", "rate", "bias"} == set(outcome.best.settings)
    assert all(each.epochs == 4 and each.latency for each in outcome.trials)
    assert all(each.settings["width"] in (2, 4, 6, 8) for each in outcome.trials)


def test_without_inputs_nothing_is_timed_and_a_plain_function_trains_to_the_end() -> None:
    def whole(model: nn.Module, **settings: object) -> None:
        assert set(settings) == {"width", "depth"}

    space = {"width": Int(8, 8), "depth": Int(1, 2)}
    best = search(Recipe(space, Line, whole, evaluate), trials=2).best
    assert best.latency is None and best.epochs == 1


def test_settings_nobody_takes_and_arguments_nobody_gives_are_refused() -> None:
    with pytest.raises(ValueError, match="neither build nor train takes depth"):
        Recipe({**SPACE, "depth": Int(1, 2)}, build, train, evaluate)
    with pytest.raises(ValueError, match="train takes rate, which the space does not have"):
        Recipe({"width": Int(1, 2), "bias": OneOf((True,))}, build, train, evaluate)

    def anything(*layers: nn.Module, width: int) -> nn.Module:
        return Line(width, 1)

    Recipe({"width": Int(8, 8)}, anything, lambda model: None, evaluate)
