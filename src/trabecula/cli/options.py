"""Choices that several commands share."""

from __future__ import annotations

from enum import StrEnum


class Units(StrEnum):
    """Unit of lengths in a surface file."""

    mm = "mm"
    m = "m"


class Start(StrEnum):
    """Where a solve begins."""

    coarse = "coarse"
    learned = "learned"
    uniform = "uniform"
    classical = "classical"


class NetworkKind(StrEnum):
    """What a network is for."""

    autoencoder = "autoencoder"
    corrector = "corrector"
    leap = "leap"
    proposer = "proposer"
