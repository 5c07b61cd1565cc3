"""The compiled core, in the newest instruction set this processor has."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from trabecula import _core_base


def _choose() -> ModuleType:
    wanted = os.environ.get("TRABECULA_ISA")
    names = [wanted] if wanted else _core_base.instruction_sets()
    return importlib.import_module(f"trabecula._core_{names[0]}")


core = _choose()
