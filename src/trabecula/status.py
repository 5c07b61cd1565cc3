"""How a solve ended, named before any value is told: a number means little without it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoteWarning(UserWarning):
    """Something worth knowing that stops nothing; the command line says it in one line."""


class Status(StrEnum):
    """The named outcomes of a solve; the text is what `result.json` and `--json` hold."""

    CONVERGED = "converged"
    LIMIT = "limit"
    INFEASIBLE = "infeasible"
    DIVERGED = "diverged"
    NOT_SOLVABLE = "not solvable"


@dataclass(frozen=True)
class Explanation:
    """What an outcome means: exit code of the command line, one `sentence`, and what would `mend` it."""

    code: int
    sentence: str
    mend: str

    @property
    def message(self) -> str:
        """Both in one line."""
        return f"{self.sentence}; {self.mend}" if self.mend else self.sentence


EXPLANATIONS = {
    Status.CONVERGED: Explanation(0, "the design has converged", ""),
    Status.LIMIT: Explanation(
        3,
        "stopped at the iteration limit, before convergence",
        "go on with --resume DIR --iterations N",
    ),
    Status.INFEASIBLE: Explanation(
        3,
        "no design was found that keeps the limits of the goal",
        "raise the limit, move the supports nearer to the loads, or take a stiffer material",
    ),
    Status.DIVERGED: Explanation(
        3,
        "the iteration led to designs that could not be solved; the last good one is kept",
        "take another filter, optimizer or start, or less contrast (options.minimum_stiffness)",
    ),
    Status.NOT_SOLVABLE: Explanation(
        3,
        "the state equation of the final design could not be solved to an equilibrium residual of 1e-6",
        "make the voxels more nearly cubes, or raise options.minimum_stiffness",
    ),
}


class NoDesignError(Exception):
    """A solve that ended without a design that could be shown; `str()` is one clear message.

    Parameters
    ----------
    status
        How it ended: never `Status.CONVERGED`.
    reason
        What was found, with numbers.
    mend
        What to change; default: what the outcome says.
    """

    def __init__(self, status: Status, reason: str, mend: str = "") -> None:
        self.status = status
        self.reason = reason
        self.mend = mend or EXPLANATIONS[status].mend
        super().__init__(f"{status}: {reason}; {self.mend}")

    def __reduce__(self) -> tuple[type[NoDesignError], tuple[Status, str, str]]:
        return type(self), (self.status, self.reason, self.mend)
