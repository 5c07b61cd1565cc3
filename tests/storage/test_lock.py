"""One writer a folder: who it is can be read, and whoever is killed leaves the folder free."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from trabecula.storage import lock
from trabecula.storage.lock import (
    LOCK,
    Holder,
    LockedError,
    take,
)
from trabecula.storage.mark import OwnershipError
from trabecula.storage.owned import hold

HOLD = "import sys; from pathlib import Path; from trabecula.storage.owned import hold; "


def holding(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds a folder until its stdin ends."""
    code = (
        HOLD
        + "held = hold(Path(sys.argv[1]), 'test'); print('held', flush=True); sys.stdin.read(); held.close()"
    )
    words = [sys.executable, "-c", code, str(folder)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_told_who_and_since_when(tmp_path: Path) -> None:
    with holding(tmp_path) as other:
        with pytest.raises(LockedError) as refused:
            hold(tmp_path, "test")
        said = str(refused.value)
        assert f"{tmp_path}: is in use by process {other.pid} on {os.uname().nodename}" in said
        assert "since 20" in said and "wait for it or end it" in said and "\n" not in said
        other.communicate("")
    assert other.returncode == 0
    with hold(tmp_path, "test") as held:
        assert held.stale is None
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_no_folder_locked(tmp_path: Path) -> None:
    with holding(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
    assert (tmp_path / LOCK).exists()
    with hold(tmp_path, "test") as held:
        assert held.stale is not None and held.stale.pid == other.pid and held.stale.is_gone()
    assert not list(tmp_path.iterdir())


def test_who_waits_gets_it(tmp_path: Path) -> None:
    with holding(tmp_path) as other, ThreadPoolExecutor(1) as crew:
        waiting = crew.submit(take, tmp_path, 30.0)
        other.communicate("")
        assert waiting.result().release()


def test_threads_take_turns(tmp_path: Path) -> None:
    def work(number: int) -> None:
        with hold(tmp_path, "test", wait=60.0) as held:
            held.write_text(f"{number}.txt", "ours")
            count = len(list(tmp_path.glob("*.txt")))
            held.write_text("count.json", str(count))

    with ThreadPoolExecutor(6) as crew:
        list(crew.map(work, range(12)))
    assert len(list(tmp_path.glob("*.txt"))) == 12
    with hold(tmp_path, "test") as held:
        held.check([*(f"{number}.txt" for number in range(12)), "count.json"])
    assert not list(tmp_path.glob(".*.tmp"))


def test_processes_take_turns(tmp_path: Path) -> None:
    code = HOLD + (
        "folder, number = Path(sys.argv[1]), sys.argv[2]\n"
        "for k in range(5):\n"
        "    with hold(folder, 'test', wait=60.0) as held:\n"
        "        held.write_text(f'{number}-{k}.txt', 'ours')\n"
    )
    crew = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "f"), str(n)]) for n in range(4)]
    assert [process.wait() for process in crew] == [0] * 4
    with hold(tmp_path / "f", "test") as held:
        assert sorted(held.names) == sorted(f"{n}-{k}.txt" for n in range(4) for k in range(5))
        assert all(held.is_ours(name) for name in held.names)


def text(path: Path) -> None:
    path.write_text("mine")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [text, empty, folder, link, pipe])
def test_what_only_has_the_name_of_a_lock_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / LOCK)
    before = (tmp_path / LOCK).lstat()
    with pytest.raises(OwnershipError, match="is not the lock of a folder; move it away"):
        hold(tmp_path, "test")
    after = (tmp_path / LOCK).lstat()
    assert (before.st_mode, before.st_ino, before.st_size) == (after.st_mode, after.st_ino, after.st_size)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_child_of_a_fork_neither_holds_nor_frees_the_folder(tmp_path: Path) -> None:
    with hold(tmp_path, "test") as held:
        child = os.fork()
        if child == 0:
            held.close()
            time.sleep(60)
            os._exit(0)
        with ThreadPoolExecutor(1) as other, pytest.raises(LockedError):
            other.submit(take, tmp_path).result()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(take, tmp_path).result().release(), "while the child still runs"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_holder_is_gone_when_its_process_is_or_is_another_one() -> None:
    here = Holder.here()
    assert not here.is_gone()
    assert not replace(here, host="elsewhere", pid=1).is_gone()
    assert replace(here, started="0").is_gone(), "its number was given to a later process"
    with subprocess.Popen(["true"]) as ended:
        pass
    assert replace(here, pid=ended.pid).is_gone()
    assert replace(here, pid=10**30).is_gone()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"[" * 9999, b'{"trabecula": "lock"}', b'{"trabecula": "lock", "pid": "1"}'],
)
def test_what_is_no_holder_is_none(content: bytes) -> None:
    assert Holder.read(content) is None


def test_a_holder_cannot_reach_the_terminal() -> None:
    here = replace(Holder.here(), command="evil \x1b[2J\n" + "x" * 9999)
    read = Holder.read(here.to_bytes())
    assert read is not None
    assert str(read).isprintable() and len(str(read)) < 500


def test_without_locks_of_the_system_what_the_file_says_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    here = Holder.here()
    (tmp_path / LOCK).write_bytes(here.to_bytes())
    with pytest.raises(LockedError, match="another thread of this process"):
        take(tmp_path)
    (tmp_path / LOCK).write_bytes(replace(here, host="elsewhere").to_bytes())
    with pytest.raises(LockedError, match=f"on elsewhere.*if it is gone, remove {LOCK}"):
        take(tmp_path)
    (tmp_path / LOCK).write_bytes(replace(here, started="0").to_bytes())
    taken = take(tmp_path)
    assert taken.stale is not None
    assert taken.release()
    assert not list(tmp_path.iterdir())
