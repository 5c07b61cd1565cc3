"""The compiled core, in the newest instruction set this processor has."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

# Idle threads of the OpenMP runtime wait by spinning for milliseconds unless told otherwise; on a machine
# that does other work too that takes the processor from those with something to do. Read once, at loading.
os.environ.setdefault("GOMP_SPINCOUNT", "100000")

from trabecula import _core_base


def _choose() -> ModuleType:
    names = _core_base.instruction_sets()
    wanted = os.environ.get("TRABECULA_ISA") or names[0]
    if wanted not in names:
        raise ImportError(f"TRABECULA_ISA is {wanted!r}; this processor has {', '.join(names)}")
    return importlib.import_module(f"trabecula._core_{wanted}")


core = _choose()
