"""The history of a saved result: whether it can have led to its design, by the rules that every run obeys.

Earlier designs are not saved, so what was measured of them cannot be computed again. But a schedule, a
stopping rule and the sums within a row follow from the problem, and a run that has converged ends in the
design that was saved. The rules are written here once more, not taken from the loop that obeys them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite

from trabecula.certificate.words import VIOLATION
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.responses import formulate

Row = Mapping[str, float | int | str]

COLUMNS = (
    "iteration",
    "penalty",
    "beta",
    "objective",
    "compliance",
    "volume",
    "violation",
    "change",
    "kkt",
    "cg_iterations",
    "residual",
    "seconds",
)
"""What a row of the history holds; the KKT residual only where it was looked at."""

UNSOLVED = 0.1
"""Relative residual of a state above which a row says nothing."""

FLATTEST, SHARPEST = 2.0, 100.0
"""Steepness that a projection begins and ends with."""

HOLD = 6
"""Iterations at every steepness before it grows."""

FACTOR = 2.2
"""By how much it grows."""

SOON_FLATTEST, SOON_HOLD, SOON_FACTOR = 6.0, 4, 4.1
"""The same where a first design was finished quickly before the search, and was the best."""

RISE = 36
"""Iterations in which the penalty of projected conductors rises on from the problem's."""

CONDUCTION = 8.0
"""Penalty that these end with at least,"""

REACH, HEATED = 2.25, 0.5
"""where the filter's radius is less than so many voxels, and more than such a share of nodes is heated."""

KKT = 2e-3
"""KKT residual at which every way but the classical one stops."""

PROJECTED_KKT = 0.015
"""The same where the design is projected."""

EVERY = 5
"""Iterations from one KKT residual to the next; a first design is looked at in every one."""

SHORTEST, SOON_SHORTEST = 5, 3
"""Iterations of the shortest ramp of the penalty, and of that of a first design."""

CHANGE = 0.01
"""Largest change of a density at which the classical way stops."""

WINDOW = 5
"""Iterations over which an objective must have come to rest."""

NOISE = 10.0
"""How many times the improvement that counts as none an objective at rest may swing."""

PATIENCE = 80
"""Iterations at the last steepness after which an objective at rest counts, whatever the KKT residual."""

AT_REST = 0.03
"""With a projection or own weight: KKT residual up to which an objective at rest counts earlier."""

NEAR = 0.05
"""How far the saved design may be from the best of a history at rest, relative, beside what that swings:
loose solves of grey designs err by a few tenths of a per cent, and the classical rule asks for no rest."""


def trouble_of_rows(discrete: DiscreteProblem, rows: Sequence[Row], start: str) -> str:
    """Say what is wrong within the rows of a history; an empty text where nothing is.

    Parameters
    ----------
    discrete
        The problem on its voxels.
    rows
        One per iteration.
    start
        The start that was asked for.
    """
    if not rows:
        return "it holds no iteration"
    limits = len(formulate(discrete).limits)
    for number, row in enumerate(rows):
        said = _trouble_of_row(discrete, limits, row, number)
        if said:
            return f"row {number}: {said}"
    return _trouble_of_schedule(discrete, rows, start)


