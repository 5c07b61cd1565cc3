"""WHAT IS HANDED ON: a design as a surface, as voxels, as a picture and as a page to read.

Everything here takes arrays and plain values, never a solver or a result, so that any density field can be
exported.
Surfaces are in metres until they are written; files say or are told their unit. Each is loaded when it is
first used: a picture of a plane design needs no surface.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trabecula.export.mesh import Mesh
    from trabecula.export.picture import picture
    from trabecula.export.report import report
    from trabecula.export.stl import write_stl
    from trabecula.export.surface import surface
    from trabecula.export.threemf import write_3mf
    from trabecula.export.vti import write_vti

__all__ = ["Mesh", "picture", "report", "surface", "write_3mf", "write_stl", "write_vti"]

_HOME = {"Mesh": "mesh", "write_stl": "stl", "write_3mf": "threemf", "write_vti": "vti"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME.get(name, name)}"), name)
    globals()[name] = value
    return value


class _Room(ModuleType):
    """Keeps `picture`, `report` and `surface` the functions where importing their modules would replace
    them."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in __all__ and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Room
