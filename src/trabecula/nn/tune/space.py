"""What a setting may be: a whole number, a number, one of several values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Value = bool | int | float | str | None


class Choice(Protocol):
    """Asks a trial for the value of a setting."""

    def suggest(self, trial: BaseTrial, name: str) -> Value:
        """The value of the setting `name` in this trial."""
        ...


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`, both included, in steps; evenly over its logarithm if `log`."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        _check_order(self.low, self.high, self.log)
        if self.step < 1 or (self.log and self.step != 1):
            raise ValueError("steps are at least 1, and exactly 1 on a logarithmic scale")

    def suggest(self, trial: BaseTrial, name: str) -> int:
        """The value of the setting `name` in this trial."""
        return trial.suggest_int(name, self.low, self.high, step=self.step, log=self.log)


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`; evenly over its logarithm if `log` (learning rates, decays)."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_order(self.low, self.high, self.log)

    def suggest(self, trial: BaseTrial, name: str) -> float:
        """The value of the setting `name` in this trial."""
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class OneOf:
    """One of several values without an order: names, switches."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a choice needs values")

    def suggest(self, trial: BaseTrial, name: str) -> Value:
        """The value of the setting `name` in this trial."""
        return trial.suggest_categorical(name, self.values)


def _check_order(low: float, high: float, log: bool) -> None:
    if not low <= high:
        raise ValueError(f"low comes first: {low} is above {high}")
    if log and low <= 0:
        raise ValueError(f"a logarithmic scale begins above zero, not at {low}")
