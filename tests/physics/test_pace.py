"""How quick this machine is can be told anywhere."""

from __future__ import annotations

import math

from trabecula.physics.pace import pace


def test_a_pace_is_a_number_above_zero() -> None:
    assert 0 < pace() < math.inf
