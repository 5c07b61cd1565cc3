"""What is wrong with a problem, said so that it can be mended."""

from __future__ import annotations

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
    """Something that does not stop a solve but that the user should know: the key and one sentence."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"
