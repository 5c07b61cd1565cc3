"""The command line: one file a command, each importing what it needs only when it runs."""

from __future__ import annotations

from trabecula.cli.app import main

__all__ = ["main"]
