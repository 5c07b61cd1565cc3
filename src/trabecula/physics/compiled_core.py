"""The compiled core, in the newest instruction set this processor has.

`core` is loaded when it is first asked for; what keeps it from that is said by one kind of exception
wherever it happens.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    core: ModuleType


class InstructionSetError(ValueError, ImportError):
    """The environment variable TRABECULA_ISA names an instruction set that this processor has not."""


class CoreError(ImportError):
    """The compiled core is not there, or was built for another Python or another system."""


def _choose() -> ModuleType:
    """The module of the best instruction set, or of the one in TRABECULA_ISA.

    Raises
    ------
    InstructionSetError
        TRABECULA_ISA names none of this processor's.
    CoreError
        The modules cannot be loaded.
    """
    names: list[str] = _load("base").instruction_sets()
    wanted = os.environ.get("TRABECULA_ISA") or names[0]
    if wanted not in names:
        allowed = ", ".join(names)
        raise InstructionSetError(
            f"TRABECULA_ISA is {wanted[:40]!r}; this processor has {allowed}: name one of them or unset it"
        )
    return _load(wanted)


def _load(instruction_set: str) -> ModuleType:
    name = f"_core_{instruction_set}"
    try:
        return importlib.import_module(f"trabecula.{name}")
    except ImportError as error:
        reason = _reason(name, Path(__file__).parents[1], error)
    mend = f"{sys.executable} -m pip install --force-reinstall trabecula"
    raise CoreError(f"{reason}; install trabecula again with this Python: {mend}")


def _reason(name: str, folder: Path, error: ImportError) -> str:
    """Why a module cannot be loaded, from the files that are there."""
    if not isinstance(error, ModuleNotFoundError):
        return f"the compiled core {name} cannot be loaded ({error})"
    version = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
    others = sorted(
        path.name for path in folder.glob(f"{name}.*") if path.suffix in (".so", ".pyd", ".dylib")
    )
    if others:
        return f"the compiled core {others[0]} was built for another Python than this one ({version})"
    return f"the compiled core {name} is not in {folder}"


def __getattr__(name: str) -> ModuleType:
    if name != "core":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = _choose()
    globals()[name] = module
    return module
