"""What the documentation shows is what the program does: blocks are run, and what is named exists."""

from __future__ import annotations

import importlib.util
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import trabecula as tb
from tests.extending import TABLES
from trabecula.cli.app import app
from trabecula.problem.physics import PHYSICS
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.yaml_strict import parse_text

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTSIDE = "<!-- not run: "


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its place among those of its language, its text."""

    page: Path
    language: str
    place: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.language}{self.place}"


def blocks(language: str) -> list[Block]:
    """All blocks of a language that no comment right before them excludes."""
    found = []
    for page in PAGES:
        text = page.read_text()
        place = 0
        for match in BLOCK.finditer(text):
            before = text[: match.start()].rstrip().splitlines()
            if match[1] == language and not (before and before[-1].startswith(OUTSIDE)):
                found.append(Block(page, language, place, match[2]))
                place += 1
    return found


def whole(page: Path) -> dict[str, Any]:
    """The first complete problem of a page."""
    for block in blocks("yaml"):
        tree = parse_text(block.text)
        if block.page == page and isinstance(tree, dict) and {"domain", "goal"} <= set(tree):
            return tree
    raise AssertionError(f"{page} shows pieces of a problem file before a whole one")


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_problem_shown_is_read_and_sound(block: Block) -> None:
    tree = parse_text(block.text)
    assert isinstance(tree, dict)
    if not {"domain", "goal"} <= set(tree):
        base = dict(whole(block.page))
        if "cases" in tree:
            del base["loads"]
        tree = {**base, **tree}
    problem = tb.parse(tree)
    assert tb.parse(parse_text(tb.dump(problem))) == problem
    from trabecula.discretisation import check, discretise

    check(problem, discretise(problem))


@pytest.mark.parametrize("page", sorted({block.page for block in blocks("python")}), ids=lambda p: p.stem)
def test_the_python_of_a_page_runs_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = next((b.text for b in blocks("yaml") if b.page == page), None)
    bridge = source or next(b.text for b in blocks("yaml") if b.page.name == "index.md")
    for name in ("bridge.yaml", "bracket.yaml"):
        (tmp_path / name).write_text(bridge.replace("[240, 40]", "[60, 10]"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks("python"):
        if block.page == page:
            exec(compile(block.text, str(block), "exec"), names)


def commands() -> list[tuple[str, list[str]]]:
    return [
        (str(block), shlex.split(line, comments=True)[1:])
        for block in blocks("console")
        for line in block.text.splitlines()
        if line.startswith("trabecula ")
    ]


@pytest.mark.parametrize(("place", "words"), commands())
def test_every_command_shown_has_the_options_it_is_shown_with(place: str, words: list[str]) -> None:
    import typer

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert words[0] in known, f"{place}: no command {words[0]}"
    options = {name for each in known[words[0]].params for name in (*each.opts, *each.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= options


def test_every_key_of_a_problem_file_is_explained() -> None:
    page = (ROOT / "docs/guide/problem-file.md").read_text()
    from dataclasses import fields

    keys = {
        "trabecula",
        "name",
        "domain",
        "material",
        "supports",
        "loads",
        "cases",
        "regions",
        "goal",
        "options",
    }
    shown = {f.name for f in fields(tb.Options)} | {f.name for f in fields(tb.Domain)} | keys
    assert not {key for key in shown if key not in page}


def test_every_promise_names_tests_and_commands_that_exist() -> None:
    page = (ROOT / "docs" / "trust.md").read_text()
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)\(", sources, re.M))
    assert set(re.findall(r"`(test_\w+)`", page)) <= defined
    files = set(re.findall(r"\btests/[\w/]+\.py", page))
    modules = {f"benchmarks/{name}.py" for name in re.findall(r"python -m benchmarks\.(\w+)", page)}
    assert files and modules
    assert [name for name in files | modules if not (ROOT / name).is_file()] == []
    rows = [line for line in page.splitlines() if line.startswith("| ") and "shown by" not in line]
    assert all("test" in row or "benchmarks" in row for row in rows)


TEXTS = [ROOT / "CONTRIBUTING.md", *PAGES]
DOTTED = re.compile(r"(?<![\w./-])(?:trabecula|benchmarks)(?:\.\w+)+")
ROOTED = re.compile(r"(?<![\w./-])(?:src|tests|benchmarks|examples|kernels)/[\w./*-]*[\w*/]")
FILE = re.compile(r"`([\w/]+\.(?:py|hpp|cpp|css))`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def groups() -> set[str]:
    """Groups of entry points, by which installed packages add to a table."""
    from trabecula.export import EXPORTS
    from trabecula.gallery import SOURCES
    from trabecula.strategy.table import STARTS

    return {table.group for table in (EXPORTS, PHYSICS, QUANTITIES, SOURCES, STARTS) if table.group}


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, something in one (a function, a class, a field), or a group."""
    if dotted in groups():
        return True
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        try:
            if importlib.util.find_spec(name) is None:
                continue
        except ModuleNotFoundError:
            continue
        found: object = importlib.import_module(name)
        for attribute in parts[length:]:
            if not hasattr(found, attribute):
                return attribute in getattr(found, "__annotations__", {})
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_in_a_page_is_one_of_the_package(page: Path) -> None:
    named = {name for name in DOTTED.findall(page.read_text()) if not name.endswith((".json", ".py"))}
    named -= {table.group for table in TABLES}  # of entry points
    assert [name for name in sorted(named) if not exists(name)] == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_named_in_a_page_is_there(page: Path) -> None:
    text = page.read_text()
    rooted = {name for name in ROOTED.findall(text) if "NAME" not in name}
    assert [name for name in sorted(rooted) if not list(ROOT.glob(name.rstrip("/")))] == []
    short = {name for name in FILE.findall(text) if not ROOTED.fullmatch(name)}
    if page.name == "CONTRIBUTING.md":  # there the files of a room stand beside it
        short = set()
    places = (ROOT, ROOT / "src" / "trabecula", ROOT / "kernels")
    assert [name for name in sorted(short) if not any((place / name).is_file() for place in places)] == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_documentation_leads_somewhere(page: Path) -> None:
    links = {link for link in LINK.findall(page.read_text()) if "://" not in link}
    assert [link for link in sorted(links) if not (page.parent / link).exists()] == []


