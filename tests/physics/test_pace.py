"""How quick this machine is can be told anywhere."""

from __future__ import annotations

import math

import pytest

from trabecula.physics import machine
from trabecula.physics.pace import pace


def test_a_pace_is_a_number_above_zero() -> None:
    assert 0 < pace() < math.inf


def test_a_machine_that_is_slow_is_said_to_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = pace()
    monkeypatch.setenv(machine.VARIABLE, "assembled")
    assert pace() > 3.0 * quick
