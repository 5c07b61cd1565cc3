"""Trabecula: topology optimisation where a real solver finishes and a certificate proves what was reached.

```python
import trabecula as tb

problem = tb.load("bridge.yaml")
result = tb.solve(problem)
result.save("out/bridge")
```

Importing the package is cheap: every public name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trabecula.design.filters.base import Filter, FilterKind
    from trabecula.design.interpolation import Interpolation
    from trabecula.export.table import EXPORTS, Export
    from trabecula.gallery.draw import gallery
    from trabecula.gallery.ground import SOURCES, Draw, Ground, Source
    from trabecula.gallery.record import Gallery, GalleryDesign
    from trabecula.optimizers.protocol import Optimizer
    from trabecula.part.record import Part
    from trabecula.physics.machine import Machine
    from trabecula.problem import (
        Domain,
        FilterOptions,
        Goal,
        Hole,
        Load,
        LoadCase,
        Material,
        Options,
        Problem,
        ProblemError,
        Region,
        Support,
        dump,
        load,
        parse,
        problems,
        where,
    )
    from trabecula.problem.design_tables import FILTERS, INTERPOLATIONS, OPTIMIZERS
    from trabecula.problem.keyed import key
    from trabecula.problem.model import Limit
    from trabecula.problem.nodal_loads import nodal_loads
    from trabecula.problem.physics import PHYSICS, Physics
    from trabecula.problem.quantities import QUANTITIES
    from trabecula.problem.starts import STARTS
    from trabecula.responses.design_point import DesignPoint
    from trabecula.responses.quantity import Quantity
    from trabecula.results.design_evaluation import DesignEvaluation
    from trabecula.results.result import Result
    from trabecula.solve import Iteration, iterate, solve, sweep
    from trabecula.status import NoDesignError, Status
    from trabecula.strategy.evaluate import evaluate
    from trabecula.strategy.progress import Progress
    from trabecula.strategy.sweep import Sweep
    from trabecula.strategy.table import Start

from trabecula.version import VERSION as __version__

_HOME = {
    "design.filters.base": ("Filter", "FilterKind"),
    "design.interpolation": ("Interpolation",),
    "export.table": ("EXPORTS", "Export"),
    "gallery.draw": ("gallery",),
    "gallery.ground": ("SOURCES", "Draw", "Ground", "Source"),
    "gallery.record": ("Gallery", "GalleryDesign"),
    "optimizers.protocol": ("Optimizer",),
    "part.record": ("Part",),
    "physics.machine": ("Machine",),
    "problem": (
        "Domain",
        "FilterOptions",
        "Goal",
        "Hole",
        "Load",
        "LoadCase",
        "Material",
        "Options",
        "Problem",
        "ProblemError",
        "Region",
        "Support",
        "dump",
        "load",
        "parse",
        "problems",
        "where",
    ),
    "problem.design_tables": ("FILTERS", "INTERPOLATIONS", "OPTIMIZERS"),
    "problem.keyed": ("key",),
    "problem.model": ("Limit",),
    "problem.nodal_loads": ("nodal_loads",),
    "problem.physics": ("PHYSICS", "Physics"),
    "problem.quantities": ("QUANTITIES",),
    "responses.design_point": ("DesignPoint",),
    "responses.quantity": ("Quantity",),
    "results.design_evaluation": ("DesignEvaluation",),
    "results.result": ("Result",),
    "solve": ("Iteration", "iterate", "solve", "sweep"),
    "status": ("NoDesignError", "Status"),
    "strategy.evaluate": ("evaluate",),
    "strategy.progress": ("Progress",),
    "problem.starts": ("STARTS",),
    "strategy.table": ("Start",),
    "strategy.sweep": ("Sweep",),
}
_MODULE_OF = {name: f"{__name__}.{home}" for home, names in _HOME.items() for name in names}

__all__ = [
    "EXPORTS",
    "FILTERS",
    "INTERPOLATIONS",
    "OPTIMIZERS",
    "PHYSICS",
    "QUANTITIES",
    "SOURCES",
    "STARTS",
    "DesignEvaluation",
    "DesignPoint",
    "Domain",
    "Draw",
    "Export",
    "Filter",
    "FilterKind",
    "FilterOptions",
    "Gallery",
    "GalleryDesign",
    "Goal",
    "Ground",
    "Hole",
    "Interpolation",
    "Iteration",
    "Limit",
    "Load",
    "LoadCase",
    "Machine",
    "Material",
    "NoDesignError",
    "Optimizer",
    "Options",
    "Part",
    "Physics",
    "Problem",
    "ProblemError",
    "Progress",
    "Quantity",
    "Region",
    "Result",
    "Source",
    "Start",
    "Status",
    "Support",
    "Sweep",
    "__version__",
    "dump",
    "evaluate",
    "gallery",
    "iterate",
    "key",
    "load",
    "nodal_loads",
    "parse",
    "problems",
    "solve",
    "sweep",
    "where",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps `trabecula.solve` and `trabecula.gallery` functions where importing the modules of those names
    would replace them."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("gallery", "solve") and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
