"""The history keeps what it is given, privately, within its limit, for several processes at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sqlite3
import stat
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from tests.learning.histories import result
from tests.problem.solids import box_triangles, write_stl
from trabecula.discretisation import discretise
from trabecula.learning.history import Store
from trabecula.learning.history.store import NewerError
from trabecula.problem import problems
from trabecula.problem.restate import explicit
from trabecula.storage import writing
from trabecula.storage.mark import read_mark
from trabecula.storage.owned import LEFT_OVER
from trabecula.storage.reading import UnreadableError

PLENTY = 100_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / "history", PLENTY)


def names(store: Store) -> list[str]:
    return [entry.name for entry in store.entries()]


def test_what_is_kept_comes_back(store: Store) -> None:
    given = result(0.3, "first")
    entry = store.keep(given)
    assert entry is not None
    assert store.entries() == [entry]
    assert (entry.name, entry.elements, entry.compliance) == ("first", (24, 12), 3.0)
    assert store.problem(entry) == explicit(given.problem)
    design, density = store.arrays(entry)
    np.testing.assert_allclose(design, given.design, atol=1e-6)
    np.testing.assert_allclose(density, given.density, atol=1e-3)
    assert entry.bytes == sum(p.stat().st_size for p in (store.folder / "entries" / entry.id).iterdir())


def test_nothing_is_made_by_looking(store: Store) -> None:
    assert store.entries() == []
    assert store.nearest(discretise(result().problem)) is None
    assert store.clear() == 0
    assert not store.folder.exists()


def test_newest_first(store: Store) -> None:
    for height in (0.1, 0.4, 0.7):
        store.keep(result(height, f"at {height}"))
    assert names(store) == ["at 0.7", "at 0.4", "at 0.1"]


def test_only_its_owner_may_read_it(store: Store) -> None:
    store.keep(result())
    for path in [store.folder, *store.folder.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_of_one_problem_the_best_design_is_kept(store: Store) -> None:
    store.keep(result(name="first", compliance=3.0))
    assert store.keep(result(name="worse", compliance=3.1)) is None
    assert store.keep(result(name="stopped early", compliance=2.0, converged=False)) is None
    assert names(store) == ["first"]
    assert store.keep(result(name="better", compliance=2.9)) is not None
    assert names(store) == ["better"]
    assert len(list((store.folder / "entries").iterdir())) == 1


def test_least_volume_ranks_by_volume(store: Store) -> None:
    goal = tb.Goal("volume", compliance=(3.0,))
    given = result(compliance=3.0)
    thick, thin = (replace(given, problem=replace(given.problem, goal=goal), volume=v) for v in (0.5, 0.4))
    store.keep(thick)
    store.keep(thin)
    assert [entry.merit for entry in store.entries()] == [0.4]


def test_the_oldest_go_where_the_limit_is_reached(store: Store) -> None:
    first = store.keep(result(0.0, "0"))
    assert first is not None
    small = Store(store.folder, int(3.5 * first.bytes))
    for k in range(1, 6):
        small.keep(result(k / 12, str(k)))
    assert names(small) == ["5", "4", "3"]
    assert len(list((store.folder / "entries").iterdir())) == 3


def test_what_is_too_large_alone_drives_nobody_out(store: Store) -> None:
    store.keep(result(0.0, "there"))
    assert Store(store.folder, 1000).keep(result(0.5, "large")) is None
    assert names(store) == ["there"]


def test_solving_again_makes_an_entry_young(store: Store) -> None:
    one = store.keep(result(0.0, "one"))
    assert one is not None
    store.keep(result(0.5, "two"))
    store.keep(result(0.0, "one again", compliance=9.0))
    assert names(store) == ["one", "two"]


def test_clearing_removes_what_is_its_own_and_nothing_else(store: Store) -> None:
    store.keep(result(0.1))
    store.keep(result(0.9))
    (store.folder / "mine.txt").write_text("not of the history")
    assert store.clear() == 2
    assert [path.name for path in store.folder.iterdir()] == ["mine.txt"]
    assert store.entries() == []


def test_a_full_disk_leaves_what_was_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep(result(0.1, "there"))

    def full(*where: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_array", full)
        with pytest.raises(OSError, match="space"):
            store.keep(result(0.9))
    assert names(store) == ["there"]
    assert len(list((store.folder / "entries").iterdir())) == 1


def test_an_index_that_cannot_be_written_takes_its_folder_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.keep(result(0.1))

    def locked(action: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(store, "_attempt", locked)
    with pytest.raises(sqlite3.OperationalError):
        store.keep(result(0.9))
    assert len(list((store.folder / "entries").iterdir())) == 1


@pytest.mark.parametrize("damage", ["text", "empty", "middle", "gone"])
def test_a_damaged_index_is_made_again_and_what_is_none_is_left_alone(store: Store, damage: str) -> None:
    for k in range(4):
        store.keep(result(k / 12, str(k)))
    index = store.folder / "index.sqlite"
    content = index.read_bytes()
    if damage == "text":
        index.write_text("this is no database " * 100)
    elif damage == "empty":
        index.write_bytes(b"")
    elif damage == "middle":
        index.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    else:
        index.unlink()
    assert names(store) == ["3", "2", "1", "0"]
    store.keep(result(0.5, "after"))
    assert names(store)[0] == "after"
    changed = index.read_bytes()
    assert store.clear() == 5
    if damage in ("text", "empty"):
        assert list(store.folder.iterdir()) == [index]
        assert index.read_bytes() == changed
    else:
        assert not store.folder.exists()


def test_damaged_entries_are_left_out_of_a_new_index(store: Store) -> None:
    kept = [store.keep(result(k / 12, str(k))) for k in range(4)]
    folders = [store.folder / "entries" / entry.id for entry in kept if entry is not None]
    (folders[0] / "entry.json").write_text("{}")
    (folders[1] / "vector.npy").write_text("nothing")
    shutil.rmtree(folders[2])
    (store.folder / "index.sqlite").unlink()
    assert names(store) == ["3"]


def test_a_newer_index_is_left_alone(store: Store) -> None:
    store.keep(result())
    with sqlite3.connect(store.folder / "index.sqlite") as index:
        index.execute("PRAGMA user_version = 99")
    index.close()
    with pytest.raises(NewerError):
        store.entries()
    with pytest.raises(NewerError):
        store.keep(result(0.9))
    assert len(list((store.folder / "entries").iterdir())) == 1


def test_what_a_dead_process_left_is_swept_up_in_time(store: Store) -> None:
    store.keep(result(0.1))
    mark = read_mark(store.folder)
    assert mark is not None
    old, new, other = f".a.{mark.token}-1.tmp", f".b.{mark.token}-2.tmp", ".old.tmp"
    for name, age in ((old, 2 * LEFT_OVER), (new, 0.0), (other, 2 * LEFT_OVER)):
        path = store.folder / "entries" / name
        path.mkdir()
        os.utime(path, (time.time() - age,) * 2)
    store.keep(result(0.9))
    assert sorted(p.name for p in (store.folder / "entries").glob(".*")) == sorted([new, other])


def keep_some(folder: Path, first: int) -> None:
    """In a process of its own."""
    store = Store(folder, PLENTY)
    for k in range(first, first + 3):
        store.keep(result(k / 12, str(k)))
        assert str(k) in names(store)


def test_several_processes_keep_at_once(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    crew = [context.Process(target=keep_some, args=(store.folder, 3 * k)) for k in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    assert [one.exitcode for one in crew] == [0] * 4
    assert sorted(map(int, names(store))) == list(range(12))
    for entry in store.entries():
        store.arrays(entry)


def test_the_nearest_is_found_and_named(store: Store) -> None:
    for height in (0.0, 0.25, 0.75):
        store.keep(result(height, f"at {height}"))
    same = store.nearest(discretise(result(0.25, "asked").problem))
    assert same is not None
    assert (same.entry.name, same.distance, same.mirror) == ("at 0.25", 0.0, ())
    near = store.nearest(discretise(result(0.3, volume=0.35).problem))
    assert near is not None
    assert near.entry.name == "at 0.25"
    assert 0 < near.distance < 0.7


def test_a_mirror_image_is_offered_mirrored(store: Store) -> None:
    given = result(0.25, "low")
    store.keep(given)
    match = store.nearest(discretise(result(0.75, "high").problem))
    assert match is not None
    assert match.distance < 0.01
    assert match.mirror == (1,)
    np.testing.assert_allclose(match.design, given.design[::-1], atol=1e-6)


def test_nothing_is_offered_from_afar(store: Store) -> None:
    store.keep(result())
    assert store.nearest(discretise(problems.mbb((24, 12)))) is None
    assert store.nearest(discretise(problems.cantilever_3d((8, 4, 4)))) is None
    assert store.nearest(discretise(result(0.3).problem), within=0.01) is None


def test_what_stopped_early_is_not_offered(store: Store) -> None:
    store.keep(result(converged=False))
    assert store.nearest(discretise(result().problem)) is None


def test_a_design_that_is_gone_gives_its_place_to_the_next(store: Store) -> None:
    gone, there = store.keep(result(0.5, "gone")), store.keep(result(0.45, "there"))
    assert gone is not None and there is not None
    shutil.rmtree(store.folder / "entries" / gone.id)
    with pytest.raises(UnreadableError):
        store.arrays(gone)
    match = store.nearest(discretise(result(0.5).problem))
    assert match is not None
    assert match.entry.name == "there"
    shutil.rmtree(store.folder / "entries" / there.id)
    assert store.nearest(discretise(result(0.5).problem)) is None


def test_files_of_a_problem_are_kept_with_it(store: Store, tmp_path: Path) -> None:
    shape = write_stl(tmp_path / "shape.stl", box_triangles((0.0, 0.0, 0.0), (2.0, 1.0, 0.5)))
    block = problems.cantilever_3d((8, 4, 4))
    problem = replace(block, domain=replace(block.domain, shape=str(shape)))
    made = tb.solve(problem, start="uniform", iterations=1)
    entry = store.keep(made)
    assert entry is not None
    shape.unlink()
    again = store.problem(entry)
    assert Path(again.domain.shape or "").parent == store.folder / "entries" / entry.id
    assert (discretise(again).upper == 1.0).any()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "../../elsewhere"),
        ("id", "0" * 31 + "/"),
        ("made", float("inf")),
        ("made", "yesterday"),
        ("name", b"\xff"),
        ("elements", "24x" * 10**5),
        ("elements", "0x12"),
        ("elements", "a"),
        ("merit", "little"),
        ("converged", 2),
        ("seconds", -1.0),
        ("bytes", -5),
        ("version", b"\xff"),
        ("word", None),
    ],
)
def test_where_a_row_is_no_entry_the_index_is_made_again(store: Store, column: str, value: object) -> None:
    for k in range(2):
        store.keep(result(k / 12, str(k)))
    with sqlite3.connect(store.folder / "index.sqlite") as index:
        index.execute(f"UPDATE entries SET {column} = ? WHERE name = '0'", (value,))
    index.close()
    assert sorted(names(store)) == ["0", "1"]
    found = store.nearest(discretise(result(0.0).problem), within=100.0)
    assert found is not None
    assert found.entry.name == "0"


@pytest.mark.parametrize(
    ("vector", "nearest"), [(None, "0"), (3, "0"), ("text", "0"), (b"", "1"), (b"\xff\x7f" * 500, "0")]
)
def test_a_vector_that_is_none_is_never_compared(store: Store, vector: object, nearest: str) -> None:
    for k in range(2):
        store.keep(result(k / 12, str(k)))
    with sqlite3.connect(store.folder / "index.sqlite") as index:
        index.execute("UPDATE entries SET vector = ? WHERE name = '0'", (vector,))
    index.close()
    found = store.nearest(discretise(result(0.0).problem), within=100.0)
    assert found is not None
    assert found.entry.name == nearest


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE VIEW entries AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
        " SELECT x AS id, x AS made FROM c",
        "CREATE TABLE entries (id TEXT)",
    ],
)
def test_an_index_of_another_kind_is_never_opened(store: Store, schema: str) -> None:
    """A view would run for ever as soon as it was read."""
    store.keep(result(0.1, "kept"))
    (store.folder / "index.sqlite").unlink()
    with sqlite3.connect(store.folder / "index.sqlite") as index:
        index.execute(schema)
        index.execute("PRAGMA user_version = 1")
    index.close()
    before = (store.folder / "index.sqlite").read_bytes()
    assert names(store) == ["kept"]
    assert (store.folder / "index.sqlite").read_bytes() == before


def test_an_index_that_is_a_pipe_is_left_alone(store: Store) -> None:
    store.keep(result(0.1, "kept"))
    (store.folder / "index.sqlite").unlink()
    os.mkfifo(store.folder / "index.sqlite")
    assert names(store) == ["kept"]
    assert (store.folder / "index.sqlite").is_fifo()


@pytest.mark.parametrize(
    ("key", "value"),
    [("elements", [1]), ("elements", "24x12"), ("made", None), ("id", "../x"), ("more", 1), ("name", ["a"])],
)
def test_an_entry_file_that_does_not_fit_is_left_out(store: Store, key: str, value: object) -> None:
    kept = store.keep(result(0.1))
    assert kept is not None
    path = store.place(kept) / "entry.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    (store.folder / "index.sqlite").unlink()
    assert names(store) == []
