"""Schedules of penalty and projection."""

import numpy as np
import pytest

from trabecula.design import SHARPEST, Schedule, doubling, ramp, sharpen, sharpen_late


def test_a_ramp_goes_in_equal_steps_and_stays():
    schedule = ramp(1.0, 3.0, 4)
    assert [schedule.penalty(i) for i in range(7)] == pytest.approx([1.0, 1.5, 2.0, 2.5, 3.0, 3.0, 3.0])
    assert [schedule.changes(i) for i in range(7)] == [False, True, True, True, True, False, False]
    assert [schedule.is_settled(i) for i in range(7)] == [False] * 4 + [True] * 3


def test_without_continuation_everything_is_settled_from_the_start():
    schedule = Schedule()
    assert schedule.penalty(0) == 3.0 and schedule.beta(0) == 0.0
    assert schedule.is_settled(0) and not schedule.changes(0) and not schedule.changes(1)


def test_beta_doubles_up_to_its_end_after_the_ramp():
    schedule = doubling(8.0, hold=3)
    assert [schedule.beta(i) for i in range(12)] == [1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8]
    assert [i for i in range(15) if schedule.changes(i)] == [3, 6, 9]
    assert [i for i in range(15) if schedule.is_settled(i)] == list(range(9, 15))
    after = Schedule(1.0, 3.0, over=5, beta_end=2.0, hold=2)
    assert [after.beta(i) for i in range(9)] == [1] * 7 + [2] * 2


def test_a_projection_may_begin_after_grey_iterations():
    late = Schedule(1.0, 3.0, over=2, beta_start=2.0, beta_end=10.0, hold=2, factor=3.0, grey=4)
    assert [late.beta(i) for i in range(10)] == [0] * 4 + [2, 2, 6, 6, 10, 10]
    assert [late.iterations_at_end(i) for i in range(11)] == [0] * 9 + [1, 2]
    assert [i for i in range(10) if late.is_settled(i)] == [8, 9]


def test_the_last_iterations_of_a_coarse_run_are_projected():
    schedule = sharpen_late(Schedule(1.0, 3.0, over=30), 60)
    betas = [schedule.beta(i) for i in range(60)]
    assert betas[:40] == [0.0] * 40 and betas[40] == 2.0
    assert (np.diff(betas[40:]) >= 0).all() and betas[-1] > 8.0
    long_ramp = sharpen_late(Schedule(1.0, 3.0, over=30), 45)
    assert [long_ramp.beta(i) for i in (29, 30)] == [0.0, 2.0]


def test_a_crisp_design_ends_at_the_last_steepness():
    schedule = sharpen(Schedule(1.5, 3.0, over=10))
    settled = next(i for i in range(200) if schedule.is_settled(i))
    assert schedule.beta(settled) == SHARPEST
    assert [schedule.iterations_at_end(settled + i) for i in (-1, 0, 7)] == [0, 0, 7]


def test_very_many_iterations_do_not_overflow():
    assert np.isfinite(Schedule(beta_end=32.0, hold=1).beta(10**6))


def test_the_penalty_may_rise_on_while_the_design_becomes_crisp():
    schedule = Schedule(1.0, 3.0, over=2, beta_start=2.0, beta_end=8.0, hold=1, factor=2.0, last=5.0, rise=4)
    assert [schedule.penalty(i) for i in range(9)] == [1, 2, 3, 3.5, 4, 4.5, 5, 5, 5]
    assert [i for i in range(9) if schedule.is_settled(i)] == [6, 7, 8]
    assert [schedule.iterations_at_end(i) for i in (5, 6, 8)] == [0, 0, 2]
    assert schedule.final == 5.0 and Schedule().final == 3.0
    assert schedule.changes(6) and not schedule.changes(7)


def test_a_crisp_design_ends_with_the_higher_penalty_that_is_asked_for():
    plain = Schedule(1.5, 3.0, over=10)
    assert sharpen(plain, 3.0) == sharpen(plain)
    raised = sharpen(plain, 8.0)
    assert [raised.penalty(i) for i in (0, 10, 11, 28, 46, 200)] == [1.5, 3, 3 + 5 / 36, 5.5, 8, 8]
    assert raised.is_settled(46) and not raised.is_settled(45)
    assert [raised.beta(i) for i in range(60)] == [sharpen(plain).beta(i) for i in range(60)]
