"""Files appear whole or not at all, and are read without being trusted."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trabecula.storage import reading, writing
from trabecula.storage.reading import UnreadableError


def npy(array: np.ndarray, **options: bool) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def test_an_array_comes_back_as_it_was(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    writing.write_array(tmp_path / "a.npy", array)
    again = reading.read_array(tmp_path / "a.npy", (2, 3, 4))
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, array)


def test_named_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"design": np.random.default_rng(0).random((3, 5)), "beta": np.asarray(8.0)}
    writing.write_arrays(tmp_path / "a.npz", arrays)
    again = reading.read_arrays(tmp_path / "a.npz", {"design": (3, 5), "beta": (), "relaxed": (3, 5)})
    assert set(again) == {"design", "beta"}
    np.testing.assert_array_equal(again["design"], arrays["design"])
    assert float(again["beta"]) == 8.0


def test_large_arrays_come_back_too(tmp_path: Path) -> None:
    arrays = {"design": np.random.default_rng(0).random((700, 1000)), "beta": np.asarray(8.0)}
    writing.write_arrays(tmp_path / "a.npz", arrays)
    again = reading.read_arrays(tmp_path / "a.npz", {"design": (700, 1000), "beta": ()})
    np.testing.assert_array_equal(again["design"], arrays["design"])


def test_column_order_is_understood(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    (tmp_path / "a.npy").write_bytes(npy(array))
    np.testing.assert_array_equal(reading.read_array(tmp_path / "a.npy", (2, 3)), array)


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writing.write_text(path, "old")
    with pytest.raises(RuntimeError, match="power cut"), writing.replacing(path) as file:
        file.write(b"half of the n")
        raise RuntimeError("power cut")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"not an array at all", "damaged"),
        (npy(np.ones((2, 3)))[:-1], "shorter or longer"),
        (npy(np.ones((2, 3))) + b"x", "shorter or longer"),
        (npy(np.ones((3, 2))), "shape"),
        (npy(np.array([["a", "b", "c"]] * 2)), "real numbers"),
        (npy(np.array([[{}, 1, 2]] * 2, dtype=object), allow_pickle=True), "real numbers"),
        (npy(np.full((2, 3), np.nan)), "NaN"),
        (npy(np.ones((2, 3), complex)), "real numbers"),
        (b"\x93NUMPY\x03\x00" + b"\0" * 50, "format"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8'}", "damaged"),
    ],
)
def test_a_bad_array_file_is_refused_with_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UnreadableError, match=said):
        reading.read_array(tmp_path / "a.npy", (2, 3))


def test_a_header_that_promises_terabytes_takes_no_memory(tmp_path: Path) -> None:
    shape = (1_000_000, 1_000_000)
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 80
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UnreadableError, match="shorter or longer"):
        reading.read_array(tmp_path / "a.npy", shape)


def test_compressed_archives_are_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", design=np.zeros((3, 3)))
    with pytest.raises(UnreadableError, match="compressed"):
        reading.read_arrays(tmp_path / "a.npz", {"design": (3, 3)})


def test_strange_members_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", other=np.zeros(3))
    with pytest.raises(UnreadableError, match="does not belong"):
        reading.read_arrays(tmp_path / "a.npz", {"design": (3,)})


def test_something_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 nothing more")
    with pytest.raises(UnreadableError, match="damaged"):
        reading.read_arrays(tmp_path / "a.npz", {"design": (3,)})


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="does not exist"):
        reading.read_array(tmp_path / "none.npy", (1,))
    with pytest.raises(UnreadableError, match="is a directory"):
        reading.read_array(tmp_path, (1,))


def test_text_is_limited_and_must_be_text(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 11)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "good").write_text("ä")
    with pytest.raises(UnreadableError, match="larger than 10 bytes"):
        reading.read_text(tmp_path / "long", 10)
    with pytest.raises(UnreadableError, match="UTF-8"):
        reading.read_text(tmp_path / "binary", 10)
    assert reading.read_text(tmp_path / "good", 10) == "ä"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(where=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 10_000))
def test_no_damage_does_more_than_refuse(tmp_path: Path, where: int, value: int, cut: int) -> None:
    path = tmp_path / "a.npz"
    writing.write_arrays(path, {"design": np.ones((4, 4)), "beta": np.asarray(1.0)})
    content = bytearray(path.read_bytes())
    content[where % len(content)] = value
    path.write_bytes(bytes(content[: len(content) - cut % 5]))
    try:
        found = reading.read_arrays(path, {"design": (4, 4), "beta": ()})
    except UnreadableError:
        return
    assert set(found) <= {"design", "beta"}


def test_archives_hold_plain_npy_members(tmp_path: Path) -> None:
    writing.write_arrays(tmp_path / "a.npz", {"design": np.zeros((2, 2))})
    assert zipfile.ZipFile(tmp_path / "a.npz").namelist() == ["design.npy"]
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive["design"].shape == (2, 2)
