"""Choices that several commands share."""

from __future__ import annotations

from enum import StrEnum

import typer

from trabecula.strategy.names import BUILT_IN

STARTS = f"[{'|'.join(BUILT_IN)}]"
"""The starts that come with trabecula, as help texts show them."""


class LengthUnits(StrEnum):
    """Unit of lengths in a surface file."""

    mm = "mm"
    m = "m"


def start_name(value: str) -> str:
    """The name of a start: one of ours, or one that an installed package adds.

    Raises
    ------
    typer.BadParameter
        If there is none of that name.
    """
    from trabecula.problem.starts import STARTS as known

    if value not in known:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(map(repr, known))}.")
    return value


class NetworkKind(StrEnum):
    """What a network is for."""

    autoencoder = "autoencoder"
    corrector = "corrector"
    generator = "generator"
    leap = "leap"
    proposer = "proposer"
