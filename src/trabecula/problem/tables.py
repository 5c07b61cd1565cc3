"""Tables of what can be named in a problem file or on the command line, and how others add to them.

A room has one table of its kind: quantities, filters, optimisers, exports. Reader, writer, command line and
schema ask the table, so that something new is one file and one line. Packages that are installed add to a
table by an entry point of its group, programs by a call of `register`, and modules that are not installed by
the same call and their names in the environment variable `TRABECULA_PLUGINS`.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")

NAME = re.compile(r"(?:[a-z]|[1-9][a-z]{2})[a-z0-9_]{0,61}\Z")
"""What a name in a table looks like: words that a problem file can hold without quotes, and that no reader
takes for a number."""

PLUGINS = "TRABECULA_PLUGINS"
"""Environment variable with names of modules, parted by commas, that add to the tables when imported."""

_IMPORTED: set[str] = set()
_IMPORTING = RLock()


class UnknownNameError(LookupError):
    """A table has no entry of that name; `names` are those it has."""

    def __init__(self, kind: str, name: str, names: tuple[str, ...]) -> None:
        self.kind, self.name, self.names = kind, name, names
        known = f"known are {', '.join(names)}" if names else "none is known"
        super().__init__(f"there is no {kind} {name!r}; {known}")


class BrokenEntryError(Exception):
    """What a package or a module adds to a table cannot be loaded, or is not what the table holds."""


def import_plugins() -> None:
    """Import the modules that `TRABECULA_PLUGINS` names, each once in a process.

    Raises
    ------
    BrokenEntryError
        If one of them cannot be imported; it is tried again the next time.
    """
    with _IMPORTING:
        for name in filter(None, (part.strip() for part in os.environ.get(PLUGINS, "").split(","))):
            if name in _IMPORTED:
                continue
            _IMPORTED.add(name)  # before it is: a module that asks a table is not imported again by that
            try:
                importlib.import_module(name)
            except (Exception, SystemExit) as error:
                _IMPORTED.discard(name)
                raise BrokenEntryError(
                    f"{PLUGINS} names the module {name!r}, which cannot be imported ({_reason(error)}); mend "
                    "it, put its folder into PYTHONPATH, or take it out of the variable"
                ) from error


def plugin_of(error: BaseException) -> str | None:
    """The module of `TRABECULA_PLUGINS` in or below whose code an exception was raised, if it is one."""
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        found = next((plugin for plugin in _IMPORTED if f"{name}.".startswith(f"{plugin}.")), found)
        trace = trace.tb_next
    return found


def _describe(entry: object) -> str:
    """What an entry says of itself on one line."""
    own = getattr(entry, "description", None)
    return own if isinstance(own, str) else (getattr(entry, "__doc__", None) or "").strip().partition("\n")[0]


def _reason(error: BaseException) -> str:
    """An exception on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


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
        Entry-point group of installed packages: "trabecula.quantities". They and the modules of
        `TRABECULA_PLUGINS` are looked for when a name is asked for that is not known yet, or when all names
        are.
    protocol
        What an entry must be, where that can be checked: a class, or a protocol that is
        `runtime_checkable`.
    """

    def __init__(self, kind: str, group: str, protocol: type | None = None) -> None:
        self.kind, self.group, self.protocol = kind, group, protocol
        self._rows: dict[str, _Row[T]] = {}
        self._places: dict[str, tuple[str, str]] = {}

    def register(self, name: str, entry: T, description: str = "") -> T:
        """Add an entry, or put it in the place of the same one; the entry itself.

        Parameters
        ----------
        name
            Lower-case letters, digits and underscores, a letter first, or one digit before two letters.
        description
            One sentence for help texts and the schema; default: the entry's own `description`, else the
            first line of its docstring.

        Raises
        ------
        ValueError
            If the name cannot be one, or is taken by another entry.
        TypeError
            If the entry is not what the table holds.
        """
        if not NAME.match(name):
            raise ValueError(
                f"{name!r} cannot name an entry of kind {self.kind}; use lower-case letters, digits and _, a "
                "letter first"
            )
        row = self._rows.get(name)
        if row is not None and row.entry is not entry and row.entry != entry:
            raise ValueError(f"the name {name!r} is taken by another {self.kind}; choose another name")
        self._check(name, entry)
        self._rows[name] = _Row(entry, description or _describe(entry))
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
        return name in self._rows or name in self._places or name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> tuple[str, ...]:
        """All names, ours first, then those of modules and of installed packages.

        Raises
        ------
        BrokenEntryError
            If a module of `TRABECULA_PLUGINS` cannot be imported.
        """
        import_plugins()
        return tuple(dict.fromkeys([*self._places, *self._rows, *self._offered()]))

    @property
    def built_in(self) -> tuple[str, ...]:
        """The names of the package's own entries that were declared, in their order: the same everywhere."""
        return tuple(self._places)

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
        """Load the entry of a name from where it is declared, or from the module or package that has it."""
        from importlib import import_module
        from importlib.metadata import entry_points

        if name in self._places:
            place, description = self._places[name]
            module, _, attribute = place.partition(":")
            self.register(name, getattr(import_module(module), attribute), description)
            return
        import_plugins()
        if name in self._rows:
            return
        for point in entry_points(group=self.group, name=name):
            try:
                self.register(name, point.load())
            except (Exception, SystemExit) as error:
                package = point.dist.name if point.dist is not None else point.value
                raise BrokenEntryError(
                    f"the {self.kind} {name!r} of the package {package} cannot be loaded ({_reason(error)}); "
                    "mend or remove that package"
                ) from error
            return

    def _check(self, name: str, entry: object) -> None:
        """Refuse what cannot be an entry; a class has the attributes of its objects and is none of them."""
        if self.protocol is None or (isinstance(entry, self.protocol) and not isinstance(entry, type)):
            return
        found = f"the class {entry.__name__}" if isinstance(entry, type) else f"a {type(entry).__name__}"
        raise TypeError(
            f"{name!r} is {found}; what is registered must be an object with the attributes of "
            f"{self.protocol.__module__}.{self.protocol.__qualname__}"
        )
