"""Files read without trusting them: the one way in for everything that was not written by this process.

Kinds of files, sizes, headers, depths and digits are looked at before any memory is taken; whatever is wrong
is one `UnreadableError`, which the command line turns into one sentence and exit code 2. Every reader of the
package goes through here (tests/storage/test_one_way_in.py).
"""

from __future__ import annotations

from trabecula.storage.archives import opening_archive
from trabecula.storage.arrays import (
    Form,
    read_array,
    read_arrays,
    read_member,
    read_named_arrays,
)
from trabecula.storage.json_text import CheckedRecord, parse_json, read_json
from trabecula.storage.opening import (
    MISSING,
    UnreadableError,
    digest_of,
    explaining,
    first_line,
    open_regular,
    read_bytes,
    read_text,
    shorten,
)
from trabecula.storage.tables import parse_history, read_history

__all__ = [
    "MISSING",
    "CheckedRecord",
    "Form",
    "UnreadableError",
    "digest_of",
    "explaining",
    "first_line",
    "open_regular",
    "opening_archive",
    "parse_history",
    "parse_json",
    "read_array",
    "read_arrays",
    "read_bytes",
    "read_history",
    "read_json",
    "read_member",
    "read_named_arrays",
    "read_text",
    "shorten",
]
