"""The convergence plot of a report: compliance over iterations as inline SVG, coloured by the page's own
style."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

from trabecula.storage.visible import visible

Row = Mapping[str, float | int | str]
"""One line of the history: what an iteration measured."""

_WIDTH, _HEIGHT = 760.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 64.0, 26.0, 40.0


def convergence(history: Sequence[Row], bound: float | None = None) -> str:
    """Compliance (logarithmic, left) and volume (right) over the iterations, stages marked by their names.

    Parameters
    ----------
    history
        Rows with "compliance", and where known "volume" and "stage"; rows without a positive compliance are
        left out.
    bound
        Lower bound on the compliance, drawn as a dashed line if it is positive.

    Returns
    -------
    str
        An `<svg>` element; a sentence if there is nothing to draw.
    """
    rows = [(k, row, value) for k, row in enumerate(history) if (value := _number(row.get("compliance"))) > 0]
    if len(rows) < 2:
        return "<p>No history was kept.</p>"
    shown = [value for _, _, value in rows]
    if bound is not None and _positive(bound):
        shown = [*shown, bound]
    low, high = _widen_range(math.log10(min(shown)), math.log10(max(shown)))
    last = max(1, len(history) - 1)

    def x(index: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * index / last

    def y(share: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share

    def level(value: float) -> float:
        return y((math.log10(value) - low) / (high - low))

    label = "Compliance and volume over the iterations"
    parts = [f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{label}">']
    parts += [
        _line(_LEFT, level(tick), _WIDTH - _RIGHT, level(tick), "grid")
        + _text(_LEFT - 8, level(tick) + 4, f"{tick:.4g}", "end")
        for tick in _log_ticks(low, high)
    ]
    parts += [_text(x(tick), _HEIGHT - _BOTTOM + 18, f"{tick}", "middle") for tick in _ticks(last)]
    parts += _stages(history, x)
    volumes = [(k, value) for k, row in enumerate(history) if (value := _number(row.get("volume"))) >= 0]
    if volumes:
        top = max(1.0, *(value for _, value in volumes))
        parts.append(_path([(x(k), y(value / top)) for k, value in volumes], "volume"))
        parts += [
            _text(_WIDTH - _RIGHT + 8, y(s / top) + 4, f"{s:g}", "start", "volume") for s in (0, top / 2, top)
        ]
        parts.append(_text(_WIDTH - 2, _TOP - 14, "volume", "end", "volume"))
    if bound is not None and _positive(bound):
        parts.append(_line(_LEFT, level(bound), _WIDTH - _RIGHT, level(bound), "bound"))
        parts.append(_text(_WIDTH - _RIGHT - 6, level(bound) + 11, "lower bound", "end", "bound"))
    parts.append(_path([(x(k), level(value)) for k, _, value in rows], "compliance"))
    parts.append(_line(_LEFT, y(0), _WIDTH - _RIGHT, y(0), "axis"))
    parts.append(_text(2, _TOP - 14, "compliance", "start", "compliance"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, "iteration (all stages)", "middle"))
    parts.append("</svg>")
    return "".join(parts)


def _stages(history: Sequence[Row], x: Callable[[float], float]) -> list[str]:
    parts = []
    previous = None
    room = -math.inf
    for k, row in enumerate(history):
        stage = str(row.get("stage", ""))
        if stage and stage != previous:
            if k:
                parts.append(_line(x(k), _TOP, x(k), _HEIGHT - _BOTTOM, "stage"))
            if x(k) >= room:
                parts.append(_text(x(k) + 4, _TOP + 8, stage[:24], "start", "stage"))
                room = x(k) + 8 + 6.2 * len(stage[:24])
            previous = stage
    return parts


def _number(value: object) -> float:
    """The value as a finite number, or NaN."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _widen_range(low: float, high: float) -> tuple[float, float]:
    """A range with some air, and never empty."""
    air = max(0.09 * (high - low), 0.02)
    return low - air, high + air


def _log_ticks(low: float, high: float) -> list[float]:
    """Round values between 10^low and 10^high, at most about eight."""
    for steps in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1,)):
        ticks = [s * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for s in steps]
        inside = [tick for tick in ticks if low <= math.log10(tick) <= high]
        if len(inside) <= 8:
            break
    if len(inside) >= 2:
        return inside[:: math.ceil(len(inside) / 8)]
    return [10 ** (low + (high - low) * share) for share in (0.1, 0.5, 0.9)]


def _ticks(last: int) -> list[int]:
    step = max(1, 10 ** int(math.log10(last)))
    for finer in (5, 2):
        if last / step < 4 and step % finer == 0:
            step //= finer
    return list(range(0, last + 1, step))


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(visible(text))}</text>'
    )


def _path(points: Sequence[tuple[float, float]], kind: str) -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
