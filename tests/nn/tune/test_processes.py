"""Several processes share a storage: started by the search, or on their own; killed ones are survived."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from optuna.trial import BaseTrial

from tests.nn.tune.conftest import formula
from trabecula.nn.tune import (
    Candidate,
    Metric,
    Reward,
    TrialResult,
    TuneError,
    read,
    search,
)
from trabecula.nn.tune.candidate import Report
from trabecula.nn.tune.search import SearchPlan
from trabecula.nn.tune.timing import Timing
from trabecula.nn.tune.workers import _watch, _work, share


def dying(trial: BaseTrial) -> Iterator[Report]:
    """Killed as by a machine without memory, in the third trial."""
    if trial.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    yield 0.5


def failing(trial: BaseTrial) -> Iterator[Report]:
    """Cannot be trained."""
    raise RuntimeError("no such file")
    yield 0.5


def interrupted(trial: BaseTrial) -> Iterator[Report]:
    """Somebody pressed Ctrl-C."""
    raise KeyboardInterrupt
    yield 0.5


def test_workers_do_exactly_as_many_trials_as_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    search(formula, trials=3, goal=Reward(3.0), storage=file)
    outcome = search(formula, trials=9, goal=Reward(3.0), storage=file, workers=2)
    assert [each.number for each in outcome.trials] == list(range(9))
    assert not outcome.in_state("running") and not outcome.in_state("failed")
    widths = [(each.settings["width"], each.settings["rate"]) for each in outcome.trials]
    assert len(set(widths)) == 9  # no worker repeats another one's proposals


def program(file: Path, said: Connection) -> None:
    """A search on its own, which knows of no other but by the file; says how many trials it did."""
    done: list[TrialResult] = []
    search(formula, trials=8, goal=Reward(3.0), storage=file, progress=done.append)
    said.send(len(done))


def test_two_programs_on_one_new_file_share_the_work(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    ends = [context.Pipe(duplex=False) for _ in range(2)]
    both = [context.Process(target=program, args=(tmp_path / "t.db", there)) for _, there in ends]
    for process in both:
        process.start()
    for process, (_, there) in zip(both, ends, strict=True):
        process.join()
        there.close()
    assert [process.exitcode for process in both] == [0, 0]
    shares = [here.recv() for here, _ in ends]
    assert 8 <= sum(shares) <= 9 and min(shares) >= 0  # each may do one more
    assert len(read(tmp_path / "t.db").trials) == sum(shares)


def plan(candidate: Candidate, file: Path) -> SearchPlan:
    return SearchPlan(candidate, 6, Metric(), "none", file, "search", 0, Timing(), (), None)


def test_a_worker_that_is_killed_is_one_message_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    with pytest.raises(TuneError, match=r"worker 0 died \(signal 9\).*same storage"):
        share(plan(dying, file), workers=1, missing=6)
    assert [each.state for each in read(file).trials] == ["done", "done", "running"]
    assert len(search(dying, trials=6, storage=file, pruner="none").in_state("done")) == 6


@pytest.mark.parametrize(
    ("candidate", "said"), [(failing, "failed: RuntimeError: no such file"), (interrupted, "interrupted")]
)
def test_a_worker_that_fails_says_why(candidate: Candidate, said: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    here, there = context.Pipe(duplex=False)
    _work(plan(candidate, tmp_path / "t.db"), context.Value("i", 6), there)
    with pytest.raises(TuneError, match=said):
        _watch({here: context.Process(name="worker 0")})


def test_workers_need_a_storage_and_a_function_that_travels(tmp_path: Path) -> None:
    with pytest.raises(TuneError, match="need a storage"):
        search(formula, trials=4, workers=2)
    with pytest.raises(TuneError, match="can be pickled"):
        search(lambda trial: 0.5, trials=4, workers=2, storage=tmp_path / "t.db")
