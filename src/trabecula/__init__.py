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
    from trabecula.problem import (
        Domain,
        Filter,
        Goal,
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
    from trabecula.problem.nodal_loads import nodal_loads
    from trabecula.results.design_evaluation import DesignEvaluation
    from trabecula.results.result import Result
    from trabecula.solve import iterate, solve, sweep
    from trabecula.status import NoDesignError, Status
    from trabecula.strategy.evaluate import evaluate
    from trabecula.strategy.progress import Progress
    from trabecula.strategy.sweep import Sweep

from trabecula.version import VERSION as __version__

_HOME = {
    "problem": (
        "Domain",
        "Filter",
        "Goal",
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
    "problem.nodal_loads": ("nodal_loads",),
    "results.design_evaluation": ("DesignEvaluation",),
    "results.result": ("Result",),
    "solve": ("iterate", "solve", "sweep"),
    "status": ("NoDesignError", "Status"),
    "strategy.evaluate": ("evaluate",),
    "strategy.progress": ("Progress",),
    "strategy.sweep": ("Sweep",),
}
_MODULE_OF = {name: f"{__name__}.{home}" for home, names in _HOME.items() for name in names}

__all__ = [
    "DesignEvaluation",
    "Domain",
    "Filter",
    "Goal",
    "Load",
    "LoadCase",
    "Material",
    "NoDesignError",
    "Options",
    "Problem",
    "ProblemError",
    "Progress",
    "Region",
    "Result",
    "Status",
    "Support",
    "Sweep",
    "__version__",
    "dump",
    "evaluate",
    "iterate",
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
    """Keeps `trabecula.solve` the function where importing the module of that name would replace it."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "solve" and isinstance(value, ModuleType):
            value = value.solve
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
