"""3MF packages: strict XML, shared vertices, a unit, and the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import lib3mf
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from trabecula.export import write_3mf
from trabecula.export.threemf import MODEL
from trabecula.surface import Mesh, surface

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
NAME = 'a & "b" <script>\x00'


def design() -> Mesh:
    field = gaussian_filter(np.random.default_rng(1).random((10, 12, 14)), 1.2)
    return surface((field - field.min()) / np.ptp(field), (0.01, 0.01, 0.02), keep_islands=True)


def package(mesh: Mesh, **options: str) -> bytes:
    file = io.BytesIO()
    write_3mf(file, mesh, **options)
    return file.getvalue()


@pytest.mark.parametrize("unit, word, factor", [("mm", "millimeter", 1000.0), ("m", "meter", 1.0)])
def test_reads_back_the_same_surface(unit, word, factor):
    mesh = design()
    with zipfile.ZipFile(io.BytesIO(package(mesh, unit=unit))) as parts:
        assert parts.testzip() is None
        assert parts.namelist()[:2] == ["[Content_Types].xml", "_rels/.rels"]
        for part in parts.namelist():
            ElementTree.fromstring(parts.read(part))
        model = ElementTree.fromstring(parts.read(MODEL))
    assert model.get("unit") == word
    vertices = np.array([[float(v.get(k)) for k in "xyz"] for v in model.iter(f"{CORE}vertex")])
    faces = np.array([[int(t.get(k)) for k in ("v1", "v2", "v3")] for t in model.iter(f"{CORE}triangle")])
    np.testing.assert_array_equal(faces, mesh.faces)
    np.testing.assert_array_equal(vertices.astype(np.float32), (mesh.vertices * factor).astype(np.float32))
    assert Mesh(vertices, faces).is_watertight()


def test_the_format_s_own_library_accepts_it(tmp_path):
    mesh = design()
    path = tmp_path / "design.3mf"
    write_3mf(path, mesh, title=NAME)
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    assert reader.GetWarningCount() == 0
    objects = model.GetMeshObjects()
    assert objects.MoveNext()
    part = objects.GetCurrentMeshObject()
    assert part.IsManifoldAndOriented()
    assert part.GetTriangleCount() == len(mesh.faces)
    assert part.GetName() == NAME.rstrip("\x00")
    assert model.GetUnit() == lib3mf.ModelUnit.MilliMeter


def test_equal_designs_give_equal_bytes():
    assert package(design(), title="a") == package(design(), title="a")
