"""VTK image data, read back by a reader written from VTK's file format description."""

from __future__ import annotations

import base64
import io
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest

from trabecula.export import write_vti
from trabecula.export.design import Design
from trabecula.export.vti import BLOCK, Vti

TYPES = {"Float32": "<f4", "Float64": "<f8", "UInt8": "<u1", "Int32": "<i4", "Int64": "<i8"}


def decode(text: str, dtype: str) -> np.ndarray:
    """One appended array: base64 of the header, then base64 of the compressed blocks."""
    count = int(np.frombuffer(base64.b64decode(text[:12])[:8], "<u8")[0])
    length = -(-8 * (3 + count) // 3) * 4
    header = np.frombuffer(base64.b64decode(text[:length]), "<u8")
    assert header[1] == BLOCK
    body = base64.b64decode(text[length : length + -(-int(header[3:].sum()) // 3) * 4])
    raw, start = b"", 0
    for size in header[3:].tolist():
        raw += zlib.decompress(body[start : start + size])
        start += size
    assert len(raw) % BLOCK == header[2]
    return np.frombuffer(raw, dtype)


def written(*arguments: object) -> ElementTree.Element:
    file = io.BytesIO()
    write_vti(file, *arguments)
    return ElementTree.fromstring(file.getvalue())


def arrays(root: ElementTree.Element, kind: str) -> dict[str, np.ndarray]:
    text = root.find("AppendedData").text.strip()
    assert text.startswith("_")
    found = {}
    for entry in root.findall(f"ImageData/Piece/{kind}/DataArray"):
        values = decode(text[1 + int(entry.get("offset")) :], TYPES[entry.get("type")])
        found[entry.get("Name")] = values.reshape(-1, int(entry.get("NumberOfComponents")))
    return found


def test_density_comes_back_with_x_fastest():
    density = np.random.default_rng(0).random((4, 5, 6), dtype=np.float32)
    root = written(density, (0.1, 0.2, 0.3))
    assert root.attrib["type"] == "ImageData" and root.attrib["byte_order"] == "LittleEndian"
    image = root.find("ImageData")
    assert image.get("WholeExtent") == "0 6 0 5 0 4" == image.find("Piece").get("Extent")
    assert image.get("Origin") == "0 0 0" and image.get("Spacing") == "0.1 0.2 0.3"
    assert image.find("Piece/CellData").get("Scalars") == "density"
    np.testing.assert_array_equal(arrays(root, "CellData")["density"][:, 0], density.ravel())


def test_large_arrays_are_cut_into_blocks():
    density = np.random.default_rng(0).random((8, 256, 256), dtype=np.float32)
    assert density.nbytes == 2 * BLOCK
    root = written(density, (1, 1, 1))
    np.testing.assert_array_equal(arrays(root, "CellData")["density"][:, 0], density.ravel())


def test_fields_find_their_place_by_their_shape():
    density = np.zeros((2, 3, 4))
    displacement = np.random.default_rng(0).random((3, 3, 4, 5))
    root = written(
        density, (1, 1, 1), {"u": displacement, "solid": density > 0, "piece": np.ones((2, 3, 4), int)}
    )
    cells, points = arrays(root, "CellData"), arrays(root, "PointData")
    assert list(cells) == ["density", "solid", "piece"] and list(points) == ["u"]
    np.testing.assert_array_equal(points["u"], displacement.reshape(3, -1).T)
    assert cells["piece"].sum() == 24


def test_plane_fields_are_flat_and_their_vectors_have_three_components():
    density = np.random.default_rng(0).random((3, 4))
    root = written(
        density, (0.5, 0.25), {"u": np.ones((2, 4, 5)), "temperature": np.ones((4, 5), np.float32)}
    )
    assert root.find("ImageData").get("WholeExtent") == "0 4 0 3 0 0"
    np.testing.assert_array_equal(arrays(root, "PointData")["u"], np.tile([1.0, 1.0, 0.0], (20, 1)))


def test_names_are_escaped():
    root = written(np.zeros((2, 2)), (1, 1), {'<"&': np.zeros((2, 2))})
    assert '<"&' in arrays(root, "CellData")


@pytest.mark.parametrize(
    "spacing, fields, message",
    [
        ((1, 1, 1), None, "spacings"),
        ((1, 1), {"a": np.zeros((5, 5))}, "shape"),
        ((1, 1), {"a": np.zeros((2, 2), complex)}, "type"),
        ((1, 1), {"density": np.zeros((2, 2))}, "taken"),
    ],
)
def test_what_does_not_fit_is_refused(spacing, fields, message):
    with pytest.raises(ValueError, match=message):
        write_vti(io.BytesIO(), np.zeros((2, 2)), spacing, fields)


@pytest.mark.parametrize(
    ("name", "length", "stress", "said"),
    [("mm", 1e3, 1e-6, "lengths in mm, stresses in MPa"), ("SI", 1.0, 1.0, "lengths in m, stresses in Pa")],
)
def test_a_file_speaks_the_units_of_its_record_and_says_so(
    name: str, length: float, stress: float, said: str
) -> None:
    fields = {
        "part": np.ones((2, 3), np.uint8),
        "displacement wind": np.full((2, 3, 4), 2e-5, np.float32),
        "von_mises wind": np.full((2, 3), 3e6, np.float32),
        "strain_energy_density wind": np.full((2, 3), 40.0, np.float32),
        "temperature": np.full((3, 4), 7.0, np.float32),
    }
    design = Design(
        np.ones((2, 3), np.float32),
        (0.002, 0.001),
        origin=(-0.01, 0.005),
        record={"units": name},
        find_fields=lambda: fields,
    )
    file = io.BytesIO()
    Vti().write(file, design)
    root = ElementTree.fromstring(file.getvalue())
    image = root.find("ImageData")
    corner, spacing = ([float(x) for x in image.get(key).split()] for key in ("Origin", "Spacing"))
    assert corner == [-0.01 * length, 0.005 * length, 0.0]
    assert spacing[:2] == [0.002 * length, 0.001 * length]
    cells, points = arrays(root, "CellData"), arrays(root, "PointData")
    assert cells["part"].max() == 1
    np.testing.assert_allclose(points["displacement wind"][:, 0], 2e-5 * length, rtol=1e-6)
    np.testing.assert_allclose(cells["von_mises wind"], 3e6 * stress, rtol=1e-6)
    np.testing.assert_allclose(cells["strain_energy_density wind"], 40.0 * stress, rtol=1e-6)
    np.testing.assert_allclose(points["temperature"], 7.0)
    codes = root.find("ImageData/FieldData/DataArray").text.split()
    assert bytes(int(code) for code in codes[:-1]).decode().startswith(said)
    assert codes[-1] == "0"
