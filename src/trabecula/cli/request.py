"""How a solve was asked for, kept beside its problem so that `--resume` asks for the same."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from trabecula.storage import reading
from trabecula.storage.owned import Owned
from trabecula.storage.reading import CheckedRecord, UnreadableError, shorten

REQUEST = "request.json"
_LIMIT = 10_000
_TOLERANCES = (math.nextafter(0.0, 1.0), math.nextafter(1.0, 0.0))
"""The least and the largest number between 0 and 1."""


@dataclass(frozen=True)
class SavedRequest:
    """The arguments of `trabecula.solve` that decide which design comes out; None: the solver's default."""

    start: str | None = None
    proposals: int | None = None
    iterations: int | None = None
    tolerance: float | None = None
    leaps: bool | None = None

    def arguments(self) -> dict[str, str | int | float | bool]:
        """The given ones, as keyword arguments of `trabecula.solve`."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def over(self, earlier: SavedRequest) -> SavedRequest:
        """This request, with what it leaves open taken from an earlier one."""
        return replace(earlier, **self.arguments())  # type: ignore[arg-type]

    def write(self, folder: Owned) -> None:
        """Save into a result folder."""
        folder.write_text(REQUEST, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> SavedRequest:
        """Read from a result folder: `request.json`, else what the checkpoints there were asked for.

        Raises
        ------
        UnreadableError
            The file is damaged, or there is neither.
        """
        path = folder / REQUEST
        if os.path.lexists(path):
            return _check(path, reading.read_json(path, _LIMIT))
        from trabecula.optimize.checkpoint_format import read_record
        from trabecula.results.result_folder import CHECKPOINT

        for kept in sorted((folder / CHECKPOINT).glob("*.npz")):
            request = read_record(kept).asked.request
            if request is not None:
                return _check(kept, request)
        raise UnreadableError(
            path,
            "does not exist, so it is not known how the solve was asked for; solve again without --resume",
        )


def _check(path: Path, values: Mapping[str, object]) -> SavedRequest:
    """A request from what a file says, every value one that `trabecula solve` would take."""
    held = CheckedRecord(path, values)
    held.only(*(each.name for each in fields(SavedRequest)))

    def is_given(key: str) -> bool:
        return held.values[key] is not None

    start = held.text("start") if is_given("start") else None
    from trabecula.problem.starts import STARTS

    if start is not None and start not in STARTS:
        raise UnreadableError(path, f"'start' is {shorten(start)}, which is none of {', '.join(STARTS)}")
    return SavedRequest(
        start=start,
        proposals=held.whole("proposals", 1, 10_000) if is_given("proposals") else None,
        iterations=held.whole("iterations", 1) if is_given("iterations") else None,
        tolerance=held.real("tolerance", *_TOLERANCES) if is_given("tolerance") else None,
        leaps=held.take("leaps", bool) if is_given("leaps") else None,
    )
