"""Make the pages of the gallery from the examples: `python .ci/make_gallery.py [NAME ...]`.

Every example of `examples/gallery` is run (or only those that are named), its picture goes to
`docs/pictures/gallery`, and its docstring, the picture and the code become a page of `docs/gallery`.
`--pages` writes the pages alone. `tests/test_gallery.py` holds pages and examples together.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES, PAGES = ROOT / "examples" / "gallery", ROOT / "docs" / "gallery"
PICTURES = ROOT / "docs" / "pictures" / "gallery"

ORDER = (
    *("plain_solve", "own_loads", "load_cases", "least_volume", "pareto", "heat", "from_stl"),
    *("live_plot", "continuation", "density_from_elsewhere", "stresses", "own_quantity", "own_filter"),
)
"""The examples as the gallery shows them, the simple ones first."""

MOVING = ("live_plot",)
"""Examples whose picture is an animation."""

LARGEST = 120_000
"""Bytes of a picture."""


@dataclass(frozen=True)
class Example:
    """An example: its name, its code, and what its docstring says."""

    name: str
    code: str

    @property
    def picture(self) -> str:
        """The file name of its picture."""
        return f"{self.name}.{'gif' if self.name in MOVING else 'png'}"

    @property
    def docstring(self) -> str:
        """The whole docstring."""
        return ast.get_docstring(ast.parse(self.code)) or ""

    @property
    def title(self) -> str:
        """Its first line, without the full stop."""
        return self.docstring.partition("\n")[0].rstrip(".")

    @property
    def heading(self) -> str:
        """What it is called in lists: the title up to the colon."""
        return self.title.partition(":")[0]

    def page(self) -> str:
        """The page: title, docstring, picture, code without the docstring."""
        code = self.code.split('"""', 2)[2].strip()
        text = self.docstring.partition("\n")[2].strip()
        return (
            f"# {self.title}\n\n{text}\n\n![{self.title}](../pictures/gallery/{self.picture})\n\n"
            f"The whole script is `examples/gallery/{self.name}.py`; it takes the folder for its picture.\n\n"
            f"<!-- not run: tests/test_gallery.py runs the file itself -->\n```python\n{code}\n```\n"
        )


def examples() -> list[Example]:
    """All examples, in the order of the gallery."""
    return [Example(name, (EXAMPLES / f"{name}.py").read_text()) for name in ORDER]


def pages() -> dict[str, str]:
    """Every page of the gallery by its file name."""
    every = examples()
    rows = [
        f"- **[{each.title}]({each.name}.md)**\n\n"
        f"    [![{each.title}](../pictures/gallery/{each.picture}){{width=420}}]({each.name}.md)"
        for each in every
    ]
    index = (
        "# Gallery\n\nOne phenomenon each, in fifteen to sixty lines that run as they stand:\n\n"
        "<!-- not run: an example of a call -->\n"
        "```console\npython examples/gallery/plain_solve.py out/gallery\n```\n\n"
        '<div class="grid cards" markdown>\n\n' + "\n\n".join(rows) + "\n\n</div>\n"
    )
    return {"index.md": index} | {f"{each.name}.md": each.page() for each in every}


def draw(example: Example) -> None:
    """Run an example and keep its picture."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, EXAMPLES / f"{example.name}.py", folder], check=True)
        picture = (Path(folder) / example.picture).read_bytes()
    if len(picture) > LARGEST:
        raise SystemExit(f"{example.picture} has {len(picture)} bytes; a picture has at most {LARGEST}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / example.picture).write_bytes(picture)


def main() -> None:
    """Draw what is asked for, and write all pages."""
    names = [word for word in sys.argv[1:] if word != "--pages"]
    if unknown := [name for name in names if name not in ORDER]:
        raise SystemExit(f"there is no example {unknown[0]!r}; there are {', '.join(ORDER)}")
    if "--pages" not in sys.argv:
        for example in examples():
            if not names or example.name in names:
                print(f"{example.name}:", flush=True)
                draw(example)
    PAGES.mkdir(exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text)


if __name__ == "__main__":
    main()
