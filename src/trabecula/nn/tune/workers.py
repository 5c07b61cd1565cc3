"""Several processes on one storage of this machine."""

from __future__ import annotations

import multiprocessing
import pickle
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized

from trabecula.nn.tune.search import SearchPlan, open_study, take_part
from trabecula.nn.tune.storage import TuneError, closing_storage


def share(plan: SearchPlan, workers: int, missing: int) -> None:
    """Let so many processes do the trials that are missing; together exactly as many.

    Raises
    ------
    TuneError
        Where the plan cannot be handed over, or a worker fails or is killed; the others are ended then, and
        what was finished stays in the storage.
    """
    if plan.storage is None:
        raise TuneError("several workers need a storage: give the path of a file")
    try:
        pickle.dumps(plan)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        said = " ".join(str(error).split())
        raise TuneError(
            f"several workers need a candidate that can be pickled: a function of a module ({said})"
        ) from error
    # a clean process that has imported PyTorch once, and is forked for every worker
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trabecula.nn.tune.workers"])
    left: Synchronized[int] = context.Value("i", missing)
    started: dict[Connection, BaseProcess] = {}
    try:
        for number in range(workers):
            here, there = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(
                target=_work, args=(plan, left, there), name=f"worker {number}"
            )
            process.start()
            there.close()
            started[here] = process
        _watch(started)
    finally:
        for process in started.values():
            process.terminate()
            process.join()


def _watch(started: dict[Connection, BaseProcess]) -> None:
    """Wait for every worker's last word."""
    open_ends = dict(started)
    while open_ends:
        for end in wait(list(open_ends)):
            assert isinstance(end, Connection)
            process = open_ends.pop(end)
            try:
                said: str = end.recv()
            except EOFError:
                process.join()
                raise TuneError(
                    f"{process.name} died ({_how(process.exitcode)}); what was finished is kept,"
                    " search again with the same storage to go on"
                ) from None
            if said:
                raise TuneError(said)


def _work(plan: SearchPlan, left: Synchronized[int], there: Connection) -> None:
    """What a worker does; its last word is empty where all went well."""

    def ticket() -> bool:
        with left.get_lock():
            left.value -= 1
            return left.value >= 0

    said = ""
    try:
        with closing_storage(plan.storage) as opened:
            take_part(plan, open_study(plan, opened), ticket)
    except Exception as error:
        said = str(error) if isinstance(error, TuneError) else f"{type(error).__name__}: {error}"
    except KeyboardInterrupt:
        said = "interrupted"
    there.send(said)


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
