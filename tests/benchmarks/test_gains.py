"""Gains count what arrives, what never does, and nothing else."""

from __future__ import annotations

import math

import pytest

from benchmarks import gains
from benchmarks.places import Place
from tests.benchmarks.runs_made_up import place, run, runs

ONE, TWO, THREE = place("one"), place("two"), place("three")
PLACES = [ONE, TWO, THREE]


def test_a_gain_is_the_ratio_of_times_to_the_better_end() -> None:
    made = runs(
        learned={"one": run((1, 12.0), (2, 10.05), (4, 10.0))},
        default={"one": run((2, 12.0), (6, 10.05), (8, 10.005))},
    )
    assert gains.gain(made, PLACES, "learned", "default", 1.0).times == (3.0,)
    assert gains.gain(made, PLACES, "learned", "default", 0.1).times == (8 / 4,)
    assert gains.gain(made, PLACES, "learned", "default", 1.0, gains.ITERATIONS).times == (3.0,)


def test_who_never_arrives_is_counted() -> None:
    made = runs(
        learned={"one": run((2, 10.0)), "two": run((3, 12.0)), "three": run((2, 10.0))},
        practice={"one": run((10, 15.0)), "two": run((6, 10.0)), "three": run((4, 10.0))},
    )
    found = gains.gain(made, PLACES, "learned", "practice", 1.0)
    assert found.times == (math.inf, 0.0, 2.0)
    assert found.least == (5.0, 0.0, 2.0)
    assert found.never == (1, 1)
    assert found.median == 2.0
    assert "never arrives on 1" in found.said and "2x" in found.said


def test_a_problem_where_only_one_was_run_is_left_out() -> None:
    made = runs(learned={"one": run((2, 10.0))}, default={"two": run((2, 10.0))})
    assert not gains.gain(made, PLACES, "learned", "default", 1.0)
    assert gains.gain(made, PLACES, "learned", "default", 1.0).said == "not run"


def test_the_reference_is_the_best_of_all_also_past_their_stops() -> None:
    made = runs(
        learned={"one": run((1, 10.0))},
        default={"one": run((1, 11.0), polished=9.0)},
        other={"two": run((1, 1.0))},
    )
    assert gains.references(made, PLACES) == {("one", "8x4x4"): 9.0, ("two", "8x4x4"): 1.0}


def test_the_strongest_is_chosen_in_hindsight_where_all_were_run() -> None:
    made = runs(
        default={"one": run((5, 10.0)), "two": run((5, 10.0))},
        short={"one": run((3, 10.0)), "two": run((4, 10.0)), "three": run((90, 10.0))},
        medium={"one": run((1, 11.0)), "two": run((1, 11.0))},
    )
    assert gains.strongest(made, PLACES) == "short"
    assert gains.strongest(made, [place("nowhere")]) is None
    alone = runs(default={"one": run((1, 1.0))}, short={"two": run((1, 1.0))})
    assert gains.strongest(alone, PLACES) == "default"


def test_equal_time_is_when_the_quicker_one_ends() -> None:
    made = runs(
        learned={"one": run((1, 12.0), (2, 9.9), (3, 9.0)), "two": run((5, 1.0))},
        default={"one": run((1, 10.0), (2, 10.0)), "two": run((1, 1.0))},
    )
    stiffer = gains.stiffer_at_equal_time(made, PLACES, "learned", "default")
    assert stiffer == pytest.approx([1.0, -100.0])


def test_break_even_is_never_where_nothing_is_saved() -> None:
    made = runs(
        learned={"one": run((2, 10.0)), "two": run((4, 20.0))},
        default={"one": run((5, 10.0)), "two": run((5, 10.0))},
    )
    savings = gains.saved(made, PLACES, "learned", "default")
    assert savings == [3.0, 1.0]
    assert gains.break_even(1.0, savings) == 1800.0
    assert gains.break_even(1.0, [-1.0, 0.5]) == math.inf
    assert gains.break_even(1.0, []) == math.inf


def test_ends_and_whole_times() -> None:
    made = runs(learned={"one": run((2, 10.1))}, default={"one": run((5, 10.0))})
    assert gains.ends_above(made, PLACES, "learned", "default") == pytest.approx([1.0])
    assert gains.whole(made, PLACES, "learned", "default").times == (2.5,)


def test_spread_takes_values_that_occur() -> None:
    assert gains.spread([float(k) for k in range(1, 11)]) == (2.0, 5.5, 10.0, 1.0)
    assert gains.spread([math.inf, 1.0, 0.0]) == (0.0, 1.0, math.inf, 0.0)


def test_groups_keep_their_order() -> None:
    found = [place("b", "hard", "f"), place("a", "easy", "f"), place("c", "hard", "g")]
    assert [name for name, _ in gains.by(found, "group")] == ["hard 3-D", "easy 3-D"]
    families: list[tuple[str, list[Place]]] = list(gains.by(found, "family"))
    assert [len(here) for _, here in families] == [2, 1]
