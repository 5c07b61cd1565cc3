"""What is searched: a function of a trial that yields what is timed, then the metric after every epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import SupportsFloat

from optuna.trial import BaseTrial
from torch import Tensor, nn

from trabecula.nn.tune.space import Choice, Value


@dataclass(frozen=True, eq=False)
class Network:
    """A network to be timed on this machine's processor, and to be found again after the search.

    Attributes
    ----------
    model
        Timed as it is when it is yielded; weights do not matter to its latency, so yield it before training.
    inputs
        What it is called with, of the batch size whose latency counts; one tensor, or all arguments.
    """

    model: nn.Module
    inputs: Tensor | tuple[Tensor, ...]

    def call(self) -> object:
        """Run the network once."""
        return self.model(*(self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)))


@dataclass(frozen=True)
class Milliseconds:
    """A latency measured elsewhere: on a telephone, an accelerator, in ONNX Runtime."""

    value: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"a latency is a positive number of milliseconds, not {self.value}")


Report = Network | Milliseconds | SupportsFloat
Candidate = Callable[[BaseTrial], Iterable[Report] | SupportsFloat]
"""Takes a trial; yields at most one `Network` or `Milliseconds`, then metrics; or returns one metric.

A metric is a number, larger is better, and the last one counts; metrics before it are what bad trials are
dropped by. The trial is Optuna's, so all of its `suggest_...` methods work, conditions included.
"""


@dataclass(frozen=True, eq=False)
class Recipe:
    """A candidate made of a space and three functions that know nothing of the search.

    `build` and `train` are called with the settings their arguments name (`**settings` for all).

    Attributes
    ----------
    space
        Names and what they may be: `{"width": Int(8, 64), "rate": Float(1e-4, 1e-1, log=True)}`.
    build
        Makes the network.
    train
        Takes the network first and trains it; a generator yields after every epoch, a plain function trains
        to the end.
    evaluate
        Takes the network and gives its metric, larger is better; called after every epoch.
    inputs
        What the network is timed with; None where latency does not count.

    Raises
    ------
    ValueError
        Where a setting is taken by neither function, or an argument without default is no setting.
    """

    space: Mapping[str, Choice]
    build: Callable[..., nn.Module]
    train: Callable[..., Iterable[object] | None]
    evaluate: Callable[[nn.Module], SupportsFloat]
    inputs: Tensor | tuple[Tensor, ...] | None = None

    def __post_init__(self) -> None:
        taken = self._setting_names(self.build, 0) | self._setting_names(self.train, 1)
        if unused := set(self.space) - taken:
            raise ValueError(f"neither build nor train takes {', '.join(sorted(unused))}")

    def __call__(self, trial: BaseTrial) -> Iterator[Report]:
        """One trial: build, have it timed, train and evaluate."""
        settings = {name: choice.suggest(trial, name) for name, choice in self.space.items()}
        model = self.build(**self._settings_for(self.build, 0, settings))
        if self.inputs is not None:
            yield Network(model, self.inputs)
        epochs = self.train(model, **self._settings_for(self.train, 1, settings))
        if epochs is None:
            yield self.evaluate(model)
            return
        for _ in epochs:
            yield self.evaluate(model)
            model.train()

    def _settings_for(
        self, function: Callable[..., object], first: int, settings: dict[str, Value]
    ) -> dict[str, Value]:
        taken = self._setting_names(function, first)
        return {name: value for name, value in settings.items() if name in taken}

    def _setting_names(self, function: Callable[..., object], first: int) -> set[str]:
        """Settings that a function takes, behind its first so many arguments."""
        arguments = list(inspect.signature(function).parameters.values())[first:]
        if any(each.kind is each.VAR_KEYWORD for each in arguments):
            return set(self.space)
        arguments = [each for each in arguments if each.kind is not each.VAR_POSITIONAL]
        names = {each.name for each in arguments}
        needed = {each.name for each in arguments if each.default is each.empty}
        if missing := needed - set(self.space):
            raise ValueError(
                f"{getattr(function, '__name__', 'a function')} takes {', '.join(sorted(missing))},"
                " which the space does not have"
            )
        return names & set(self.space)
