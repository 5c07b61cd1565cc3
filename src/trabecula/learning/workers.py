"""Who makes the shards: this process, several, or the workers of a dask cluster. The data are the same."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from trabecula.learning.generate import DataSettings, make_shard

Job = tuple[int, int]
"""Number of a shard, and how many problems it holds."""

PATIENCE = 20.0
"""Seconds a dask scheduler has to answer."""


@dataclass(frozen=True)
class Tally:
    """How many samples were made, and how many problems gave none."""

    samples: int = 0
    failures: int = 0

    def plus(self, samples: int, failures: int) -> Tally:
        """The tally with more."""
        return Tally(self.samples + samples, self.failures + failures)


Report = Callable[[Tally], None]


class UnreachableError(ValueError):
    """A scheduler that does not answer."""


def make_shards(
    folder: Path,
    settings: DataSettings,
    jobs: Sequence[Job],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    report: Report = lambda tally: None,
) -> Tally:
    """Make shards.

    Parameters
    ----------
    folder
        Of the data set, made by `prepare_folder`; every worker must see it under the same name.
    settings
        Of the data set.
    jobs
        From `missing`.
    workers
        Processes on this machine, one thread each.
    scheduler
        Address of a dask scheduler that does the work instead.
    report
        Called with the tally so far.

    Raises
    ------
    UnreachableError
        If the scheduler does not answer.
    """
    place = str(folder.resolve())
    if scheduler is not None:
        return _tally(_on_cluster(place, settings, jobs, scheduler), report)
    if workers == 1:
        return _in_this_process(place, settings, jobs, report)
    return _tally(_on_processes(place, settings, jobs, workers), report)


def _tally(made: Iterator[tuple[int, int]], report: Report) -> Tally:
    tally = Tally()
    for samples, failures in made:
        tally = tally.plus(samples, failures)
        report(tally)
    return tally


def _in_this_process(folder: str, settings: DataSettings, jobs: Sequence[Job], report: Report) -> Tally:
    tally = Tally()
    for shard, size in jobs:
        before = tally
        made = make_shard(folder, settings, shard, size, lambda s, f, so=before: report(so.plus(s, f)))  # type: ignore[misc]
        tally = tally.plus(*made)
    return tally


def _on_processes(
    folder: str, settings: DataSettings, jobs: Sequence[Job], workers: int
) -> Iterator[tuple[int, int]]:
    others = set(multiprocessing.active_children())
    crew = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_initialise_worker)
    try:
        for future in as_completed([crew.submit(make_shard, folder, settings, *job) for job in jobs]):
            yield future.result()
    except BaseException:  # an interrupt too: nobody works on, and what they had begun leaves no trace
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        crew.shutdown(cancel_futures=True)  # its own thread waits for the ended; two would miss one another
        raise
    crew.shutdown()


def _initialise_worker() -> None:
    """In a worker: interrupts are for the parent to deal with, and without a parent there is no work."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


def _on_cluster(
    folder: str, settings: DataSettings, jobs: Sequence[Job], scheduler: str
) -> Iterator[tuple[int, int]]:
    from distributed import Client
    from distributed import as_completed as completed

    try:
        client = Client(scheduler, timeout=PATIENCE)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise UnreachableError(f"no dask scheduler answers at {scheduler}") from error
    with client:
        futures = [client.submit(make_shard, folder, settings, *job, pure=False) for job in jobs]
        try:
            for future in completed(futures):  # type: ignore[no-untyped-call]
                yield future.result()
        except BaseException:
            client.cancel(futures)  # type: ignore[no-untyped-call]
            raise
