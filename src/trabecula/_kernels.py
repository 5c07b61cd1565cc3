"""The compiled core, in the newest instruction set this processor has."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

# Idle threads of the OpenMP runtime wait by spinning for milliseconds unless told otherwise; on a machine
# that does other work too that takes the processor from those with something to do. Read once, at loading.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from trabecula import _core_base


def _choose() -> ModuleType:
    wanted = os.environ.get("TRABECULA_ISA")
    names = [wanted] if wanted else _core_base.instruction_sets()
    return importlib.import_module(f"trabecula._core_{names[0]}")


core = _choose()
