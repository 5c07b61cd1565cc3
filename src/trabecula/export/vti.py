"""VTK image data (.vti): the voxels themselves, for ParaView and whatever else reads VTK's XML."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from trabecula.export.design import Design
from trabecula.export.target import Target, open_target
from trabecula.problem.unit_system import SI, UNIT_SYSTEMS

BLOCK = 1 << 20
"""Bytes in one compressed block."""

_TYPES = {"f4": "Float32", "f8": "Float64", "u1": "UInt8", "i4": "Int32", "i8": "Int64"}


def write_vti(
    target: Target,
    density: NDArray[np.floating],
    spacing: Sequence[float],
    fields: Mapping[str, NDArray[Any]] | None = None,
    origin: Sequence[float] = (),
    units: str = "",
) -> None:
    """Write a density field, and others on the same grid, as VTK image data.

    The origin is the corner of the first cell; x runs fastest, as VTK has it. A plane design is a flat image.
    The density is cell data; the other fields are cell or point data by their shape.

    Parameters
    ----------
    target
        Path, or binary file open for writing.
    density
        `[z, y, x]` or `[y, x]`, written as float32.
    spacing
        Edge lengths of a cell along x, y(, z).
    fields
        More arrays by name: over elements (the density's shape) or over nodes (one more each way), with a
        first axis for the components if there are several. Two components become three, as ParaView expects.
    origin
        Co-ordinates of that corner along x, y(, z); empty: zero.
    units
        What all of this is in, in words; the file says so in a field called "units", unless it is empty.

    Raises
    ------
    ValueError
        If a field fits neither elements nor nodes, has a type VTK lacks, or is called "density" again.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> write_vti(file, np.ones((2, 3)), (0.5, 0.5))
    >>> b'WholeExtent="0 3 0 2 0 0"' in file.getvalue()
    True
    """
    from xml.sax.saxutils import quoteattr  # loads urllib and ssl

    if len(spacing) != density.ndim:
        raise ValueError(f"write_vti: {len(spacing)} spacings for a density of shape {density.shape}")
    if "density" in (fields or {}):
        raise ValueError('write_vti: a field cannot be called "density": that name is taken')
    arrays: dict[str, NDArray[Any]] = {"density": density.astype(np.float32), **(fields or {})}
    cells, points = _sort_by_place(arrays, density.shape)
    declared, content = [], []
    offset = 0
    for kind, group in (("CellData", cells), ("PointData", points)):
        scalars = ' Scalars="density"' if kind == "CellData" else ""
        declared.append(f"      <{kind}{scalars}>")
        for name, array in group.items():
            encoded = _encode(array)
            declared.append(
                f'        <DataArray type="{_type(name, array)}" Name={quoteattr(name)}'
                f' NumberOfComponents="{array.shape[-1]}" format="appended" offset="{offset}"/>'
            )
            content.append(encoded)
            offset += len(encoded)
        declared.append(f"      </{kind}>")

    extent = " ".join(f"0 {n}" for n in (*density.shape[::-1], 0)[:3])
    steps = " ".join(repr(float(h)) for h in (*spacing, min(spacing))[:3])
    corner = " ".join(f"{place:.17g}" for place in (*origin, 0.0, 0.0, 0.0)[:3])
    head = "\n".join(
        [
            '<?xml version="1.0"?>',
            '<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64"'
            ' compressor="vtkZLibDataCompressor">',
            f'  <ImageData WholeExtent="{extent}" Origin="{corner}" Spacing="{steps}">',
            *_say(units),
            f'    <Piece Extent="{extent}">',
            *declared,
            "    </Piece>",
            "  </ImageData>",
            '  <AppendedData encoding="base64">',
            "   _",
        ]
    )
    with open_target(target) as file:
        file.write(head.encode())
        for part in content:
            file.write(part)
        file.write(b"\n  </AppendedData>\n</VTKFile>\n")


def _say(units: str) -> list[str]:
    """A text as VTK has it: the codes of its letters, and a zero."""
    if not units:
        return []
    codes = " ".join(str(code) for code in (*units.encode("ascii"), 0))
    return [
        "    <FieldData>",
        f'      <DataArray type="String" Name="units" NumberOfTuples="1" format="ascii">{codes}</DataArray>',
        "    </FieldData>",
    ]


def _sort_by_place(
    arrays: Mapping[str, NDArray[Any]], cells: tuple[int, ...]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Cell arrays and point arrays, each as `[place, component]` with x fastest."""
    nodes = tuple(n + 1 for n in cells)
    places: tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]] = ({}, {})
    for name, array in arrays.items():
        for group, shape in zip(places, (cells, nodes), strict=True):
            if array.shape == shape:
                group[name] = array.reshape(-1, 1)
                break
            if array.shape[1:] == shape:
                rows = array.reshape(len(array), -1).T
                group[name] = np.pad(rows, ((0, 0), (0, 1))) if len(array) == 2 else rows
                break
        else:
            raise ValueError(
                f"write_vti: field {name!r} has shape {array.shape}; allowed are {cells} (elements), {nodes}"
                " (nodes), or these after a first axis of components"
            )
    return places


def _type(name: str, array: NDArray[Any]) -> str:
    code = "u1" if array.dtype == np.bool_ else array.dtype.str[1:]
    if code not in _TYPES:
        raise ValueError(f"write_vti: field {name!r} has type {array.dtype}; VTK knows {', '.join(_TYPES)}")
    return _TYPES[code]


def _encode(array: NDArray[Any]) -> bytes:
    """VTK's compressed layout: block count, block size, last block's size, compressed sizes; then the
    blocks."""
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    blocks = [zlib.compress(raw[start : start + BLOCK], 6) for start in range(0, len(raw), BLOCK)]
    header = np.array([len(blocks), BLOCK, len(raw) % BLOCK, *map(len, blocks)], dtype="<u8")
    return base64.b64encode(header.tobytes()) + base64.b64encode(b"".join(blocks))


class Vti:
    """The format by name; see `trabecula.export.Export`."""

    file_name = "design.vti"
    description = "Voxels with density, displacements and stresses for ParaView, design.vti."

    def write(self, file: IO[bytes], design: Design) -> None:
        """Write the density of a design, its part, and what the part does in every load case, in the units
        that its record names."""
        name = design.record.get("units")
        system = UNIT_SYSTEMS.get(str(name), SI)
        fields = {
            key: array * system.factor(_kind(key)) if _kind(key) else array
            for key, array in design.fields.items()
        }
        write_vti(
            file,
            design.density,
            [system.from_si(edge, "length") for edge in design.spacing],
            fields,
            origin=[system.from_si(place, "length") for place in design.origin],
            units="" if name is None else _IN_WORDS[system.name],
        )


_KINDS = {"displacement": "length", "von_mises": "stress", "strain_energy_density": "stress"}
"""What a field is, by the first word of its name; an energy by volume has the unit of a stress."""

_IN_WORDS = {
    "SI": "lengths in m, stresses in Pa, energies by volume in J/m3",
    "mm": "lengths in mm, stresses in MPa, energies by volume in N mm/mm3",
}


def _kind(name: str) -> str:
    return _KINDS.get(name.partition(" ")[0], "")
