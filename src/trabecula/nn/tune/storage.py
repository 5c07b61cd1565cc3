"""The file of a search: one SQLite database that several processes share, or a database server."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from trabecula.storage import database
from trabecula.storage.reading import UnreadableError, open_regular

HEARTBEAT = 60
"""Seconds between two signs of life of a running trial; after twice as many without one it has failed."""

PATIENCE = 120
"""Seconds a process waits for another one's transaction."""


class TuneError(ValueError):
    """A search that cannot be done as it is asked for; the message says how to mend it."""


def open_storage(storage: str | Path | None, write: bool = True) -> BaseStorage:
    """Open, or begin, the file of a search.

    Parameters
    ----------
    storage
        A path of an SQLite file; a URL with `://` for a database server, which many machines can share; None
        for memory.
    write
        Whether anything is to be written; a file that was begun elsewhere can only be read.

    Raises
    ------
    TuneError
        Where it cannot be opened or is no such file.
    """
    if storage is None:
        return InMemoryStorage()
    if "://" in str(storage):
        return _open(str(storage), {}, str(storage))
    path = Path(storage).absolute()
    _check_place(path)
    if not write and not database.is_ours(path):
        return _open(f"sqlite:///file:{path}?immutable=1&uri=true", {}, str(storage), True)
    with _lock_folder(path.parent):  # tables are made once, however many processes begin at once
        _claim(path)
        opened = _open(f"sqlite:///{path}", {"connect_args": {"timeout": PATIENCE}}, str(storage))
        _append_only(opened)
    return opened


@contextmanager
def closing_storage(storage: str | Path | None, write: bool = True) -> Iterator[BaseStorage]:
    """As `open_storage`; the last process to leave the block leaves nothing beside the file."""
    opened = open_storage(storage, write)
    try:
        yield opened
    finally:
        if isinstance(opened, RDBStorage):
            opened.remove_session()
            opened.engine.dispose()


def _append_only(storage: RDBStorage) -> None:
    """A log of changes that is merged later: readers do not wait for writers, nor writers for the disk.

    After a power cut the last trials may be missing; the file is sound.
    """

    @event.listens_for(storage.engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    storage.engine.dispose()  # connections made before


def _check_place(path: Path) -> None:
    """Refuse what SQLite would say little about."""
    if not path.parent.is_dir():
        raise TuneError(f"{path.parent} is no folder; make it first")
    if path.is_dir():
        raise TuneError(f"{path} is a folder; name a file in it")


def _claim(path: Path) -> None:
    """Begin a file, or see that one was begun here: into others' databases nothing is written."""
    if database.is_free(path):
        database.create(path)
        return
    if database.is_ours(path):
        return
    try:
        with open_regular(path) as file:
            start = file.read(16)
    except UnreadableError as error:
        raise TuneError(f"{path} cannot be read ({error.reason})") from error
    what = "was not begun by trabecula tune" if start == b"SQLite format 3\0" else "is no SQLite file"
    raise TuneError(f"{path} {what}; name another one")


def _open(url: str, engine: dict[str, object], name: str, skip_table_creation: bool = False) -> RDBStorage:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return RDBStorage(
                url,
                engine_kwargs=engine,
                heartbeat_interval=HEARTBEAT,
                skip_table_creation=skip_table_creation,
            )
    except (SQLAlchemyError, sqlite3.Error, RuntimeError, ImportError) as error:
        said = " ".join(str(error).split("\n")[0].split())
        raise TuneError(f"{name} cannot be opened ({said})") from error


@contextmanager
def readable(storage: object) -> Iterator[None]:
    """Turn what a damaged or foreign database makes Optuna raise into one sentence.

    Raises
    ------
    TuneError
        Where the block fails for what is in the database.
    """
    try:
        yield
    except (TuneError, optuna.TrialPruned):
        raise
    except (
        *(SQLAlchemyError, sqlite3.Error, ValueError, KeyError, TypeError, AttributeError, IndexError),
        RuntimeError,
    ) as error:
        said = " ".join(str(error).split("\n")[0].split())
        raise TuneError(f"{storage} is damaged, or no file of a search ({said})") from error


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; a folder, so that no file is left behind."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise TuneError(f"{folder} cannot be read ({(error.strerror or str(error)).lower()})") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
