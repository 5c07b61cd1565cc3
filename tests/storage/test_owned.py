"""Files of ours are known by the mark; nothing else in a folder is ever replaced or removed."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trabecula.storage.folders import make_folder, remove_folder, sweep_folders
from trabecula.storage.mark import (
    FORMAT,
    MARK,
    OwnershipError,
    Trace,
    read_mark,
)
from trabecula.storage.owned import hold


def write(folder: Path, name: str = "a.txt", content: str = "ours") -> Path:
    with hold(folder, "test") as held:
        held.write_text(name, content)
    return folder / name


def contents(folder: Path) -> dict[str, bytes]:
    """All files but those of ours that are not shown to anybody."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".trabecula")
    }


def test_a_folder_is_made_and_marked_and_one_left_empty_goes_again(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b")
    mark = read_mark(tmp_path / "a" / "b")
    assert mark is not None and mark.kind == "test"
    assert mark.files["a.txt"] == (Trace.of(tmp_path / "a" / "b" / "a.txt"),)
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [MARK, "a.txt"]
    with hold(tmp_path / "c" / "d", "test"):
        assert (tmp_path / "c" / "d").is_dir()
    assert not (tmp_path / "c").exists()


def test_everything_that_was_written_is_read_back(tmp_path: Path) -> None:
    with hold(tmp_path, "test") as held, held.batch():
        held.write_array("a.npy", np.arange(3.0))
        held.write_arrays("a.npz", {"x": np.arange(4)})
        held.write_bytes("a.bin", b"\x00\xff")
        assert not contents(tmp_path).keys() & {"a.npy", "a.npz", "a.bin"}, "a batch appears at its end"
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.arange(3.0))
    assert np.load(tmp_path / "a.npz")["x"].shape == (4,)
    with hold(tmp_path, "test") as held:
        held.check(["a.npy", "a.npz", "a.bin", "free.txt"])
        assert held.is_ours("a.bin") and not held.is_ours("free.txt")


def test_ours_is_replaced_and_removed(tmp_path: Path) -> None:
    path = write(tmp_path)
    write(tmp_path, content="newer")
    assert path.read_text() == "newer"
    with hold(tmp_path, "test") as held:
        assert held.remove("a.txt")
        assert not held.remove("a.txt")
    assert not path.exists()
    mark = read_mark(tmp_path)
    assert mark is not None and not mark.files


def test_a_copied_and_a_moved_folder_stay_ours(tmp_path: Path) -> None:
    write(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "c")
    for name in ("b", "c"):
        assert write(tmp_path / name, content="newer").read_text() == "newer"


def text(path: Path) -> None:
    path.write_text("mine")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inner").write_text("mine")


def link(path: Path) -> None:
    path.with_name("elsewhere").write_text("mine")
    path.symlink_to(path.with_name("elsewhere"))


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def pipe(path: Path) -> None:
    os.mkfifo(path)


FOREIGN = [text, empty, folder, link, dangling, pipe]


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("make", FOREIGN)
def test_what_is_not_ours_is_neither_replaced_nor_removed(
    tmp_path: Path, make: Callable[[Path], None], marked: bool
) -> None:
    if marked:
        write(tmp_path, "other.txt")
    make(tmp_path / "a.txt")
    before, kind = contents(tmp_path), (tmp_path / "a.txt").lstat().st_mode
    with hold(tmp_path, "test") as held:
        with pytest.raises(OwnershipError, match=r"a\.txt: .*; move it away"):
            held.check(["free.txt", "a.txt"])
        with pytest.raises(OwnershipError, match=r"a\.txt"):
            held.write_text("a.txt", "ours")
        assert not held.remove("a.txt")
    assert contents(tmp_path) == before
    assert (tmp_path / "a.txt").lstat().st_mode == kind
    assert (read_mark(tmp_path) is not None) == marked, "a refused folder is not marked"
    with hold(tmp_path, "test") as held:
        held.write_text("free.txt", "ours")
        held.retire()
    assert contents(tmp_path) == {name: b for name, b in before.items() if name != "other.txt"}


@pytest.mark.parametrize("make", FOREIGN)
@pytest.mark.parametrize("moment", ["between", "within"])
def test_what_was_changed_since_is_not_ours_any_more(
    tmp_path: Path, make: Callable[[Path], None], moment: str
) -> None:
    path = write(tmp_path)
    with hold(tmp_path, "test") as held:
        if moment == "within":
            assert held.is_ours("a.txt")
        path.unlink()
        make(path)
        assert not held.is_ours("a.txt")
        with pytest.raises(OwnershipError):
            held.write_text("a.txt", "ours")
        held.retire()
    assert os.path.lexists(path)


def test_an_edit_of_the_same_length_within_the_same_second_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path)
    with hold(tmp_path, "test") as held:
        held.check(["a.txt"])
        info = path.stat()
        path.write_text("MINE")
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        with pytest.raises(OwnershipError, match="changed since"):
            held.check(["a.txt"])


