"""How a solve was asked for, kept beside its problem so that `--resume` asks for the same."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import NoneType

from trabecula.storage import reading
from trabecula.storage.owned import Owned
from trabecula.storage.reading import UnreadableError

REQUEST = "request.json"
_LIMIT = 10_000


@dataclass(frozen=True)
class Request:
    """The arguments of `trabecula.solve` that decide which design comes out; None: the solver's default."""

    start: str | None = None
    proposals: int | None = None
    iterations: int | None = None
    tolerance: float | None = None
    leaps: bool | None = None

    def arguments(self) -> dict[str, str | int | float | bool]:
        """The given ones, as keyword arguments of `trabecula.solve`."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def over(self, earlier: Request) -> Request:
        """This request, with what it leaves open taken from an earlier one."""
        return replace(earlier, **self.arguments())  # type: ignore[arg-type]

    def write(self, folder: Owned) -> None:
        """Save into a result folder."""
        folder.write_text(REQUEST, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Request:
        """Read from a result folder; nothing was asked for where there is no such file.

        Raises
        ------
        UnreadableError
            The file is damaged.
        """
        path = folder / REQUEST
        if not path.is_file():
            return cls()
        try:
            values = json.loads(reading.read_text(path, _LIMIT))
        except ValueError as error:
            raise UnreadableError(path, "is not JSON") from error
        kinds = {"start": str, "proposals": int, "iterations": int, "tolerance": float, "leaps": bool}
        known = {each.name for each in fields(cls)}
        if not isinstance(values, dict) or set(values) - known:
            raise UnreadableError(path, f"may only hold {', '.join(sorted(known))}")
        for key, value in values.items():
            if type(value) not in (kinds[key], NoneType):
                raise UnreadableError(path, f"{key!r} is {value!r} where {kinds[key].__name__} belongs")
        return cls(**values)
