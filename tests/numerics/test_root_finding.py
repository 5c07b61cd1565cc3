"""Roots of functions, easy and awkward ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq

from trabecula.numerics.root_finding import root

FUNCTIONS: dict[str, tuple[Callable[[float], float], float, float]] = {
    "cubic": (lambda x: x**3 - 2, 0.0, 2.0),
    "steep": (lambda x: float(np.tanh(20 * (x - 0.3))), 0.0, 1.0),
    "flat": (lambda x: (x - 0.1) ** 9, 0.0, 1.0),
    "kinked": (lambda x: min(x, 0.5) - 0.25, 0.0, 1.0),
    "at an end": (lambda x: x - 1, 0.0, 1.0),
    "exponential": (lambda x: float(np.exp(x)) - 1e5, -40.0, 40.0),
    "falling": (lambda x: 0.7 - x, 0.0, 1.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_roots_are_found_as_closely_as_asked_with_as_few_values_as_brent_needs(name: str) -> None:
    function, low, high = FUNCTIONS[name]
    calls: list[float] = []

    def counted(x: float) -> float:
        calls.append(x)
        return function(x)

    _, brent = brentq(function, low, high, xtol=1e-12, full_output=True, disp=False)
    found = root(counted, low, high, 1e-12)
    assert function(found - 2e-12) * function(found + 2e-12) <= 0
    assert len(calls) <= 1.5 * brent.function_calls + 2
    assert all(low <= x <= high for x in calls)


def test_a_jump_is_found_too() -> None:
    assert root(lambda x: 1.0 if x > 0.7 else -1.0, 0.0, 1.0) == pytest.approx(0.7, abs=1e-11)


def test_without_a_change_of_sign_there_is_no_bracket() -> None:
    with pytest.raises(ValueError, match="no change of sign"):
        root(lambda x: x + 1, 0.0, 1.0)
