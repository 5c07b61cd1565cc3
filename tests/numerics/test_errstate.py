"""What the caller's NumPy, interpreter and callback are set to does not reach into a solve, nor out of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from trabecula.numerics import errstate
from trabecula.numerics.errstate import own_errstate
from trabecula.problem import problems

pytestmark = pytest.mark.usefixtures("quick_pictures")

PACKAGE = Path(__file__).parents[2] / "src"
PLATE = problems.cantilever((44, 22))
SOLID = problems.torsion((20, 10, 10))

SMALL = {
    "mbb": (60, 20),
    "cantilever": (48, 24),
    "l_bracket": (45, 45),
    "bridge": (60, 16),
    "michell": (48, 24),
    "wheel": (24, 24),
    "heat_sink": (30, 30),
    "cantilever_3d": (16, 8, 8),
    "torsion": (16, 8, 8),
    "hook": (16, 8, 8),
    "jet_bracket": (27, 10, 17),
    "table": (16, 10, 10),
    "chair_leg": (8, 24, 8),
    "heat_sink_3d": (10, 10, 10),
}


def solved(**options: object) -> tb.Result:
    return tb.solve(PLATE, proposals=2, iterations=5, threads=2, **options)  # type: ignore[arg-type]


def same(one: tb.Result, other: tb.Result) -> bool:
    return one.design.tobytes() == other.design.tobytes() and one.compliance == other.compliance


@contextmanager
def everything_raises() -> Iterator[None]:
    """NumPy and warnings set as strictly as can be."""
    before = np.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.seterr(all="raise")
        try:
            yield
        finally:
            np.seterr(**before)


def test_small_grids_of_all_named_problems_are_here() -> None:
    assert set(SMALL) == set(problems.names())


@pytest.mark.parametrize("start", ["coarse", "learned", "classical"])
@pytest.mark.parametrize("name", SMALL)
def test_no_floating_point_error_happens_in_a_named_problem(
    name: str, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nothing is silenced: with numpy's usual settings not one warning would be printed."""
    monkeypatch.setattr(errstate, "ERRORS", {"all": "raise", "under": "ignore"})
    searched = {} if start == "classical" else {"proposals": 2}
    result = tb.solve(problems.get(name, SMALL[name]), start=start, iterations=3, threads=1, **searched)
    if start != "classical":  # which ends in a record like that of the uniform start
        result.check()
    if start == "coarse":  # drawing knows nothing of how a design was found
        assert "<html" in result.to_html()


def test_a_caller_for_whom_everything_raises_gets_the_same_bits(tmp_path: Path) -> None:
    expected = solved()
    with everything_raises():
        result = solved(out=tmp_path)
        assert result.check()
        result.save(tmp_path)
        result.plot()
        assert len(result.to_mesh().faces)
        again = tb.Result.load(tmp_path)
    assert same(result, expected)
    assert again.compliance == expected.compliance


def test_warnings_as_errors_break_nothing() -> None:
    code = (
        "import trabecula as tb\n"
        "result = tb.solve(tb.problems.torsion((20, 10, 10)), start='learned', proposals=2, iterations=3)\n"
        "result.check(); result.plot(); result.to_mesh(); result.to_html()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_callers_settings_hold_between_steps_and_afterwards() -> None:
    before = np.geterr()
    with np.errstate(all="raise"):
        strict = np.geterr()
        for _ in tb.iterate(PLATE, start="uniform", iterations=3):
            assert np.geterr() == strict
            with pytest.raises(FloatingPointError):
                np.ones(1) / np.zeros(1)
        tb.solve(PLATE, start="uniform", iterations=3, progress=lambda step: saw.append(np.geterr()))
        assert np.geterr() == strict
        assert saw and all(state == strict for state in saw)
    assert np.geterr() == before


saw: list[dict[str, str]] = []


def test_a_step_taken_inside_and_left_outside_leaks_nothing() -> None:
    steps = tb.iterate(PLATE, start="uniform", iterations=5)
    next(steps)
    before = np.geterr()
    steps.close()
    assert np.geterr() == before


def test_a_generator_keeps_its_value_and_its_errors() -> None:
    @own_errstate
    def counting(fail: bool) -> Iterator[int]:
        yield 1
        assert np.geterr()["divide"] == "ignore"
        if fail:
            raise ValueError("inside")
        return 7

    def wanted() -> Iterator[int]:
        yield (yield from counting(False))  # type: ignore[misc]

    assert list(wanted()) == [1, 7]
    with pytest.raises(ValueError, match="inside"):
        list(counting(True))


@pytest.mark.parametrize("start", ["coarse", "uniform", "learned"])
def test_progress_is_the_callers_own_to_write_into(start: str) -> None:
    kept: list[tuple[np.ndarray, bytes]] = []

    def spoil(step: tb.Progress) -> None:
        kept.append((step.density, step.density.tobytes()))

    def ruin(step: tb.Progress) -> None:
        step.density[...] = np.nan

    options = {"start": start, "iterations": 6, "threads": 1} | (
        {} if start == "uniform" else {"proposals": 2}
    )
    expected = tb.solve(SOLID, progress=spoil, **options)  # type: ignore[arg-type]
    assert all(density.tobytes() == content for density, content in kept), "what was told has changed"
    assert same(tb.solve(SOLID, progress=ruin, **options), expected)  # type: ignore[arg-type]


class Stopped(Exception):
    """Raised by a callback."""


@pytest.mark.parametrize(("start", "after"), [("uniform", 4), ("coarse", 3), ("coarse", 12)])
def test_a_callback_that_raises_ends_the_solve_and_loses_nothing(
    start: str, after: int, tmp_path: Path
) -> None:
    count = 0

    def stop(step: tb.Progress) -> None:
        nonlocal count
        count += 1
        if count == after:
            raise Stopped

    threads = threading.active_count()
    with pytest.raises(Stopped) as caught:
        tb.solve(PLATE, start=start, threads=2, out=tmp_path, progress=stop)
    assert threading.active_count() == threads, "somebody works on"
    assert caught.value.__cause__ is None
    resumed = tb.solve(PLATE, start=start, threads=2, out=tmp_path, resume=True)
    assert same(resumed, tb.solve(PLATE, start=start, threads=2))


def test_a_callback_may_solve() -> None:
    inner: list[tb.Result] = []

    def again(step: tb.Progress) -> None:
        if len(inner) < 2:
            inner.append(solved())

    expected = solved()
    assert same(solved(progress=again), expected)
    assert all(same(result, expected) for result in inner)


def test_a_callback_may_go_to_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    tb.solve(PLATE, start="uniform", iterations=5, out="result", progress=lambda step: os.chdir(there))
    assert not any(there.iterdir())
    assert list((here / "result" / "checkpoint").glob("*.npz"))


def test_a_tight_recursion_limit_is_enough() -> None:
    code = (
        "import sys, trabecula as tb\n"
        "problem = tb.problems.cantilever((44, 22))\n"
        "sys.setrecursionlimit(200)\n"
        "tb.solve(problem, proposals=2, iterations=3).check()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
