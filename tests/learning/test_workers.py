"""One process, several, a dask cluster: the same bytes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from distributed import LocalCluster

from tests.learning.test_generate import stubbed
from trabecula.learning import generate, workers
from trabecula.learning.generate import DataSettings, missing, prepare_folder
from trabecula.learning.store import shard_path
from trabecula.learning.workers import Tally, make_shards

QUICK = DataSettings(2, 4, proposals=2, hard=0.0, voxels=4500, iterations=4)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("shard-*"))}


def test_two_processes_write_what_one_writes(tmp_path: Path) -> None:
    jobs = [(0, 1), (1, 1)]
    for name, count in (("one", 1), ("two", 2)):
        prepare_folder(tmp_path / name, QUICK)
        told: list[Tally] = []
        assert make_shards(tmp_path / name, QUICK, jobs, workers=count, report=told.append) == Tally(2, 0)
        assert told == [Tally(1, 0), Tally(2, 0)]
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert len(content(tmp_path / "one")) == 2
    assert not multiprocessing.active_children()


def test_a_dask_cluster_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "make_sample", stubbed)
    jobs = missing(tmp_path, 40)
    assert make_shards(tmp_path / "here", QUICK, [], workers=1) == Tally()
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    make_shards(tmp_path / "here", QUICK, jobs)
    told: list[Tally] = []
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        made = make_shards(tmp_path / "there", QUICK, jobs, scheduler=address, report=told.append)
    assert made == told[-1] == Tally(37, 3)
    assert content(tmp_path / "here") == content(tmp_path / "there")


def test_an_interrupt_on_a_cluster_takes_the_work_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "make_sample", stubbed)

    def interrupt(tally: Tally) -> None:
        raise KeyboardInterrupt

    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        pytest.raises(KeyboardInterrupt),
    ):
        make_shards(tmp_path, QUICK, [(0, 1), (1, 1)], scheduler=cluster.scheduler_address, report=interrupt)


def test_a_scheduler_nobody_runs_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match=r"no dask scheduler answers at tcp://127\.0\.0\.1:9"):
        make_shards(tmp_path, QUICK, [(0, 1)], scheduler="tcp://127.0.0.1:9")


def test_an_interrupt_ends_the_processes_and_keeps_whole_shards(tmp_path: Path) -> None:
    def interrupt(tally: Tally) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_shards(tmp_path, QUICK, [(shard, 1) for shard in range(20)], workers=2, report=interrupt)
    assert not multiprocessing.active_children()
    assert shard_path(tmp_path, 0).exists() or shard_path(tmp_path, 1).exists()
    assert len(content(tmp_path)) < 20
