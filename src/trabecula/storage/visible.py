"""Characters that a terminal or a page would obey, or that deceive the eye, as escapes that can be read.

Names of problems, stages and files come from files of others. A terminal that prints them as they are can be
made to rename its window, to hide lines, to answer with keystrokes (CVE-2003-0063 and its kin); marks of
writing direction make `exe.png` of `gnp.exe` (CVE-2021-42574).
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f"  # C0 without tab and newline, and DEL
    "\x80-\x9f"  # C1
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # marks and overrides of direction, nothings
    "\u2028\u2029\u0085"  # ends of lines that are none
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f"  # annotations, half characters, tags
    "]"
)


def visible(text: str) -> str:
    r"""A text without anything that acts on a terminal; newline and tab are left as they are.

    Examples
    --------
    >>> print(visible("a\x1b[31mb\u202e"))
    a\x1b[31mb\u202e
    """
    return _HIDDEN.sub(lambda match: ascii(match[0])[1:-1], text)


def on_one_line(text: str) -> str:
    r"""The same, with newlines and tabs too as escapes: for names inside a line.

    Examples
    --------
    >>> print(on_one_line("a\nb"))
    a\nb
    """
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")