def test_a_write_protected_file_is_respected(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.chmod(0o444)
    with hold(tmp_path, "test") as held, pytest.raises(OwnershipError, match="write-protected"):
        held.write_text("a.txt", "newer")
    assert path.read_text() == "ours"


GOOD = {"trabecula": "folder", "format": FORMAT, "kind": "a", "token": "0123456789abcdef", "files": {}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"trabecula": "folder", "format": 1}',
        *(
            json.dumps(GOOD | changed).encode()
            for changed in (
                {"token": "../../x"},
                {"files": {"../x": []}},
                {"files": {"a": [1]}},
                {"files": {"a": [["0" * 63, 1]]}},
                {"format": True},
                {"format": 0},
                {"kind": 1},
            )
        ),
    ],
)
def test_a_mark_that_is_none_is_left_alone_and_the_folder_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MARK).write_bytes(content)
    with pytest.raises(OwnershipError, match="is not the mark of a folder, or is damaged; move it away"):
        hold(tmp_path, "test")
    assert (tmp_path / MARK).read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [MARK]


@pytest.mark.parametrize("make", [folder, link, dangling, pipe])
def test_a_mark_that_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / MARK)
    with pytest.raises(OwnershipError, match="move it away"):
        hold(tmp_path, "test")


def test_a_folder_of_a_newer_format_is_refused_in_one_sentence(tmp_path: Path) -> None:
    write(tmp_path)
    tree = json.loads((tmp_path / MARK).read_text())
    (tmp_path / MARK).write_text(json.dumps(tree | {"format": FORMAT + 1}))
    with pytest.raises(
        OwnershipError, match=rf"newer trabecula \(format {FORMAT + 1}, here {FORMAT}\); update"
    ):
        hold(tmp_path, "test")


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(tmp_path)

    def fail() -> None:
        raise RuntimeError("power cut")

    with hold(tmp_path, "test") as held:
        with pytest.raises(RuntimeError), held.replacing("a.txt") as file:
            file.write(b"half")
            fail()
        with pytest.raises(RuntimeError), held.batch():
            held.write_text("a.txt", "newer")
            held.write_text("b.txt", "newer")
            fail()
        held.write_text("c.txt", "and on")
    assert contents(tmp_path) == {"a.txt": b"ours", "c.txt": b"and on"}
    assert path.read_text() == "ours"


def test_only_temporary_files_of_ours_are_swept(tmp_path: Path) -> None:
    write(tmp_path)
    mark = read_mark(tmp_path)
    assert mark is not None
    (tmp_path / f".a.txt.{mark.token}-1-2-3.tmp").write_text("left")
    for name in (".x.tmp", ".a.txt.123.tmp", "a.tmp", f".a.txt.{'0' * 16}-1-2-3.tmp"):
        (tmp_path / name).write_text("mine")
    with hold(tmp_path, "test") as held:
        held.sweep(60.0)
        assert (tmp_path / f".a.txt.{mark.token}-1-2-3.tmp").exists(), "somebody may be writing it"
        held.sweep()
    assert [name for name in contents(tmp_path) if name.endswith(".tmp")] == [
        f".a.txt.{'0' * 16}-1-2-3.tmp",
        ".a.txt.123.tmp",
        ".x.tmp",
        "a.tmp",
    ]


def test_private_files_are_private(tmp_path: Path) -> None:
    with hold(tmp_path / "p", "test", private=True) as held:
        held.write_text("a.txt", "secret")
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "p", *(tmp_path / "p").iterdir()]
    }
    assert modes == {"p": 0o700, MARK: 0o600, "a.txt": 0o600}


def fill(part: Path) -> int:
    (part / "a.txt").write_text("ours")
    return 3


def test_a_folder_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    assert make_folder(tmp_path, "f", "test", "0" * 16, fill) == 3
    with pytest.raises(FileExistsError):
        make_folder(tmp_path, "f", "test", "0" * 16, fill)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileExistsError):
        make_folder(tmp_path, "empty", "test", "0" * 16, fill)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "f"]
    assert not remove_folder(tmp_path / "f", "another kind")
    (tmp_path / "f" / "note").write_text("mine")
    assert remove_folder(tmp_path / "f", "test")
    assert contents(tmp_path) == {"f/note": b"mine"}
    (tmp_path / f".g.{'0' * 16}-1.tmp").mkdir()
    (tmp_path / f".h.{'0' * 16}-1.tmp").symlink_to(tmp_path / "f")
    sweep_folders(tmp_path, "0" * 16, 0.0)
    assert contents(tmp_path) == {"f/note": b"mine"}
    assert not (tmp_path / f".g.{'0' * 16}-1.tmp").exists()


def test_no_link_out_of_a_folder_is_followed(tmp_path: Path) -> None:
    make_folder(tmp_path, "f", "test", "0" * 16, fill)
    (tmp_path / "link").symlink_to(tmp_path / "f")
    assert not remove_folder(tmp_path / "link", "test")
    assert not remove_folder(tmp_path / "f" / "a.txt", "test")
    assert not remove_folder(tmp_path / "none", "test")
    assert (tmp_path / "f" / "a.txt").exists()


