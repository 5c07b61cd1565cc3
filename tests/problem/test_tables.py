"""Tables: names are held, others may add to them, and nothing broken goes further than one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import pytest

from trabecula.problem import tables
from trabecula.problem.tables import BrokenEntryError, Table, UnknownNameError


@runtime_checkable
class Tool(Protocol):
    """What the table of the tests holds."""

    weight: float


class Hammer:
    """Drives nails.

    And pulls them.
    """

    weight = 0.5


Package = Callable[..., None]


@pytest.fixture
def table() -> Table[Tool]:
    found: Table[Tool] = Table("tool", "trabecula.tests_tools", Tool)
    found.register("hammer", Hammer())
    return found


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Put an installed package on the path: a module with a text, and entry points of the table's group."""

    def install(module: str, text: str, **points: str) -> None:
        (tmp_path / f"{module}.py").write_text(text)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        lines = "".join(f"{name} = {target}\n" for name, target in points.items())
        (info / "entry_points.txt").write_text(f"[trabecula.tests_tools]\n{lines}")

    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield install
    for name in set(sys.modules) - before:
        if name.startswith("a_tool"):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tables.PLUGINS, raising=False)
    monkeypatch.setattr(tables, "_IMPORTED", set())


def test_an_entry_is_found_by_its_name_with_its_description(table: Table[Tool]) -> None:
    assert table["hammer"].weight == 0.5
    assert table.description("hammer") == "Drives nails."
    table.register("saw", Hammer(), "Cuts wood.")
    assert table.description("saw") == "Cuts wood."
    told = Hammer()
    told.description = "Of its own."
    other: Table[Tool] = Table("tool", "trabecula.none")
    other.register("told", told)
    assert other.description("told") == "Of its own."
    assert table.names() == tuple(table) == ("hammer", "saw")
    assert "saw" in table and "nail" not in table


def test_an_unknown_name_is_told_those_there_are(table: Table[Tool]) -> None:
    with pytest.raises(UnknownNameError, match="there is no tool 'sew'; known are hammer") as caught:
        table["sew"]
    assert caught.value.names == ("hammer",)
    empty: Table[Tool] = Table("tool", "trabecula.tests_none")
    with pytest.raises(UnknownNameError, match="there is no tool 'saw'; none is known"):
        empty["saw"]


def test_the_same_entry_may_come_twice_and_another_may_not(table: Table[Tool]) -> None:
    one = table["hammer"]
    assert table.register("hammer", one) is one
    with pytest.raises(ValueError, match="the name 'hammer' is taken by another tool"):
        table.register("hammer", Hammer())
    assert table["hammer"] is one


@pytest.mark.parametrize("name", ["a", "saw", "saw_2", "3mf", "x" * 60])
def test_names_are_plain_words(table: Table[Tool], name: str) -> None:
    table.register(name, Hammer())
    assert name in table


@pytest.mark.parametrize(
    "name", ["", "Saw", "2", "1e5", "0x1f", "0xff", "2_", "a b", "a-b", "ä", "x" * 64, "saw\n"]
)
def test_what_a_file_would_read_otherwise_is_no_name(table: Table[Tool], name: str) -> None:
    with pytest.raises(ValueError, match="cannot name an entry of kind tool"):
        table.register(name, Hammer())


@pytest.mark.parametrize("other", [object(), Hammer, 3])
def test_what_is_no_entry_is_refused(table: Table[Tool], other: object) -> None:
    with pytest.raises(TypeError, match=r"must be an object with the attributes of \S+Tool"):
        table.register("other", other)  # type: ignore[arg-type]
    assert "other" not in table


