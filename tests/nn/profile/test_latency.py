"""Timing against a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from trabecula.nn.profile import (
    HostMachine,
    Latency,
    Layer,
    Nest,
    latency,
    measure,
    measure_machine,
    torch_threads,
)
from trabecula.nn.profile import measure_together as together


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(latency, "time", made)
    return made


def test_median_and_quartiles_of_what_was_timed_after_the_warm_up(clock: Clock) -> None:
    spent = iter([100.0, 200.0, 1.0, 5.0, 2.0, 4.0, 3.0])

    def run() -> None:
        clock.now += next(spent)

    found = measure(run, runs=5, warmup=2)
    assert found == Latency(median=3.0, low=2.0, high=4.0, least=1.0, runs=5)
    assert found.spread == pytest.approx(2 / 3)


def test_candidates_take_turns_in_changing_order(clock: Clock) -> None:
    order: list[str] = []

    def make(name: str, seconds: float) -> object:
        def run() -> None:
            order.append(name)
            clock.now += seconds

        return run

    found = together({"a": make("a", 1.0), "b": make("b", 2.0)}, runs=4, warmup=0)  # type: ignore[dict-item]
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert [each.median for each in found.values()] == [1.0, 2.0]


def test_nothing_has_no_spread() -> None:
    assert Latency.of([0.0, 0.0]).spread == 0


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise RuntimeError
    assert torch.get_num_threads() == before


def test_the_roofline_takes_the_lower_roof() -> None:
    machine = HostMachine(peak=100.0, bandwidth=10.0)
    dense = Layer("", "linear", ((1, 10),), ((1, 10),), weights=100, nests=(Nest(50, 1, 10, 10),))
    thin = Layer("", "relu", ((1, 100),), ((1, 100),), operations=100)
    assert machine.ridge == 10.0
    assert (machine.bound(dense), machine.seconds(dense)) == ("compute", 2 * 5000 / 100)
    assert (machine.bound(thin), machine.seconds(thin)) == ("memory", 800 / 10)


def test_the_roofs_of_this_machine_are_positive_and_said_to_be_measured() -> None:
    machine = measure_machine(size=64, megabytes=1)
    assert machine.peak > 0 and machine.bandwidth > 0 and machine.measured
