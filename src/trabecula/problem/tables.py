"""Tables of what can be named in a problem file or on the command line, and how others add to them.

A room has one table of its kind: quantities, filters, optimisers, exports. Reader, writer, command line and
schema ask the table, so that something new is one file and one line. Packages that are installed add to a
table by an entry point of its group, programs by a call of `register`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
"""What a name in a table looks like: words a problem file can hold without quotes."""


class UnknownNameError(LookupError):
    """A table has no entry of that name; `names` are those it has."""

    def __init__(self, kind: str, name: str, names: tuple[str, ...]) -> None:
        self.kind, self.name, self.names = kind, name, names
        super().__init__(f"there is no {kind} {name!r}; there are {', '.join(names)}")


class BrokenEntryError(Exception):
    """An installed package names an entry that cannot be loaded, or that is none of its kind."""


@dataclass(frozen=True)
class _Row(Generic[T]):
    entry: T
    description: str


class Table(Generic[T]):
    """Entries of one kind by name.

    Parameters
    ----------
    kind
        What an entry is, in the singular, for messages: "quantity".
    group
        Entry-point group of installed packages: "trabecula.quantities". They are looked for when a name is
        asked for that is not known yet, or when all names are.
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind, self.group = kind, group
        self._rows: dict[str, _Row[T]] = {}
        self._places: dict[str, tuple[str, str]] = {}

    def register(self, name: str, entry: T, description: str = "") -> T:
        """Add an entry, or put it in the place of the same one; the entry itself.

        Parameters
        ----------
        name
            Lower-case letters, digits and underscores, a letter first.
        description
            One sentence for help texts and the schema; default: the first line of the entry's docstring.

        Raises
        ------
        ValueError
            If the name cannot be one, or is taken by another entry.
        """
        if not NAME.match(name):
            raise ValueError(f"{name!r} cannot name a {self.kind}; use lower-case letters, digits and _")
        row = self._rows.get(name)
        if row is not None and row.entry is not entry and row.entry != entry:
            raise ValueError(f"there is a {self.kind} {name!r} already; choose another name")
        first_line = (getattr(entry, "__doc__", None) or "").strip().partition("\n")[0]
        self._rows[name] = _Row(entry, description or first_line)
        return entry

    def declare(self, name: str, place: str, description: str) -> None:
        """Add an entry that is imported when it is first asked for.

        Parameters
        ----------
        place
            Module and attribute, "package.module:attribute".
        description
            One sentence for help texts and the schema.
        """
        self._places[name] = (place, description)

    def __getitem__(self, name: str) -> T:
        """The entry of a name.

        Raises
        ------
        UnknownNameError
            If there is none.
        BrokenEntryError
            If an installed package has one that cannot be loaded.
        """
        if name not in self._rows:
            self._load(name)
        if name not in self._rows:
            raise UnknownNameError(self.kind, name, self.names())
        return self._rows[name].entry

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> tuple[str, ...]:
        """All names, ours first, then those of installed packages."""
        return tuple(dict.fromkeys([*self._places, *self._rows, *self._offered()]))

    def description(self, name: str) -> str:
        """One sentence on an entry; raises as `__getitem__`."""
        if name in self._places:
            return self._places[name][1]
        self[name]
        return self._rows[name].description

    def _offered(self) -> list[str]:
        """Names that installed packages have for the table, loaded or not."""
        from importlib.metadata import entry_points

        return sorted(point.name for point in entry_points(group=self.group))

    def _load(self, name: str) -> None:
        """Load the entry of a name from the package that offers it, where one does."""
        from importlib import import_module
        from importlib.metadata import entry_points

        if name in self._places:
            place, description = self._places[name]
            module, _, attribute = place.partition(":")
            self.register(name, getattr(import_module(module), attribute), description)
            return
        for point in entry_points(group=self.group, name=name):
            try:
                entry = point.load()
            except Exception as error:
                package = point.dist.name if point.dist is not None else point.value
                raise BrokenEntryError(
                    f"the {self.kind} {name!r} of the package {package} cannot be loaded ({error}); "
                    "mend or remove that package"
                ) from error
            self.register(name, entry)
            return
