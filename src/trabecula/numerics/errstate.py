"""Floating-point errors inside the public calls, whatever the caller's NumPy does about its own.

A program that runs under `np.errstate(all="raise")`, or with warnings as errors, means its own numbers. Ours
are looked at where they matter: a solve ends in finite numbers or says that it does not (`trabecula.status`).
Tests run the named problems with every error raised but underflow, so that nothing is overlooked here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

ERRORS: dict[str, Any] = {"all": "ignore"}
"""For `np.errstate`: what becomes of division by zero, overflow, underflow and invalid operations."""


def own_errstate(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function with `ERRORS`; a generator function step by step, so that nothing leaks out of it."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def begin(*args: P.args, **kwargs: P.kwargs) -> R:
            return cast("R", _step(function(*args, **kwargs)))

        return begin

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(**ERRORS):
            return function(*args, **kwargs)

    return call


def set_errstate() -> None:
    """Set `ERRORS` in a thread of our own, which knows nothing of its parent's."""
    np.seterr(**ERRORS)


def _step(steps: Generator[Any, None, Any]) -> Generator[Any, None, Any]:
    try:
        while True:
            with np.errstate(**ERRORS):
                try:
                    step = next(steps)
                except StopIteration as end:
                    return end.value
            yield step
    finally:
        with np.errstate(**ERRORS):
            steps.close()
