"""The solver decides whether a fine-tuned network takes the place of the one in use.

Both hand the same coarse designs over, on past solves nobody trained on and on a fixed set of random
problems; solves are counted until the design is within 1 % and 0.5 % of the best that any of them reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.learning.evaluate import HandOver
from trabecula.learning.validate import Judgement, judge_from, score
from trabecula.optimize.analysis import Analysis
from trabecula.starts import HalfGrey, UpscalingNetwork
from trabecula.surrogate import Model

Array = NDArray[np.float64]

PLAIN, IN_USE, NEW = "no network", "in use", "new"

SAME = 0.02
"""Solves are the same where they differ by less than this share."""

WORSE = 1e-3
"""Designs end worse where they are, in the mean, more compliant by this share."""


@dataclass(frozen=True)
class GateFigures:
    """What one set of problems says of one hand-over: mean solves, mean end above the best, share taken."""

    solves: float
    end: float
    taken: float | None


@dataclass(frozen=True)
class GateVerdict:
    """What the gate says.

    Attributes
    ----------
    own, fixed
        Figures by hand-over (`PLAIN`, `IN_USE`, `NEW`), on held-out past solves and on the fixed set.
    problems
        How many there are in the two sets.
    objections
        Why the new network is not installed; empty where it is.
    """

    own: dict[str, GateFigures]
    fixed: dict[str, GateFigures]
    problems: tuple[int, int]
    objections: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        """Whether the new network takes the place of the one in use."""
        return not self.objections

    def to_json(self) -> dict[str, object]:
        """As a mapping."""
        sets = {"own": self.own, "fixed": self.fixed}
        return {
            "passed": self.is_passed,
            "objections": list(self.objections),
            **{
                name: {
                    "problems": count,
                    **{by: {k: _round(v) for k, v in vars(f).items()} for by, f in figures.items()},
                }
                for (name, figures), count in zip(sets.items(), self.problems, strict=True)
            },
        }


def gate(
    own: Iterable[tuple[Analysis, Array]],
    fixed: Iterable[tuple[Analysis, Array]],
    old: Model,
    new: Model,
    report: Callable[[str], None] = lambda text: None,
    iterations: int = 60,
) -> GateVerdict:
    """Solve both sets with both networks.

    Parameters
    ----------
    own, fixed
        Problems, each with the coarse design that is handed over.
    iterations
        Of every run.
    """
    hand_overs: dict[str, HandOver] = {
        PLAIN: HalfGrey(),
        IN_USE: UpscalingNetwork.of(old),
        NEW: UpscalingNetwork.of(new),
    }
    judged: list[list[Judgement]] = []
    for name, problems in (("own", own), ("fixed", fixed)):
        judged.append([])
        for analysis, coarse in problems:
            judged[-1].append(judge_from(analysis, coarse, hand_overs, iterations))
            report(f"judged {len(judged[-1])} of the {name} problems")
    found = [{by: _figures(part, by) for by in hand_overs} for part in judged]
    return GateVerdict(found[0], found[1], (len(judged[0]), len(judged[1])), tuple(objections(*found)))


def objections(own: dict[str, GateFigures], fixed: dict[str, GateFigures]) -> list[str]:
    """Why a new network is not installed: not better on one's own problems, or worse on the fixed ones."""
    found = []
    if not own[NEW].solves < (1.0 - SAME) * own[IN_USE].solves:
        found.append(
            f"on your own problems it takes {_change(own)}; at least {100 * SAME:g} % less is needed"
        )
    if not fixed[NEW].solves <= (1.0 + SAME) * fixed[IN_USE].solves:
        found.append(f"on the fixed problems it takes {_change(fixed)}")
    for name, figures in (("your own", own), ("the fixed", fixed)):
        if not figures[NEW].end <= figures[IN_USE].end + WORSE:
            found.append(
                f"on {name} problems its designs end {100 * figures[NEW].end:.2f} % above the best, "
                f"those of the network in use {100 * figures[IN_USE].end:.2f} %"
            )
    return found


def _change(figures: dict[str, GateFigures]) -> str:
    return f"{figures[NEW].solves:.1f} solves, the network in use {figures[IN_USE].solves:.1f}"


def _figures(judged: list[Judgement], by: str) -> GateFigures:
    taken = [each.accepted[by] for each in judged if by in each.accepted]
    ends = [each.ends[by] for each in judged]
    return GateFigures(score(judged, by), float(np.mean(ends)), float(np.mean(taken)) if taken else None)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
