"""What is read back from STL is the surface that was written."""

from __future__ import annotations

import io

import numpy as np
import pytest
import trimesh
from scipy.ndimage import gaussian_filter

from trabecula.export import write_stl
from trabecula.problem.stl import RECORD, read_stl
from trabecula.surface import Mesh, surface


def design() -> Mesh:
    field = gaussian_filter(np.random.default_rng(1).random((16, 18, 20)), 1.2)
    return surface((field - field.min()) / np.ptp(field), (0.013, 0.011, 0.017), keep_islands=True)


def read(content: bytes) -> tuple[str, np.ndarray]:
    """Header and records of a binary STL."""
    count = int(np.frombuffer(content, "<u4", 1, 80)[0])
    assert len(content) == 84 + 50 * count
    return content[:80].decode(), np.frombuffer(content, RECORD, count, 84)


def merged(records: np.ndarray) -> Mesh:
    points, faces = np.unique(records["corners"].reshape(-1, 3), axis=0, return_inverse=True)
    return Mesh(points.astype(np.float64), faces.reshape(-1, 3))


@pytest.mark.parametrize("unit, factor", [("mm", 1000.0), ("m", 1.0)])
def test_reads_back_watertight_in_the_unit_asked(unit, factor):
    mesh = design()
    file = io.BytesIO()
    write_stl(file, mesh, unit)
    header, records = read(file.getvalue())
    back = merged(records)
    assert back.is_watertight()
    assert len(back.vertices) == len(mesh.vertices)
    assert back.volume() == pytest.approx(mesh.volume() * factor**3, rel=1e-5)
    assert header.startswith("trabecula") and f"unit {unit}" in header
    assert not header.startswith("solid")


def test_normals_are_unit_and_point_out():
    file = io.BytesIO()
    write_stl(file, surface(np.ones((2, 2, 2)), (1, 1, 1)), "m")
    _, records = read(file.getvalue())
    outward = records["corners"].mean(axis=1) - 1
    np.testing.assert_allclose(np.linalg.norm(records["normal"], axis=1), 1, rtol=1e-6)
    assert (np.einsum("fi,fi->f", records["normal"], outward) > 0).all()


def test_another_reader_finds_it_watertight(tmp_path):
    mesh = design()
    write_stl(tmp_path / "design.stl", mesh)
    back = trimesh.load(tmp_path / "design.stl")
    assert back.is_watertight and back.is_winding_consistent
    assert back.volume == pytest.approx(mesh.volume() * 1e9, rel=1e-5)


def test_fine_grids_of_large_parts_stay_watertight():
    """Float32 knows seven digits: a part of 4000 voxels length is still resolved."""
    density = np.clip(np.random.default_rng(2).random((3, 3, 4000)) + 0.2, 0, 1)
    mesh = surface(density, (0.001, 0.001, 0.001), keep_islands=True)
    file = io.BytesIO()
    write_stl(file, mesh)
    assert merged(read(file.getvalue())[1]).is_watertight()


def test_our_own_reader_finds_the_corners_that_were_written(tmp_path):
    mesh = design()
    write_stl(tmp_path / "design.stl", mesh, "m")
    np.testing.assert_array_equal(read_stl(tmp_path / "design.stl"), mesh.corners().astype(np.float32))


def test_an_empty_design_is_an_empty_file():
    file = io.BytesIO()
    write_stl(file, surface(np.zeros((2, 2, 2)), (1, 1, 1)))
    assert len(read(file.getvalue())[1]) == 0


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match='"m" or "mm"'):
        write_stl(io.BytesIO(), design(), "inch")
