"""Binary STL: triangles in float32, the file every slicer reads."""

from __future__ import annotations

from typing import IO

import numpy as np

from trabecula.export.design import Design
from trabecula.export.target import Target, Unit, open_target, per_metre
from trabecula.problem.stl import RECORD
from trabecula.surface.mesh import Mesh

_CHUNK = 100_000


def write_stl(target: Target, mesh: Mesh, unit: Unit = "mm") -> None:
    """Write a surface as binary STL.

    The format holds no units; the header's text names them. Readers find shared corners by comparing
    numbers, and every corner of a vertex is the same float32 here, so a watertight mesh is watertight when
    read back.

    Parameters
    ----------
    target
        Path, or binary file open for writing.
    mesh
        The surface, in metres.
    unit
        "mm" (what slicers expect) or "m".
    """
    points = (mesh.vertices * per_metre(unit)).astype("<f4")
    with open_target(target) as file:
        # a header that starts with "solid" would be taken for the text form of STL
        file.write(f"trabecula surface, unit {unit}".encode().ljust(80))
        file.write(np.uint32(len(mesh.faces)).astype("<u4").tobytes())
        for start in range(0, len(mesh.faces), _CHUNK):
            corners = points[mesh.faces[start : start + _CHUNK]]
            records = np.zeros(len(corners), dtype=RECORD)
            records["corners"] = corners
            edges = corners[:, 1:].astype(np.float64) - corners[:, :1]
            normal = np.cross(edges[:, 0], edges[:, 1])
            length = np.linalg.norm(normal, axis=1, keepdims=True)
            records["normal"] = normal / np.where(length > 0, length, 1.0)
            file.write(records.tobytes())


class StlExport:
    """The format by name; see `trabecula.export.Export`."""

    file_name = "design.stl"
    description = "Watertight surface, design.stl."

    def write(self, file: IO[bytes], design: Design) -> None:
        """Write the surface of a design."""
        write_stl(file, design.surface, design.unit)