def test_where_things_are_names_every_room_and_no_other() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    source = ROOT / "src" / "trabecula"
    rows = re.findall(r"^\| `src/trabecula/(\w+)` \|[^|]*\| ([^|]*) \|$", page, re.MULTILINE)
    rooms = sorted(path.parent.name for path in source.glob("*/__init__.py"))
    assert sorted(name for name, _ in rows) == rooms
    begin = {f"{room}/{name}" for room, files in rows for name in re.findall(r"`([\w.]+)`", files)}
    assert [name for name in sorted(begin) if not (source / name).exists()] == []


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "api" / "python.md").read_text()
    shown = re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE)
    assert [name for name in shown if not exists(name)] == []
    last = {name.rsplit(".", 1)[-1] for name in shown}
    assert set(tb.__all__) - last - {"__version__"} == set()
    networks = (ROOT / "docs" / "api" / "networks.md").read_text()
    packages = {path.parent.name for path in (ROOT / "src/trabecula/nn").glob("*/__init__.py")}
    assert set(re.findall(r"<!-- names: trabecula\.nn\.(\w+) -->", networks)) == packages


def test_every_page_has_a_place_in_the_navigation() -> None:
    settings = (ROOT / "mkdocs.yml").read_text()
    placed = set(re.findall(r"^ *- .*?([\w/-]+\.md)$", settings, re.MULTILINE))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert placed == pages


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90


def test_pictures_of_the_documentation_are_small_and_shown() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    shown = "\n".join(page.read_text() for page in PAGES)
    assert [path.name for path in pictures if path.stat().st_size > 150_000] == []
    assert [path.name for path in pictures if f"pictures/{path.name}" not in shown] == []
