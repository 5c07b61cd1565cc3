"""The version of this installation."""

from __future__ import annotations

try:
    from trabecula._version import VERSION  # written by the build (pyproject.toml)
except ModuleNotFoundError:  # run from a source tree that was never installed
    VERSION = "0+unknown"

__all__ = ["VERSION"]
