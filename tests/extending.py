"""The examples of parts of one's own, imported as a user's modules, and taken out of the tables again."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

import trabecula as tb

FOLDER = Path(__file__).parents[1] / "examples" / "extending"
TABLES = (
    *(tb.EXPORTS, tb.FILTERS, tb.INTERPOLATIONS, tb.OPTIMIZERS, tb.PHYSICS, tb.QUANTITIES),
    tb.STARTS,
)
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@contextmanager
def examples(*names: str) -> Iterator[dict[str, ModuleType]]:
    """Import examples by their names; when it ends, the tables are as they were."""
    with pytest.MonkeyPatch.context() as patch:
        for table in TABLES:
            patch.setattr(table, "_rows", dict(table._rows))
        for name in names:
            patch.delitem(sys.modules, f"example_{name}", raising=False)
        try:
            yield {name: load(name) for name in names}
        finally:
            for name in names:
                sys.modules.pop(f"example_{name}", None)


def load(name: str) -> ModuleType:
    """Import one example, which registers its part."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module
