"""The history of a solve as CSV: written for spreadsheets, read with limits on rows, columns and lengths."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trabecula.storage.opening import (
    UnreadableError,
    explaining,
    read_text,
    shorten,
)

Row = Mapping[str, float | int | str]
"""One line of the history: what an iteration measured."""

ROWS, COLUMNS, VALUES, LINE = 100_000, 64, 1_500_000, 4096
"""Rows, columns, values in all, and characters of a line that are read at most."""

LARGEST = 32_000_000
"""Bytes of a table at most."""

_TITLE = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]{0,63}")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?|[-+]?(?:inf|nan)")


def format_history(rows: Sequence[Row]) -> str:
    """History rows as CSV with a header; a value that a row lacks is empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_history(path: Path) -> list[dict[str, float | int | str]]:
    """Read the rows that `format_history` wrote.

    Raises
    ------
    UnreadableError
        The file is missing, no regular file, or no such table; or it has too many rows or columns.
    """
    return parse_history(read_text(path, LARGEST), path)


def parse_history(text: str, path: Path = Path("history.csv")) -> list[dict[str, float | int | str]]:
    """The inverse of `format_history`; `path` is where the text comes from, for messages.

    Raises
    ------
    UnreadableError
        The text is no such table, or has too many rows or columns.
    """
    if text.count("\n") > ROWS + 1:
        raise UnreadableError(path, f"has more than {ROWS} rows")
    with explaining(path, "table"):
        rows = csv.reader(_lines(text, path), strict=True)
        titles = next(rows, [])
        if len(titles) > COLUMNS or len(set(titles)) != len(titles):
            raise UnreadableError(path, f"has more than {COLUMNS} columns, or two of one name")
        if not all(map(_TITLE.fullmatch, titles)):
            raise UnreadableError(path, "has a column whose name is no word")
        found, most = [], VALUES // max(1, len(titles))
        for number, row in enumerate(rows, 1):
            if number > most:
                raise UnreadableError(path, f"holds more than {VALUES} values")
            if row and len(row) != len(titles):
                raise UnreadableError(path, f"row {number} has {len(row)} values for {len(titles)} columns")
            pairs = zip(titles, row, strict=False)
            found.append({title: _cell(value, path) for title, value in pairs if value})
    return [row for row in found if row]


def _lines(text: str, path: Path) -> Iterator[str]:
    """The lines one by one: a second copy of the text is never made."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin) + 1 or len(text)
        if end - begin > LINE:
            raise UnreadableError(path, f"has a line of more than {LINE} characters")
        yield text[begin:end]
        begin = end


def _cell(text: str, path: Path) -> float | int | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if len(text) > 200:
        raise UnreadableError(path, f"holds a value of {len(text)} characters: {shorten(text)}")
    return text