def test_a_package_adds_by_an_entry_point_and_is_loaded_only_when_asked(
    table: Table[Tool], package: Package
) -> None:
    package("a_tool", '"""Saws."""\nclass S:\n    "Cuts."\n    weight = 2\nsaw = S()\n', saw="a_tool:saw")
    assert table.names() == ("hammer", "saw")
    assert table["hammer"].weight == 0.5
    assert "a_tool" not in sys.modules, "its name is known, and nothing of it was loaded"
    assert table["saw"].weight == 2
    assert "a_tool" in sys.modules
    assert table["saw"] is table["saw"]
    assert table.description("saw") == "Cuts."


@pytest.mark.parametrize(
    ("text", "target", "reason"),
    [
        ("raise RuntimeError('no\\nluck')", "a_tool:saw", "RuntimeError: no luck"),
        ("import nothing_of_that_name", "a_tool:saw", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "a_tool:saw", "SystemExit: 3"),
        ("x = 1", "a_tool:saw", "AttributeError"),
        ("saw = 1", "a_tool:saw", "TypeError: 'saw' is a int"),
        ("class saw: weight = 1", "a_tool:saw", "TypeError: 'saw' is the class saw"),
    ],
)
def test_a_broken_package_is_one_sentence_that_names_it(
    table: Table[Tool], package: Package, text: str, target: str, reason: str
) -> None:
    package("a_tool", text, saw=target)
    assert table["hammer"], "what is sound goes on working"
    for _ in range(2):
        with pytest.raises(BrokenEntryError) as caught:
            table["saw"]
        message = str(caught.value)
        assert "the tool 'saw' of the package a_tool cannot be loaded" in message
        assert reason in message and "\n" not in message


def plugin(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


REGISTER = "import a_tool_table\na_tool_table.table.register({name!r}, a_tool_table.Hammer())\n"


@pytest.fixture
def shared(
    table: Table[Tool], package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Table[Tool]:
    """The table where a plugin can import it, and plugins that count how often they are imported."""
    plugin(tmp_path, "a_tool_table", "count = []\n")
    import a_tool_table

    a_tool_table.table, a_tool_table.Hammer = table, Hammer
    for name in ("saw", "axe"):
        plugin(
            tmp_path,
            f"a_tool_{name}",
            "import a_tool_table\na_tool_table.count.append(1)\n" + REGISTER.format(name=name),
        )
    monkeypatch.setenv(tables.PLUGINS, " a_tool_saw, ,a_tool_axe,")
    return table


def test_modules_of_the_variable_add_once_and_only_when_needed(shared: Table[Tool]) -> None:
    import a_tool_table

    assert shared["hammer"] and "hammer" in shared
    assert a_tool_table.count == []
    assert shared["axe"].weight == 0.5
    assert shared.names() == ("hammer", "saw", "axe")
    with pytest.raises(UnknownNameError, match="hammer, saw, axe"):
        shared["drill"]
    assert a_tool_table.count == [1, 1]


def test_all_names_bring_the_modules_in_too(shared: Table[Tool]) -> None:
    assert list(shared) == ["hammer", "saw", "axe"]


def test_a_module_that_asks_a_table_itself_is_imported_once(
    shared: Table[Tool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, "a_tool_asks", "import a_tool_table as t\nt.count.append(len(t.table.names()))\n")
    monkeypatch.setenv(tables.PLUGINS, "a_tool_asks")
    assert shared.names() == ("hammer",)
    import a_tool_table

    assert a_tool_table.count == [1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def", "SyntaxError"),
        ("raise SystemExit", "SystemExit"),
        (REGISTER.format(name="hammer"), "the name 'hammer' is taken by another tool"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_sentence(
    shared: Table[Tool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, reason: str
) -> None:
    if text is not None:
        plugin(tmp_path, "a_tool_bad", text)
    monkeypatch.setenv(tables.PLUGINS, "a_tool_bad")
    assert shared["hammer"], "nobody asked for it"
    for ask in (lambda: shared["saw"], shared.names):
        with pytest.raises(BrokenEntryError) as caught:
            ask()
        message = str(caught.value)
        assert "TRABECULA_PLUGINS names the module 'a_tool_bad'" in message
        assert reason in message and "\n" not in message
