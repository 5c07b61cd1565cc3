"""An export of one's own: the surface as a Wavefront OBJ file, which most 3-D programs open."""

from __future__ import annotations

from typing import IO

import trabecula as tb
from trabecula.export import Design


class Obj:
    """The smooth watertight surface, corners first and then triangles, which count corners from 1."""

    file_name = "design.obj"
    description = "Watertight surface for 3-D programs, design.obj."

    def write(self, file: IO[bytes], design: Design) -> None:
        """Write a design into a file that is open for writing bytes."""
        scale = 1000.0 if design.unit == "mm" else 1.0
        file.write(f"# {design.title}, in {design.unit}\n".encode())
        for corner in (scale * design.surface.vertices).tolist():
            file.write("v {:.6g} {:.6g} {:.6g}\n".format(*corner).encode())
        for face in (design.surface.faces + 1).tolist():
            file.write("f {} {} {}\n".format(*face).encode())


tb.EXPORTS.register("obj", Obj())
