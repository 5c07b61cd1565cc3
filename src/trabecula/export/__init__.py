"""HOW IT LEAVES: a design as files for printers and viewers, and as a page to read.

Everything here takes arrays and plain values, never a solver or a result, so that any density field can be
exported. Surfaces are in metres until they are written; files say or are told their unit.
"""

from trabecula.export.report import report
from trabecula.export.stl import write_stl
from trabecula.export.threemf import write_3mf
from trabecula.export.vti import write_vti

__all__ = ["report", "write_3mf", "write_stl", "write_vti"]
