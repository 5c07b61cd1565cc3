"""Compound scaling: published roundings, constants and costs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from trabecula.nn import blocks
from trabecula.nn.blocks import Compound, Scale


@dataclass(frozen=True)
class Row:
    outputs: int
    repeats: int
    kernel: int = 3


@pytest.mark.parametrize("channels", [*range(1, 400), 35.2, 44.8])
def test_rounded_channels_are_multiples_of_8_that_lose_at_most_a_tenth(channels: float) -> None:
    rounded = blocks.round_channels(channels)
    assert rounded % 8 == 0 and rounded >= 8
    assert rounded >= 0.9 * channels
    assert abs(rounded - channels) <= 8


def test_channels_of_b2_are_the_published_ones() -> None:
    widths = [Scale(width=1.1).channels(n) for n in (32, 16, 24, 40, 80, 112, 192, 320, 1280)]
    assert widths == [32, 16, 24, 48, 88, 120, 208, 352, 1408]


def test_repeats_are_rounded_up_but_not_by_a_rounding_error() -> None:
    assert [Scale(depth=1.1).repeats(n) for n in (1, 2, 3, 4, 10)] == [2, 3, 4, 5, 11]
    assert Scale(depth=0.1).repeats(3) == 1


def test_one_step_of_efficientnet_costs_about_twice_as_much() -> None:
    step = Compound().at(1)
    assert step == Scale(1.2, 1.1, 1.15)
    assert step.cost() == pytest.approx(1.2 * 1.1**2 * 1.15**2)
    assert Compound().at(3).cost() == pytest.approx(step.cost() ** 3)
    assert Compound().at(-1).cost() == pytest.approx(1 / step.cost())
    assert step.cost(3) == pytest.approx(step.cost() * 1.15)


def test_the_small_grid_holds_the_published_constants_and_only_what_costs_twice() -> None:
    grid = blocks.candidates()
    assert Compound() in grid
    for one in grid:
        assert min(one.alpha, one.beta, one.gamma) >= 1
        assert one.at(1).cost() == pytest.approx(2, rel=0.1)


def test_the_grid_for_volumes_counts_the_resolution_three_times() -> None:
    grid = blocks.candidates(3, step=0.1)
    assert grid
    assert all(one.alpha * one.beta**2 * one.gamma**3 == pytest.approx(2, rel=0.1) for one in grid)


def test_any_table_of_stages_can_be_scaled() -> None:
    rows = (Row(16, 1), Row(40, 3, 5))
    assert blocks.scale_stages(rows, Scale(1.4, 1.2)) == (Row(24, 2), Row(48, 5, 5))
    assert blocks.scale_stages(rows, Scale(), divisor=4) == rows


def test_sizes_become_multiples_of_what_the_network_halves() -> None:
    assert Scale(resolution=1.15).size(64, 16) == 80
    assert Scale(resolution=0.01).size(64, 16) == 16
