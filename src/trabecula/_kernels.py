"""The compiled core, in the newest instruction set this processor has."""

from __future__ import annotations

import importlib
import os
from types import ModuleType


def _choose() -> ModuleType:
    names = importlib.import_module("trabecula._core_base").instruction_sets()
    wanted = os.environ.get("TRABECULA_ISA") or names[0]
    if wanted not in names:
        raise ImportError(f"TRABECULA_ISA is {wanted!r}; this processor has {', '.join(names)}")
    return importlib.import_module(f"trabecula._core_{wanted}")


core = _choose()
