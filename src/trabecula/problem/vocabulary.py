"""What people write who come from other tools, and what says it here.

A key that is not known is a slip of the pen, or a word of another tool. A slip is near in spelling to a key
that is known. Another tool's word is looked up here by what it means, and one sentence says the nearest
possible way; a key that merely looks a little like it is never offered.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from trabecula.problem.meanings import MEANINGS

_NEAR, _SURE = 0.74, 0.85
"""Share of letters that two words have in common, in their order, at least; `laods` and `loads` have 0.8.
From the second share on it is a slip of the pen, though the word may mean something elsewhere."""


ALLOYS = (
    (r"al\s*si|alsi|6061|6082|7075|2024|5083|alu|al\b|en[_ ]?aw", "aluminium"),
    (r"ti[_ -]?6al|tc4|grade[_ -]?(2|5|23)|^ti\b|titan", "titanium"),
    (r"316|304|1\.4\d{3}|17[_ -]?4|inox|stainless", "stainless_steel"),
    (r"s235|s275|s355|42crmo4|c45|4140|1\.[0-37]\d{3}|iron|maraging|mild|stahl|steel", "steel"),
    (r"pa[_ -]?(6|11|12|66)|polyamide|nylon|sls", "nylon"),
    (r"petg|resin|pc\b|polycarbonate|asa\b|plastic|polymer", "abs"),
    (r"cu\b|kupfer|brass|bronze|cucr", "copper"),
    (r"spruce|pine|oak|timber|plywood", "wood"),
)
"""Names of alloys and plastics, as patterns, and the material of the table that comes nearest."""


def suggest(word: str, allowed: Sequence[str], path: str = "") -> str:
    """What to write in place of a word that is not known: by meaning, else by spelling, else nothing.

    Parameters
    ----------
    word
        The word.
    allowed
        Those that are known there.
    path
        The key that it stands under, as `loads[0]`; a value of a choice has the key's own.

    Examples
    --------
    >>> suggest("laods", ("loads", "goal"))
    "did you mean 'loads'?"
    >>> suggest("overhang", ("penalty", "move"), "options").partition(":")[0]
    'there is no rule for overhangs yet'
    """
    near, means = advise(word, allowed, path)
    return means or near


def advise(word: str, allowed: Sequence[str], path: str = "") -> tuple[str, str]:
    """The hint by spelling and that by meaning, of which at most one says something.

    A word that means something elsewhere is taken for that, unless it is all but the same as a known one.

    Parameters
    ----------
    word, allowed, path
        As `suggest`.

    Examples
    --------
    >>> advise("materials", ("material", "domain"))[0], advise("iterations", ("interpolation",), "options")[0]
    ("did you mean 'material'?", '')
    """
    near, means = nearest(word, allowed), meaning(word, path)
    is_slip = near and (not means or nearest(word, allowed, _SURE))
    return (near, "") if is_slip else ("", means)


def meaning(word: str, path: str = "") -> str:
    """What says here what a word means elsewhere; empty for one that is not known.

    Parameters
    ----------
    word
        The word.
    path
        The key that it stands under.
    """
    plain = re.sub(r"[\s-]+", "_", word.strip().lower())[:40]
    section = re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
    for entry in MEANINGS:
        if plain in entry.words and (not entry.under or section in entry.under):
            return entry.says
    return ""


def nearest(word: str, allowed: Sequence[str], share: float = _NEAR) -> str:
    """The hint at the known word that is spelled nearly so, or nothing; `share` of letters in common."""
    plain = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(word[:40].lower(), plain, n=1, cutoff=share)
    return f"did you mean {plain[near[0]]!r}?" if near else ""


def near_material(word: str, known: Sequence[str]) -> str:
    """The material of the table that comes nearest to an alloy's name."""
    near = nearest(word, known)
    if near:
        return near
    plain = word.strip().lower()[:60]
    found = next((name for pattern, name in ALLOYS if re.search(pattern, plain)), "")
    return f"of those `{found}` comes nearest; a data sheet's own values are better" if found else ""
