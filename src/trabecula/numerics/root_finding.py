"""Where a function of one number changes its sign."""

from __future__ import annotations

from collections.abc import Callable

SLACK = 4.0 * 2.0**-52
"""Relative width of the bracket below which nothing can be halved any more, as a share of the root."""


def root(function: Callable[[float], float], low: float, high: float, width: float = 1e-12) -> float:
    """Find a root by inverse quadratic interpolation where that is safe, else by bisection.

    Parameters
    ----------
    function
        Continuous; of different signs at `low` and `high`.
    low, high
        A bracket.
    width
        Of the bracket at which the better end is the answer.

    Raises
    ------
    ValueError
        If the signs do not differ.

    Source: Chandrupatla 1997, A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
    function without using derivatives, Advances in Engineering Software 28.

    Examples
    --------
    >>> round(root(lambda x: x**3 - 2, 0.0, 2.0), 9)
    1.25992105
    """
    a, b = high, low
    value_a, value_b = function(a), function(b)
    if value_a * value_b > 0:
        raise ValueError(f"no change of sign between {low} and {high}: {value_b}, {value_a}")
    share = 0.5
    while True:
        best, value = (a, value_a) if abs(value_a) < abs(value_b) else (b, value_b)
        smallest = 0.5 * (width + SLACK * abs(best)) / abs(b - a) if a != b else 1.0
        if value == 0 or smallest > 0.5:
            return best
        at = a + min(max(share, smallest), 1 - smallest) * (b - a)
        found = function(at)
        # the root lies between a (the newest) and b; c is what b or a was before
        if found * value_a > 0:
            c, value_c = a, value_a
        else:
            c, value_c, b, value_b = b, value_b, a, value_a
        a, value_a = at, found
        xi, phi = (a - b) / (c - b), (value_a - value_b) / (value_c - value_b)
        share = 0.5
        if phi**2 < xi and (1 - phi) ** 2 < 1 - xi:
            first = value_a / (value_b - value_a) * value_c / (value_b - value_c)
            second = (c - a) / (b - a) * value_a / (value_c - value_a) * value_b / (value_c - value_b)
            share = first + second
