"""The three words for how sure a result is, what they mean and how they look; never by colour alone."""

from __future__ import annotations

from typing import Literal

Word = Literal["predicted", "verified", "certified"]

COLOURS: dict[str, str] = {"predicted": "#b26a00", "verified": "#1f5fbf", "certified": "#1b7f3b"}
"""A colour for each word, readable on white."""

MEANINGS: dict[str, str] = {
    "predicted": "a network's answer; nothing about it has been checked",
    "verified": "the compliance is that of this very design, from a solve of the state equations",
    "certified": "verified, stationary to the stated residual, with a lower bound that no design can pass",
}
"""What each word promises."""
