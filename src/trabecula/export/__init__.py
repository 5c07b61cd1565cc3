"""HOW IT LEAVES: a design as files for printers and viewers, and as a page to read.

Everything here takes arrays and plain values, never a solver or a result, so that any density field can be
exported. `EXPORTS` holds the formats by name, `Export` says what a format is, and `Design` what it is given.
Surfaces are in metres until they are written; files say or are told their unit.
"""

from trabecula.export.design import Conditions, Design
from trabecula.export.report import report
from trabecula.export.stl import write_stl
from trabecula.export.table import EXPORTS, Export, find_export, write_export
from trabecula.export.threemf import write_3mf
from trabecula.export.vti import write_vti

__all__ = [
    "EXPORTS",
    "Conditions",
    "Design",
    "Export",
    "find_export",
    "report",
    "write_3mf",
    "write_export",
    "write_stl",
    "write_vti",
]
