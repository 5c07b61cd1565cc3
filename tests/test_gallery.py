"""Every example of the gallery runs and draws its picture; the pages show the examples as they are."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples" / "gallery").glob("*.py"))
SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".gif": b"GIF89a"}


def load_maker() -> ModuleType:
    path = ROOT / ".ci" / "make_gallery.py"
    spec = importlib.util.spec_from_file_location("make_gallery", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_gallery"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


MAKER = load_maker()


def test_the_gallery_shows_every_example() -> None:
    assert sorted(MAKER.ORDER) == [path.stem for path in EXAMPLES]
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("example", MAKER.examples(), ids=lambda example: example.name)
def test_an_example_runs_and_draws_its_picture(example: object, tmp_path: Path) -> None:
    name, picture = example.name, example.picture  # type: ignore[attr-defined]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "examples" / "gallery" / f"{name}.py"), str(tmp_path / "made")]
    ended = subprocess.run(
        command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "" and ended.stdout
    drawn = (tmp_path / "made" / picture).read_bytes()
    assert drawn.startswith(SIGNATURES[Path(picture).suffix])
    assert 2_000 < len(drawn) <= MAKER.LARGEST
    assert [path.name for path in tmp_path.iterdir()] == ["made"], "writes where it was told to only"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_explains_itself(path: Path) -> None:
    example = MAKER.Example(path.stem, path.read_text())
    lines = example.code.split('"""', 2)[2].strip().splitlines()
    assert 15 <= len(lines) <= 60
    assert len(example.docstring.split()) > 50, "the phenomenon"
    assert re.match(r"[A-Z].*[.?]$", example.docstring.partition("\n")[0]), "a title"


def test_the_pages_are_those_of_the_examples() -> None:
    written = {path.name: path.read_text() for path in (ROOT / "docs" / "gallery").glob("*.md")}
    assert written == MAKER.pages(), "run python .ci/make_gallery.py --pages"


def test_every_picture_of_the_gallery_is_there_and_small() -> None:
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs" / "pictures" / "gallery").iterdir()}
    assert set(pictures) == {example.picture for example in MAKER.examples()}
    assert max(pictures.values()) <= MAKER.LARGEST


def test_every_page_of_the_gallery_is_in_the_navigation_by_its_heading() -> None:
    settings = (ROOT / "mkdocs.yml").read_text()
    lines = [f"      - {example.heading}: gallery/{example.name}.md" for example in MAKER.examples()]
    assert "\n".join(["  - Gallery:", "      - gallery/index.md", *lines]) + "\n" in settings
