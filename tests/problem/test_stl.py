"""STL files are read whole or refused; voxels are inside exactly where the surface says so."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.problem import ProblemError, stl
from trabecula.problem import point_in_mesh as inside
from trabecula.problem.point_in_mesh import inside as is_inside
from trabecula.problem.stl import read_stl

from .solids import box_triangles, sphere_triangles, write_stl


def axes(count: int, size: float) -> tuple[np.ndarray, ...]:
    return tuple((np.arange(n) + 0.5) * size / count for n in (count, count + 1, count + 2))


def meshed(places: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Co-ordinates x, y, z as `[z, y, x]` arrays."""
    z, y, x = np.meshgrid(*reversed(places), indexing="ij")
    return x, y, z


@pytest.mark.parametrize("text", [False, True])
def test_binary_and_text_files_give_the_same_triangles(tmp_path: Path, text: bool) -> None:
    triangles = sphere_triangles((1, 2, 3), 0.5, times=1)
    read = read_stl(write_stl(tmp_path / "a.stl", triangles, text))
    assert np.allclose(read, triangles, atol=1e-6)


def test_a_sphere_holds_the_points_within_its_radius() -> None:
    places = axes(30, 1.0)
    mask = is_inside(sphere_triangles((0.5, 0.45, 0.55), 0.4, times=5), places)
    x, y, z = meshed(places)
    distance = np.sqrt((x - 0.5) ** 2 + (y - 0.45) ** 2 + (z - 0.55) ** 2)
    assert mask[distance < 0.398].all()
    assert not mask[distance > 0.4].any()


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.integers(0, 9)] * 3), st.tuples(*[st.integers(1, 9)] * 3), st.booleans())
def test_a_box_is_exact_even_where_points_lie_on_its_edges(
    low: tuple[int, ...], size: tuple[int, ...], on_points: bool
) -> None:
    places = tuple(np.arange(12.0) for _ in range(3))
    shift = 0.0 if on_points else 0.5
    corner = np.array(low) + shift
    far = corner + np.array(size)
    mask = is_inside(box_triangles(tuple(corner), tuple(far)), places)
    within = [(p >= a) & (p < b) for p, a, b in zip(places, corner, far, strict=True)]
    # Half-open bounds: of two boxes that touch, each point belongs to one.
    assert mask.sum() == np.prod([w.sum() for w in within])
    if not on_points:
        assert np.array_equal(mask, within[2][:, None, None] & within[1][None, :, None] & within[0])


def test_a_turned_box_is_exact() -> None:
    angle = np.radians(33.0)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    triangles = box_triangles((-0.3, -0.2, -0.25), (0.3, 0.2, 0.25)) @ turn.T + 0.5
    places = axes(25, 1.0)
    x, y, z = (p - 0.5 for p in meshed(places))
    u, v = turn[0, 0] * x + turn[1, 0] * y, turn[0, 1] * x + turn[1, 1] * y
    expected = (np.abs(u) < 0.3) & (np.abs(v) < 0.2) & (np.abs(z) < 0.25)
    assert np.array_equal(is_inside(triangles, places), expected)


def test_a_hollow_part_is_hollow() -> None:
    hollow = box_triangles((0.3,) * 3, (0.7,) * 3)[:, ::-1]
    triangles = np.concatenate([box_triangles((0.1,) * 3, (0.9,) * 3), hollow])
    mask = is_inside(triangles, axes(20, 1.0))
    assert mask[3, 3, 3]
    assert not mask[10, 10, 10]


def test_a_surface_with_a_hole_is_closed_by_vote() -> None:
    triangles = box_triangles((0.1, 0.2, 0.1), (0.9, 0.8, 0.7))
    places = axes(20, 1.0)
    whole = is_inside(triangles, places)
    for missing in range(12):
        assert np.array_equal(is_inside(np.delete(triangles, missing, axis=0), places), whole)


def test_memory_stays_bounded_and_the_answer_the_same_in_small_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    triangles, places = sphere_triangles((0.5, 0.5, 0.5), 0.4, times=3), axes(16, 1.0)
    whole = is_inside(triangles, places)
    monkeypatch.setattr(inside, "_PAIRS", 50)
    assert np.array_equal(is_inside(triangles, places), whole)


