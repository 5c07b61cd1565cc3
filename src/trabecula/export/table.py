"""The formats that a design can be written in, by name, and what a format is.

A new format is one file with an object like those below, and one line here; of a package outside, an entry
point of the group `trabecula.exports` or a call of `EXPORTS.register`.
"""

from __future__ import annotations

import re
from typing import IO, Protocol, runtime_checkable

from trabecula.export.design import Design
from trabecula.export.png import Png
from trabecula.export.report import Report
from trabecula.export.stl import StlExport
from trabecula.export.threemf import ThreeMf
from trabecula.export.vti import Vti
from trabecula.problem.tables import BrokenEntryError, Table

FILE_NAME = re.compile(r"(?:design|report)[A-Za-z0-9_-]{0,32}(?:\.[A-Za-z0-9]{1,8}){1,2}\Z")
"""What an exported file is called in a result folder, so that it meets none of the result's own files."""


@runtime_checkable
class Export(Protocol):
    """A format that a design can be written in.

    Any object with these three attributes will do, a module too.

    Attributes
    ----------
    file_name
        Name of the file in a result folder: `design` or `report`, and the suffix that the format has
        (`design.stl`).
    description
        One sentence for help texts.
    """

    file_name: str
    description: str

    def write(self, file: IO[bytes], design: Design, /) -> None:
        """Write a design into a file that is open for writing bytes, and leave it open."""


EXPORTS: Table[Export] = Table("export", "trabecula.exports", Export)
"""All formats by name."""

EXPORTS.register("stl", StlExport())
EXPORTS.register("3mf", ThreeMf())
EXPORTS.register("vti", Vti())
EXPORTS.register("png", Png())
EXPORTS.register("report", Report())


def find_export(name: str) -> Export:
    """The format of a name, with a file name that may be written.

    Raises
    ------
    UnknownNameError
        If there is none.
    BrokenEntryError
        If a package or a module has it and it cannot be used.
    """
    export = EXPORTS[name]
    if not (isinstance(export.file_name, str) and FILE_NAME.match(export.file_name)):
        raise BrokenEntryError(
            f"the export {name!r} would write a file {export.file_name!r}; the name must be `design` or "
            "`report` and a suffix, such as design.obj; mend the package or module that has it"
        )
    return export


def write_export(name: str, file: IO[bytes], design: Design) -> None:
    """Write a design in the format of a name.

    Raises
    ------
    UnknownNameError
        If there is none.
    BrokenEntryError
        If a format from outside this package fails.
    OSError
        If the file cannot be written.
    """
    export = find_export(name)
    try:
        export.write(file, design)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if type(export).__module__.startswith("trabecula."):
            raise
        raise BrokenEntryError(
            f"the export {name!r} failed ({type(error).__name__}: {' '.join(str(error).split())}); mend the "
            "package or module that has it"
        ) from error
