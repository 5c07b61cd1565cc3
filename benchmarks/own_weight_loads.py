"""Own weight and a force, in given shares, for the problems of `benchmarks.own_weight`."""

from __future__ import annotations

GRAVITY = 9.81
DENSITY = 2400.0
"""Of concrete, kg/m3."""


def loads(
    where: dict[str, object], direction: tuple[float, ...], share: float, volume: float
) -> list[dict[str, object]]:
    """Gravity, and a force such that the weight of `volume` is the share of both together."""
    weight = volume * DENSITY * GRAVITY
    found: list[dict[str, object]] = [{"gravity": [GRAVITY * d for d in direction]}]
    if share < 1.0:
        size = weight * (1.0 - share) / share
        found.append({"where": where, "force": [size * d for d in direction]})
    return found