OPERATIONS = ("replace", "rename", "link", "unlink", "fsync", "rmdir", "mkdir")


def killed_at(count: int, work: Callable[[], None]) -> bool:
    """Do something in a child that is killed before its `count`-th change of the disk; whether it was."""
    child = os.fork()
    if child == 0:
        left = count

        def counting(usual: Callable[..., object]) -> Callable[..., object]:
            def call(*given: object, **named: object) -> object:
                nonlocal left
                left -= 1
                if left == 0:
                    os._exit(9)
                return usual(*given, **named)

            return call

        for name in OPERATIONS:
            setattr(os, name, counting(getattr(os, name)))
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), "the work itself does not fail"
    return code == 9


def test_killed_at_any_moment_nothing_is_lost_and_nothing_claimed(tmp_path: Path) -> None:
    def work(place: Path, content: str) -> None:
        with hold(place, "test") as held:
            held.sweep()
            with held.batch():
                for name in ("a.txt", "b.txt"):
                    held.write_text(name, content + name)
            held.write_text("c.txt", content)
            held.remove("c.txt")

    count, was_killed = 0, True
    while was_killed:
        count += 1
        place = tmp_path / str(count)
        place.mkdir()
        (place / "mine.txt").write_text("mine")
        (place / ".mine.tmp").write_text("mine")
        was_killed = killed_at(count, lambda place=place: work(place, "first "))  # type: ignore[misc]
        for turn in ("second ", "third "):
            killed_at(count, lambda place=place, turn=turn: work(place, turn))  # type: ignore[misc]
        (place / "d.txt").write_text("mine, later")
        work(place, "last ")
        assert contents(place) == {
            ".mine.tmp": b"mine",
            "a.txt": b"last a.txt",
            "b.txt": b"last b.txt",
            "d.txt": b"mine, later",
            "mine.txt": b"mine",
        }, count
        with hold(place, "test") as held:
            held.retire()
        assert set(contents(place)) == {".mine.tmp", "d.txt", "mine.txt"}
    assert count > 20


NAMES = st.sampled_from(["a.txt", "b.txt", "c.txt"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES, st.binary(max_size=3)),
        st.tuples(st.just("remove"), NAMES, st.just(b"")),
        st.tuples(st.just("theirs"), NAMES, st.binary(max_size=3)),
        st.tuples(st.just("gone"), NAMES, st.just(b"")),
        st.tuples(st.just("retire"), NAMES, st.just(b"")),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, held_once=st.booleans())
def test_whatever_happens_content_of_others_stays(
    tmp_path: Path, steps: list[tuple[str, str, bytes]], held_once: bool
) -> None:
    """A model of the folder: what others put there is the same until they take it away."""
    place = tmp_path / os.urandom(8).hex()
    place.mkdir()
    theirs: dict[str, bytes] = {}
    written: dict[str, set[bytes]] = {}
    keep = hold(place, "test") if held_once else None
    for what, name, content in steps:
        if what == "theirs":
            theirs[name] = content + b" of others"
            place.mkdir(exist_ok=True)
            (place / name).write_bytes(theirs[name])
        elif what == "gone":
            theirs.pop(name, None)
            (place / name).unlink(missing_ok=True)
        else:
            with hold(place, "test") as held:
                if what == "write":
                    try:
                        held.write_bytes(name, content)
                        assert name not in theirs
                        written.setdefault(name, set()).add(content)
                    except OwnershipError:
                        assert name in theirs
                elif what == "remove":
                    held.remove(name)
                else:
                    held.retire()
        for known, expected in theirs.items():
            assert (place / known).read_bytes() == expected
    if keep is not None:
        keep.close()
    assert not [*place.glob(".*.tmp"), *place.glob(".*.lock")]


def test_a_folder_held_twice_by_one_thread_is_free_when_both_let_go(tmp_path: Path) -> None:
    with hold(tmp_path, "test") as outer:
        with hold(tmp_path, "test") as inner:
            assert inner is outer
        outer.write_text("a.txt", "still held")
        assert outer.is_held
    assert not outer.is_held


def test_a_folder_that_is_made_again_is_another_one(tmp_path: Path) -> None:
    place = tmp_path / "f"
    first = hold(place, "test")
    first.write_text("a.txt", "ours")
    shutil.rmtree(place)
    place.mkdir()
    (place / "a.txt").write_text("mine")
    with hold(place, "test") as second, pytest.raises(OwnershipError):
        second.write_text("a.txt", "ours")
    assert (place / "a.txt").read_text() == "mine"
    first.close()


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*where: object, **how: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write(tmp_path)
    write(tmp_path, content="newer")
    assert contents(tmp_path) == {"a.txt": b"newer"}
    assert read_mark(tmp_path) is not None
