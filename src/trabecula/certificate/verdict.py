"""The outcome of a check: for every quantity the claimed and the recomputed value, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from trabecula.certificate.record import Certificate

Verdict = Literal["ok", "differs", "unchecked"]
Value = float | bool | str | None


@dataclass(frozen=True)
class Check:
    """One quantity: what was claimed, what came out, how far apart they may be, and in words if need be.

    Attributes
    ----------
    name
        Of the quantity.
    claimed, recomputed
        None where there is nothing, or nothing that is one value.
    tolerance
        Largest difference at which the two count as equal.
    verdict
        "ok", "differs", or "unchecked" for what cannot be computed again: it was only seen to be possible.
    note
        What was looked at, or what is amiss.
    """

    name: str
    claimed: Value
    recomputed: Value
    tolerance: float
    verdict: Verdict
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """As a mapping; infinite and undefined numbers become None."""
        return {
            key: None if isinstance(value, float) and not isfinite(value) else value
            for key, value in vars(self).items()
        }


@dataclass(frozen=True)
class Recheck:
    """All checks of a result; `method` says how its state was solved again."""

    checks: tuple[Check, ...]
    certificate: Certificate
    method: str

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differing

    @property
    def differing(self) -> tuple[str, ...]:
        """Names of the quantities that differ."""
        return tuple(check.name for check in self.checks if check.verdict == "differs")

    def to_json(self) -> dict[str, object]:
        """The whole as a JSON object."""
        return {
            "ok": self.ok,
            "method": self.method,
            "certificate": self.certificate.to_json(),
            "checks": [check.to_json() for check in self.checks],
        }


def compare(name: str, claimed: Value, found: Value, room: float = 0.0, note: str = "") -> Check:
    """Compare a claim with what came out.

    Parameters
    ----------
    room
        Largest difference at which two numbers count as equal; words, and true and false, must be the same.

    Returns
    -------
    Check
        "ok" or "differs". A missing value agrees with a missing one only.
    """
    if _is_number(claimed) and _is_number(found):
        agree = abs(float(claimed) - float(found)) <= room  # type: ignore[arg-type]
    else:
        agree = type(claimed) is type(found) and claimed == found
    if claimed is None and not agree:
        note = "nothing is claimed where there is something to claim"
    elif found is None and not agree:
        note = note or "nothing of the kind can be claimed here"
    return Check(name, claimed, found, room, "ok" if agree else "differs", note)


def demand(name: str, is_met: bool, note: str, claimed: Value = None) -> Check:
    """A rule that is met or not; `note` says which, or what is amiss."""
    return Check(name, claimed, None, 0.0, "ok" if is_met else "differs", note)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
