"""Schedules of penalty and projection."""

import numpy as np
import pytest

from trabecula.design import Schedule, doubling, ramp


def test_a_ramp_goes_in_equal_steps_and_stays():
    schedule = ramp(1.0, 3.0, 4)
    assert [schedule.penalty(i) for i in range(7)] == pytest.approx([1.0, 1.5, 2.0, 2.5, 3.0, 3.0, 3.0])
    assert [schedule.changes(i) for i in range(7)] == [False, True, True, True, True, False, False]
    assert [schedule.is_settled(i) for i in range(7)] == [False] * 4 + [True] * 3


def test_without_continuation_everything_is_settled_from_the_start():
    schedule = Schedule()
    assert schedule.penalty(0) == 3.0 and schedule.beta(0) == 1.0
    assert schedule.is_settled(0) and not schedule.changes(0) and not schedule.changes(1)


def test_beta_doubles_up_to_its_end_after_the_ramp():
    schedule = doubling(8.0, hold=3)
    assert [schedule.beta(i) for i in range(12)] == [1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8]
    assert [i for i in range(15) if schedule.changes(i)] == [3, 6, 9]
    assert [i for i in range(15) if schedule.is_settled(i)] == list(range(9, 15))
    after = Schedule(1.0, 3.0, over=5, beta_end=2.0, hold=2)
    assert [after.beta(i) for i in range(9)] == [1] * 7 + [2] * 2


def test_very_many_iterations_do_not_overflow():
    assert np.isfinite(Schedule(beta_end=32.0, hold=1).beta(10**6))
