"""The picture of a design, a PNG file."""

from __future__ import annotations

from typing import IO

from trabecula.export.design import Design


class Png:
    """The format by name; see `trabecula.export.Export`."""

    file_name = "design.png"
    description = "Picture, design.png."

    def write(self, file: IO[bytes], design: Design) -> None:
        """Write the picture of a design."""
        file.write(design.picture)