def has_stopped(discrete: DiscreteProblem, rows: Sequence[Row], start: str, tolerance: float) -> bool:
    """Whether the stopping rule is met at the last row.

    Parameters
    ----------
    discrete, rows, start
        As for `trouble_of_rows`, which found nothing.
    tolerance
        Mean relative improvement of the objective per iteration at which to stop.
    """
    settled = _settled(discrete, rows)
    last = rows[-1]
    if not settled or _number(last, "violation") > VIOLATION or _number(last, "residual") > UNSOLVED:
        return False
    if start == "classical":
        is_on_its_way = discrete.options.projection and len(settled) < PATIENCE
        return _number(last, "change") < CHANGE and not is_on_its_way
    if "kkt" in last and _number(last, "kkt") <= (PROJECTED_KKT if discrete.options.projection else KKT):
        return True
    objectives = [_number(row, "objective") for row in settled]
    if len(objectives) <= WINDOW:
        return False
    recent, little = objectives[-WINDOW:], tolerance * WINDOW * min(map(abs, objectives))
    is_better = min(objectives[:-WINDOW]) - min(recent) > little
    swings = max(objectives[-1 - WINDOW], *recent) - min(recent) > NOISE * little
    residuals = [_number(row, "kkt") for row in settled if "kkt" in row]
    is_on_its_way = (
        (discrete.options.projection or bool(discrete.gravity.any()))
        and len(settled) < PATIENCE
        and not (residuals and residuals[-1] <= AT_REST)
    )
    return not is_better and not swings and not is_on_its_way


def distance_of_end(
    discrete: DiscreteProblem, rows: Sequence[Row], tolerance: float, reached: float
) -> tuple[float, float]:
    """How far a design is from a history at rest, from its best or its last, and how far it may be; relative.

    A solve returns the best design of its last run, or the one after its last iteration; where the optimum is
    known (penalty 1), one that may be better still. The last step of the history must not be longer either.

    Parameters
    ----------
    tolerance
        Of the stopping rule, which lets an objective at rest swing.
    reached
        Objective of the design that was saved.
    """
    settled = _settled(discrete, rows)
    objectives = [_number(row, "objective") for row in settled]
    if len(objectives) <= WINDOW:  # stopped by another rule than rest
        return 0.0, NEAR
    best = min(_number(row, "objective") for row in settled if _number(row, "violation") <= VIOLATION)
    before = objectives[-2 - WINDOW : -1]
    swing = max((abs(a - b) / abs(b) for a, b in pairwise(before)), default=0.0)
    last = objectives[-1]
    off = max(min(abs(reached / end - 1.0) for end in (best, last)), abs(last / objectives[-2] - 1.0))
    return off, NEAR + 2.0 * swing + NOISE * WINDOW * tolerance


def _trouble_of_row(discrete: DiscreteProblem, limits: int, row: Row, number: int) -> str:
    missing = [name for name in COLUMNS if name != "kkt" and name not in row]
    unknown = [name for name in row if name not in COLUMNS]
    if missing or unknown:
        return f"{', '.join(map(repr, missing or unknown))} {'missing' if missing else 'not known here'}"
    for name in COLUMNS:
        value = row.get(name, 0)
        is_whole = name in ("iteration", "cg_iterations")
        if not isinstance(value, int if is_whole else int | float) or not isfinite(value):
            return f"{name} is {value!r} where a {'whole ' if is_whole else ''}number belongs"
        if value < 0 and name not in ("objective", "compliance"):
            return f"{name} is {value!r}; it cannot be below 0"
    if row["iteration"] != number:
        return f"iteration is {row['iteration']}"
    if _number(row, "change") > 1.0 or _number(row, "volume") > 1.0 + 1e-6:
        return "a density outside 0 to 1"
    return _trouble_of_sums(discrete, limits, row)


def _trouble_of_sums(discrete: DiscreteProblem, limits: int, row: Row) -> str:
    """The violation and the objective follow from compliance and volume."""
    goal = discrete.goal
    compliance, volume, violation = (_number(row, name) for name in ("compliance", "volume", "violation"))
    due: float | None = None
    if limits == 1 and goal.volume is not None:
        due = max(0.0, volume / goal.volume - 1.0)
    elif limits == 1 and goal.compliance is not None:
        due = max(0.0, compliance / goal.compliance[0] - 1.0)
    if due is not None and abs(violation - due) > 1e-12 * (1.0 + due):
        return f"violation is {violation:.9g} where the limit is missed by {due:.9g}"
    if goal.minimize not in ("volume", "compliance", "thermal_compliance") or goal.maximize:
        return ""  # nothing in the row says what it measures
    objective = (volume if goal.minimize == "volume" else compliance) * (1.0 + violation)
    if abs(_number(row, "objective") - objective) > 1e-12 * abs(objective):
        return f"objective is {row['objective']} where {objective:.9g} follows from the row"
    return ""


