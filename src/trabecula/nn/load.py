"""Objects by name, `module:name`, as a command line gives them; the current directory is on the path."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from torch import nn


def load_object(name: str) -> object:
    """Find what `module:name` names; importing the module runs its code.

    Parameters
    ----------
    name
        Dotted name of a module, a colon, and a name inside it (dots reach into classes):
        `mymodels:Small`, `package.models:build`. Modules in the current directory are found.

    Raises
    ------
    ValueError
        Where the name is not of that form, the module cannot be imported or has no such name: one message.
    """
    module_name, colon, inside = name.partition(":")
    parts = inside.split(".")
    if not colon or not module_name or not all(part.isidentifier() for part in parts):
        raise ValueError(f"'{name}': write module:name, for example mymodels:Student")
    if module_name.endswith(".py") or not all(part.isidentifier() for part in module_name.split(".")):
        raise ValueError(
            f"'{name}': '{module_name}' is no module name; write mymodels, not mymodels.py or a path"
        )
    module = _import_module(name, module_name)
    found: object = module
    for part in parts:
        if not hasattr(found, part):
            raise ValueError(f"'{name}': {module_name} has no '{inside}'{_others(module)}")
        found = getattr(found, part)
    return found


def need_torch() -> None:
    """Refuse to go on without torch.

    Raises
    ------
    ValueError
        Where it is not installed, with what to install.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise ValueError("networks need torch: pip install 'trabecula[learn]'") from None


def load_model(name: str) -> nn.Module:
    """Make the network that `module:name` names.

    A class is instantiated and a function called, both without arguments; an instance is taken as it is.

    Raises
    ------
    ValueError
        As `load_object`; where torch is missing, the call fails, or what comes is no `torch.nn.Module`.
    """
    need_torch()
    from torch import nn

    found = load_object(name)
    if isinstance(found, nn.Module):
        return found
    if not callable(found):
        raise ValueError(
            f"'{name}' is {_a(found)}, not a torch.nn.Module, nor a class or function that makes one"
        )
    try:
        made = found()
    except Exception as error:
        needs = _arguments(found)
        hint = f"; it is called without arguments, and it takes {needs}" if needs else ""
        raise ValueError(f"'{name}' cannot be made: {_message(error)}{hint}") from error
    if not isinstance(made, nn.Module):
        raise ValueError(f"'{name}' makes {_a(made)}, not a torch.nn.Module")
    return made


def _import_module(name: str, module_name: str) -> ModuleType:
    _add_current_directory()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing == module_name or module_name.startswith(f"{missing}."):
            raise ValueError(f"'{name}': there is no module '{missing}', here or installed") from None
        raise ValueError(
            f"'{name}': {module_name} needs the module '{missing}', which is not here"
        ) from error
    except (Exception, SystemExit) as error:  # a script without a guard may leave with sys.exit
        raise ValueError(f"'{name}': {module_name} cannot be imported: {_message(error)}") from error


def _add_current_directory() -> None:
    """The current directory first on the path, for good: what was loaded may import from it later."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    importlib.invalidate_caches()


def _others(module: ModuleType) -> str:
    """Names of the module's own that may have been meant."""
    own = [
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return f"; it has {', '.join(sorted(own)[:12])}" if own else ""


def _arguments(found: object) -> str:
    """Names of the arguments that must be given, as text."""
    try:
        parameters = inspect.signature(found).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return ", ".join(p.name for p in parameters if p.default is p.empty and p.kind not in kinds)


def _a(found: object) -> str:
    kind = type(found).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def _message(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
