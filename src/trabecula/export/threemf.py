"""3MF: a zip of XML that says its unit and shares its vertices (3MF Core Specification 1.3)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from trabecula.export.design import Design
from trabecula.export.target import Target, Unit, open_target, per_metre
from trabecula.surface.mesh import Mesh

MODEL = "3D/3dmodel.model"
"""Name of the part that holds the geometry."""

_CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>'
    "</Types>\n"
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="model" Target="/{MODEL}"'
    ' Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/>'
    "</Relationships>\n"
)
_UNITS = {"mm": "millimeter", "m": "meter"}
_CHUNK = 20_000


def write_3mf(target: Target, mesh: Mesh, unit: Unit = "mm", title: str = "design") -> None:
    """Write a surface as 3MF; equal input gives equal bytes.

    Parameters
    ----------
    target
        Path, or binary file open for writing.
    mesh
        The surface, in metres.
    unit
        "mm" or "m": the unit of the numbers, named in the file too.
    title
        Name of the part.
    """
    # float32 is enough for nine digits at most, and keeps apart whatever STL keeps apart
    points = (mesh.vertices * per_metre(unit)).astype(np.float32)
    with open_target(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in (("[Content_Types].xml", _TYPES), ("_rels/.rels", _RELATIONS)):
            package.writestr(_entry(name), text)
        with package.open(_entry(MODEL), "w", force_zip64=True) as part:
            _write_model(part, points, mesh.faces, unit, title)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _write_model(
    part: IO[bytes], points: NDArray[np.float32], faces: NDArray[np.int64], unit: Unit, title: str
) -> None:
    from xml.sax.saxutils import escape  # loads urllib and ssl

    label = escape("".join(c for c in title if c.isprintable()), {'"': "&quot;"})
    part.write(
        f'{_HEAD}<model unit="{_UNITS[unit]}" xml:lang="en-US" xmlns="{_CORE}">'
        f'<metadata name="Title">{label}</metadata><metadata name="Application">trabecula</metadata>'
        f'<resources><object id="1" type="model" name="{label}"><mesh>\n<vertices>\n'.encode()
    )
    for text in _rows('<vertex x="%.9g" y="%.9g" z="%.9g"/>\n', points):
        part.write(text)
    part.write(b"</vertices>\n<triangles>\n")
    for text in _rows('<triangle v1="%d" v2="%d" v3="%d"/>\n', faces):
        part.write(text)
    part.write(b'</triangles>\n</mesh></object></resources><build><item objectid="1"/></build></model>\n')


def _rows(form: str, rows: NDArray[np.float32] | NDArray[np.int64]) -> Iterator[bytes]:
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        yield ((form * len(chunk)) % tuple(chunk.ravel().tolist())).encode()


class ThreeMf:
    """The format by name; see `trabecula.export.Export`."""

    file_name = "design.3mf"
    description = "Watertight surface for printing, design.3mf."

    def write(self, file: IO[bytes], design: Design) -> None:
        """Write the surface of a design under its title."""
        write_3mf(file, design.surface, design.unit, design.title)