def _trouble_of_schedule(discrete: DiscreteProblem, rows: Sequence[Row], start: str) -> str:
    """Penalties rise evenly to the problem's; then the steepness grows to its end, and of projected
    conductors the penalty too."""
    end = discrete.options.penalty
    penalties = [_number(row, "penalty") for row in rows]
    over = next((i for i, penalty in enumerate(penalties) if penalty == end), None)
    first = penalties[0]
    step = penalties[1] - first if over is None and len(rows) > 1 else (end - first) / (over or 1)
    ramp = [first + step * i for i in range(len(rows) if over is None else over)]
    last_one = last_penalty(discrete)
    due = ramp + [_risen(end, last_one, i) for i in range(len(rows) - len(ramp))]
    begins = {"classical": end, "uniform": min(1.0, end)}.get(start, first)
    projects = discrete.options.projection
    is_soon = projects is True and rows[0]["beta"] == SOON_FLATTEST and start not in ("uniform", "classical")
    shortest = SOON_SHORTEST if is_soon else SHORTEST
    if first != begins or over in range(1, shortest) or first < min(1.0, end):
        return f"penalties do not begin with {first:.6g} and reach {end:.6g} in {over} iterations"
    if (len(rows) > 1 and step < 0.0) or max(penalties) > last_one:
        return f"penalties from {first:.6g} do not rise to {end:.6g}"
    last = SHARPEST if projects else 1.0
    for i, (penalty, expected) in enumerate(zip(penalties, due, strict=True)):
        if abs(penalty - expected) > 1e-12 * end:
            return f"row {i}: penalty is {penalty:.9g} where {expected:.9g} follows from the ramp"
        beta = _steepness(0 if over is None else i - over, is_soon) if projects else 1.0
        if rows[i]["beta"] != beta:
            return f"row {i}: beta is {rows[i]['beta']} where {beta:.6g} follows from the schedule"
        is_at_end = penalty == last_one and beta == last
        if "kkt" in rows[i] and (start == "classical" or not is_at_end or i % (1 if is_soon else EVERY)):
            return f"row {i}: a KKT residual where none is looked at"
    return ""


def _steepness(i: int, is_soon: bool) -> float:
    """Steepness of the projection so many iterations after the ramp of the penalty."""
    first, hold, factor = (SOON_FLATTEST, SOON_HOLD, SOON_FACTOR) if is_soon else (FLATTEST, HOLD, FACTOR)
    return min(SHARPEST, first * factor ** min(max(0, i) // hold, 60))


def _risen(end: float, last: float, i: int) -> float:
    """Penalty so many iterations after its ramp, from `end` to `last`."""
    return last if i >= RISE else end + (last - end) * i / RISE


def last_penalty(discrete: DiscreteProblem) -> float:
    """The penalty of a finished design: the problem's, but for trees of conductors that are projected."""
    options = discrete.options
    if discrete.physics.name != "conduction" or not options.projection or options.penalty == 1.0:
        return options.penalty
    heated = max(float((load != 0.0).mean()) for load in discrete.loads)
    is_raised = heated > HEATED and discrete.radius / max(discrete.grid.edges) < REACH
    return max(options.penalty, CONDUCTION) if is_raised else options.penalty


def _settled(discrete: DiscreteProblem, rows: Sequence[Row]) -> list[Row]:
    """The rows at the final penalty and steepness."""
    beta = SHARPEST if discrete.options.projection else 1.0
    return [row for row in rows if row["penalty"] == last_penalty(discrete) and row["beta"] == beta]


def _number(row: Row, name: str) -> float:
    return float(row[name])