def test_triangles_over_triangles_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "_MOST_PAIRS", 1000)
    with pytest.raises(ProblemError, match="too many large triangles"):
        is_inside(np.tile(box_triangles((0.0,) * 3, (1.0,) * 3), (10, 1, 1)), axes(16, 1.0))


def test_long_text_files_are_read_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_stl(tmp_path / "a.stl", sphere_triangles((0, 0, 0), 1, times=2), text=True)
    whole = read_stl(path)
    monkeypatch.setattr(stl, "_ROWS", 7)
    assert np.array_equal(read_stl(path), whole)


def test_flat_and_pointlike_triangles_do_no_harm() -> None:
    flat = np.zeros((4, 3, 3))
    flat[1, :, 0] = [0, 0.3, 1]
    flat[2, :, 2] = [0, 0.3, 1]
    triangles = np.concatenate([flat + 0.25, box_triangles((0.1,) * 3, (0.9,) * 3)])
    places = axes(20, 1.0)
    assert np.array_equal(is_inside(triangles, places), is_inside(triangles[4:], places))


def _header(count: int) -> bytes:
    return b"\0" * 80 + count.to_bytes(4, "little")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no STL file"),
        (b"hello", "no STL file"),
        (b"\0" * 200, "no STL file"),
        (_header(2**32 - 1) + b"\0" * 50, "no STL file"),
        (_header(0), "no triangles"),
        (b"solid x\nendsolid x\n", "no triangles"),
        (b"solid x\nvertex 1 2\nvertex 1 2 3\nvertex 1 2 3\n", "no STL file"),
        (b"solid x\nvertex 1 2 3\n", "no STL file"),
        (b"solid x\n" + b"vertex 1 2 three\n" * 3, "NaN or infinite"),
        (b"solid x\n" + b"vertex 1 2 nan\n" * 3, "NaN or infinite"),
        (_header(1) + b"\xff" * 50, "NaN or infinite"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match=said):
        read_stl(path, "domain.shape")


def test_files_beyond_the_limits_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_stl(tmp_path / "a.stl", box_triangles((0, 0, 0), (1, 1, 1)))
    monkeypatch.setattr(stl, "MAX_TRIANGLES", 11)
    with pytest.raises(ProblemError, match="12 triangles; at most 11"):
        read_stl(path)
    monkeypatch.setattr(stl, "MAX_BYTES", 100)
    with pytest.raises(ProblemError, match="MB"):
        read_stl(path)
    with pytest.raises(ProblemError, match="no file"):
        read_stl(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_crash_the_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, text: bool
) -> None:
    path = tmp_path_factory.mktemp("stl") / "a.stl"
    path.write_bytes((b"solid\n" if text else b"") + content)
    with contextlib.suppress(ProblemError):
        assert np.isfinite(read_stl(path)).all()


WHOLE = b"""solid a name
facet normal 0 0 1
 outer loop
  vertex 0 0 0
  vertex 1 0 0
  vertex 0 1 0
 endloop
endfacet
endsolid a name
"""


def test_a_text_file_without_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(WHOLE * 2)
    assert read_stl(path).shape == (2, 3, 3), "two solids"
    lines = WHOLE.splitlines(keepends=True)
    for keep in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:keep]))
        with pytest.raises(ProblemError, match="cut short"):
            read_stl(path)


@pytest.mark.parametrize("gone", range(1, 9))
def test_a_text_file_that_lacks_a_line_is_refused(tmp_path: Path, gone: int) -> None:
    lines = WHOLE.splitlines(keepends=True)
    path = tmp_path / "a.stl"
    path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    with pytest.raises(ProblemError, match="cut short"):
        read_stl(path)


@pytest.mark.parametrize("cut", [1, 25, 49, 50])
def test_a_binary_file_whose_count_and_size_disagree_is_refused(tmp_path: Path, cut: int) -> None:
    path = write_stl(tmp_path / "a.stl", box_triangles((0, 0, 0), (1, 1, 1)))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ProblemError, match="cut short"):
        read_stl(path)
