"""YAML that means what it shows, within limits; JSON is the same tree."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from trabecula.problem import (
    ProblemError,
    load,
    loads,
    parse,
    yaml_strict,
)
from trabecula.problem.yaml_strict import MAX_BYTES, parse_text, read_text

from .plates import PLATE, bent


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e3", 1000.0),
        ("1.0e-9", 1e-9),
        ("-.5", -0.5),
        ("4.", 4.0),
        ("+7", 7),
        ("010", 10),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("True", "True"),
        ("12:30:00", "12:30:00"),
        ("2026-01-01", "2026-01-01"),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("=", "="),
        ("y", "y"),
    ],
)
def test_a_plain_word_is_what_it_looks_like(word: str, value: object) -> None:
    read = parse_text(f"a: {word}\n")
    assert read == {"a": value}
    assert type(read["a"]) is type(value)  # type: ignore[index, call-overload]


def test_without_libyaml_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, no, 1e3, {b: true}]\nc:\n  - 'x'\n"
    fast = parse_text(text)
    monkeypatch.setattr(yaml_strict, "_LOADER", yaml.SafeLoader)
    assert parse_text(text) == fast
    for wrong in ("a: &x 1", "a: 1\na: 2", "[" * 3000, "a: [", "a: \x00"):
        with pytest.raises(ProblemError):
            parse_text(wrong)


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert parse_text("a: {<<: {b: 1}}") == {"a": {"<<": {"b": 1}}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nb: *x\n", "anchor &x"),
        ("b: *x\n", "alias *x"),
        ("a: 1\na: 2\n", "line 2, column 1: key 'a' given twice"),
        ("a: !!python/object:os.system 1\n", "tag"),
        ("a: !x [1]\n", "tag"),
        ("? [1, 2]\n: 3\n", "as a key"),
        ("a: 1\n---\nb: 2\n", "second document"),
        ("a: [1, 2\n", "line 2"),
        ("\ta: 1\n", "line 1"),
        ("a: \x00\n", "not YAML"),
        ("[" * 100, "nested too deep"),
        ("[" * 5000, "nest"),
        ("a: " + "{b: " * 100, "nested too deep"),
        ("- " * 5000, "nested too deep"),
        ("a: 'x", "line 1"),
    ],
)
def test_what_surprises_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_text(text, name="bridge.yaml")
    assert caught.value.where == "bridge.yaml"
    assert said in str(caught.value)


def test_an_alias_bomb_is_refused_before_it_is_expanded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(ProblemError, match="anchor"):
        parse_text("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', "key 'a' given twice"),
        ('{"a": }', "line 1, column 7"),
        ('{"a": ' * 2000, "nested too deep"),
        ("[" * 200_000, "nested too deep"),
        ("[" * 40 + "]" * 40, "nested too deep"),
    ],
)
def test_json_is_held_to_the_same_rules(text: str, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_text(text, "json")
    assert said in str(caught.value)


def test_json_infinities_and_endless_numbers_reach_the_reader_as_refusable_values() -> None:
    for number in ("NaN", "-Infinity", "1e999", "9" * 5000):
        text = json.dumps(bent(PLATE)).replace("6.0", number, 1)
        with pytest.raises(ProblemError, match=r"domain\.size\[0\]"):
            loads(text, "json")


def test_json_and_yaml_give_the_same_problem(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(PLATE))
    (tmp_path / "a.yaml").write_text(json.dumps(PLATE))
    assert load(tmp_path / "a.json") == load(str(tmp_path / "a.yaml")) == parse(PLATE)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + json.dumps(PLATE).encode())
    assert load(tmp_path / "a.yaml") == parse(PLATE)


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "a.yaml"
    path.write_bytes(content)
    return path


def test_files_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none.yaml", tmp_path, Path("/dev/zero"), Path("a\0b"), Path()):
        with pytest.raises(ProblemError, match=r"no such file|is a folder|cannot be read"):
            load(path)
    with pytest.raises(ProblemError, match="byte 0 is not UTF-8"):
        load(_file(tmp_path, b"\xff\xfe"))
    with pytest.raises(ProblemError, match="too large"):
        load(_file(tmp_path, b"#" * (MAX_BYTES + 1)))
    with pytest.raises(ProblemError, match="too large"):
        parse_text(" " * (MAX_BYTES + 1))

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError("not yours")

    monkeypatch.setattr("trabecula.storage.opening.os.open", refuse)
    with pytest.raises(ProblemError, match="cannot be read"):
        read_text(tmp_path / "a.yaml")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="is empty"):
        load(_file(tmp_path, b"# nothing\n"))


@pytest.mark.parametrize(
    "text",
    [
        "a" * MAX_BYTES,
        "- a\n" * (MAX_BYTES // 4),
        "a: '" + "'" * (MAX_BYTES - 10),
        '{"a":"' + "\\" * 200_000,
        "? " * 100_000,
    ],
)
def test_the_largest_texts_are_done_with_at_once(text: str) -> None:
    for kind in ("yaml", "json"):
        with contextlib.suppress(ProblemError):
            parse_text(text, kind)
