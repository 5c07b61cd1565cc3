"""What is wrong with a problem, said so that it can be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ProblemError(ValueError):
    """A problem that cannot be solved as it is stated.

    Parameters
    ----------
    where
        The key, as in the file: `loads[0].where`.
    given
        What was found there.
    allowed
        What would be accepted.
    mend
        What to write instead.
    """

    def __init__(self, where: str, given: str, allowed: str = "", mend: str = "") -> None:
        self.where = where
        self.given = given
        self.allowed = allowed
        self.mend = mend
        said = "; ".join(part for part in (given, allowed, mend) if part)
        super().__init__(f"{where}: {said}" if where else said)

    def __reduce__(self) -> tuple[type[ProblemError], tuple[str, str, str, str]]:
        return type(self), (self.where, self.given, self.allowed, self.mend)


@dataclass(frozen=True)
class Caution:
    """Something that does not stop a solve but that the user should know: the key and one sentence.

    Attributes
    ----------
    where
        The key, as in the file; of several things of one kind the first, and how many others there are.
    message
        What is the matter.
    count
        How many things of one kind it stands for.
    """

    where: str
    message: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def name_first(places: Sequence[str]) -> str:
    """The first of several places and how many others there are: `loads[0] and 311 others`."""
    first, *others = places
    if not others:
        return first
    return f"{first} and {others[0] if len(others) == 1 else f'{len(others)} others'}"
