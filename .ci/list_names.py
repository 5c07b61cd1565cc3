"""A hook of mkdocs: lists what a package offers, each name with the first sentence of its documentation.

A page says `<!-- names: trabecula.nn.blocks -->` where the list shall stand. Sources are read, not imported.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import griffe

SOURCE = Path(__file__).parent.parent / "src"
MARKER = re.compile(r"<!-- names: ([\w.]+) -->")


@functools.cache
def _sources() -> griffe.Module:
    module = griffe.load("trabecula", search_paths=[SOURCE])
    assert isinstance(module, griffe.Module)
    return module


def _names(package: str) -> str:
    module = _sources()[package.removeprefix("trabecula.")]
    lines = ["| name | what it is |", "|---|---|"]
    for name in module.exports or ():
        member = module[str(name)]
        found = member.final_target if member.is_alias else member
        if found.docstring is None:
            said = f"`{found.value}`" if found.is_attribute and len(str(found.value)) < 60 else ""
        else:
            said = " ".join(found.docstring.value.split("\n\n")[0].split())
        lines.append(f"| `{name}` | {said.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the lists in the places of their markers."""
    return MARKER.sub(lambda match: _names(match[1]), markdown)
