"""Text to a tree of plain values, by a YAML that means what it shows.

YAML 1.1 as most readers take it turns `no` into False, `1e3` into text, `12:30:00` into 45000, lets the last
of two equal keys win, and lets forty characters of aliases stand for a gigabyte. Here a plain word is text
unless it is JSON's `true`, `false` or `null` or a decimal number, and whatever else surprises is refused with
line and column. The tree is built from parser events (libyaml's where it is there), so nothing is expanded
before it is looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml

from trabecula.problem.errors import ProblemError
from trabecula.storage.reading import UnreadableError, open_regular

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
Tree = dict[str, "Tree"] | list["Tree"] | str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_text(path: Path) -> str:
    """Read a problem file's text.

    Raises
    ------
    ProblemError
        If there is no such file, if it cannot be read, is larger than 256 kB, or is not UTF-8.
    """
    name = path.name or str(path)
    try:
        if path.is_dir():
            raise ProblemError(
                name, "is a folder", "", "give the path of a problem file in it (YAML or JSON)"
            )
        if not path.is_file():
            raise ProblemError(name, "no such file", "", "give the path of a problem file (YAML or JSON)")
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except UnreadableError as error:
        raise ProblemError(name, f"cannot be read ({error.reason})") from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        if isinstance(problem, ProblemError):
            raise
        raise ProblemError(name, f"cannot be read ({problem})") from None
    if len(content) > MAX_BYTES:
        raise ProblemError(
            name, "is too large", f"at most {MAX_BYTES // 1024} kB", "describe shapes by STL files"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise ProblemError(
            name, f"byte {problem.start} is not UTF-8", "", "save the file as UTF-8 text"
        ) from None


def parse_text(text: str, kind: str = "yaml", name: str = "file") -> Tree:
    """Turn YAML or JSON text into a tree of dicts, lists, texts, numbers, bools and None.

    Parameters
    ----------
    text
        The text, at most 256 kB.
    kind
        "yaml" or "json".
    name
        What to call it in messages.

    Raises
    ------
    ProblemError
        On anything malformed, too deep or too large, on aliases, anchors, tags and keys given twice.
    """
    if len(text) > MAX_BYTES:
        raise ProblemError(name, "is too large", f"at most {MAX_BYTES // 1024} kB")
    if kind == "json":
        return _parse_json(text, name)
    try:
        return _Builder(text, name).document()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        lines = text.splitlines()
        line = lines[mark.line] if mark and mark.line < len(lines) else ""
        is_tab = "\t" in line[: len(line) - len(line.lstrip())]
        mend = "indent with blanks in place of tabs" if is_tab else "mend the YAML"
        if "\u00a0" in line:
            mend = "write plain blanks in place of non-breaking ones"
        raise ProblemError(name, f"{place}{problem.problem or 'not YAML'}", "", mend) from None
    except (yaml.YAMLError, ValueError) as problem:
        if isinstance(problem, ProblemError):
            raise
        raise ProblemError(name, f"not YAML ({str(problem).splitlines()[0]})", "", "mend the YAML") from None


class _Builder:
    """Builds the tree from parser events, one look ahead nowhere."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Tree:
        """The one document of the text."""
        tree: Tree = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document (`---`)", "one problem a file")
                tree = self._value(next(self.events), 0)
        return tree

    def _value(self, event: yaml.Event, depth: int) -> Tree:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"alias *{event.anchor}", "aliases are not allowed; write the value out")
        if getattr(event, "anchor", None) is not None:
            self._refuse(
                event,
                f"anchor &{getattr(event, 'anchor', '')}",
                "anchors are not allowed; write the values out",
            )
        if getattr(event, "tag", None) not in (None, "!"):
            self._refuse(event, f"tag {getattr(event, 'tag', '')}", "tags are not allowed; leave it out")
        if depth > MAX_DEPTH:
            self._refuse(event, "nested too deep", f"at most {MAX_DEPTH} levels")
        if isinstance(event, yaml.ScalarEvent):
            return resolve(event.value) if event.implicit[0] else str(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(depth)
        assert isinstance(event, yaml.MappingStartEvent)
        return self._mapping(depth)

    def _list(self, depth: int) -> Tree:
        items: list[Tree] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> Tree:
        items: dict[str, Tree] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(event, "a list, mapping or alias as a key", "keys are words")
            key = str(event.value)
            if key in items:
                self._refuse(event, f"key {key!r} given twice", "keep one of them")
            items[key] = self._value(next(self.events), depth + 1)
        return items

    def _refuse(self, event: yaml.Event, given: str, allowed: str) -> NoReturn:
        mark = event.start_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ProblemError(self.name, place + given, allowed)


def resolve(word: str) -> Tree:
    """What a plain (unquoted) word means: true, false, null, a decimal number, or itself."""
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.match(word):
        return int(word)
    if _NUMBER.match(word):
        return float(word)
    return word


def _parse_json(text: str, name: str) -> Tree:
    def pairs(items: list[tuple[str, Tree]]) -> Tree:
        tree: dict[str, Tree] = {}
        for key, value in items:
            if key in tree:
                raise ProblemError(name, f"key {key!r} given twice", "keep one of them")
            tree[key] = value
        return tree

    try:
        tree: Tree = json.loads(text, object_pairs_hook=pairs, parse_int=resolve)
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}: "
        raise ProblemError(name, place + problem.msg, "", "mend the JSON") from None
    except RecursionError:
        raise ProblemError(name, "nested too deep", f"at most {MAX_DEPTH} levels") from None
    _limit_depth(tree, name)
    return tree


def _limit_depth(tree: Tree, name: str) -> None:
    """Refuse what is nested deeper than a YAML file may be (level by level: no stack is deep enough)."""
    level: list[Tree] = [tree]
    for _ in range(MAX_DEPTH + 1):
        below: list[Tree] = []
        for item in level:
            below += item.values() if isinstance(item, dict) else item if isinstance(item, list) else []
        level = below
    if level:
        raise ProblemError(name, "nested too deep", f"at most {MAX_DEPTH} levels")
