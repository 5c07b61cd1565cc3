"""The table of exports: ours write what their functions write, and anybody's may stand beside them."""

from __future__ import annotations

import io
import types
from typing import IO

import numpy as np
import pytest

from trabecula.drawing import picture
from trabecula.export import (
    EXPORTS,
    Conditions,
    Design,
    Export,
    find_export,
    write_3mf,
    write_export,
    write_stl,
    write_vti,
)
from trabecula.problem.tables import BrokenEntryError, Table, UnknownNameError
from trabecula.surface import surface

pytestmark = pytest.mark.usefixtures("quick_pictures")

OURS = {
    "stl": "design.stl",
    "3mf": "design.3mf",
    "vti": "design.vti",
    "png": "design.png",
    "report": "report.html",
}


def block(**changes: object) -> Design:
    density = np.zeros((6, 8, 10), np.float32)
    density[1:5, 2:6, :] = 1
    given = {"spacing": (0.1, 0.1, 0.1), "title": "Block", "word": "verified", **changes}
    return Design(density, **given)


def written(name: str, design: Design) -> bytes:
    file = io.BytesIO()
    write_export(name, file, design)
    return file.getvalue()


class Outline:
    """The sum of the density, as text."""

    file_name = "design.txt"
    description = "Sum of the density."

    def write(self, file: IO[bytes], design: Design) -> None:
        file.write(f"{design.density.sum():g}".encode())


@pytest.fixture
def own_table(monkeypatch: pytest.MonkeyPatch) -> Table[Export]:
    """The table as it is without what a test adds."""
    ours = {name: row for name, row in EXPORTS._rows.items() if name in OURS}
    monkeypatch.setattr(EXPORTS, "_rows", ours)
    return EXPORTS


def test_ours_are_named_described_and_write_the_files_they_always_wrote(own_table: Table[Export]) -> None:
    assert tuple(OURS) == own_table.names()
    for name, file_name in OURS.items():
        assert find_export(name).file_name == file_name
        assert isinstance(EXPORTS[name], Export)
        assert EXPORTS[name].description == EXPORTS.description(name)
        assert file_name in EXPORTS.description(name)


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_ours_write_what_their_functions_write(unit: str) -> None:
    design = block(unit=unit)
    mesh = surface(design.density, design.spacing)
    stl, threemf, vti = io.BytesIO(), io.BytesIO(), io.BytesIO()
    write_stl(stl, mesh, unit)
    write_3mf(threemf, mesh, unit, "Block")
    write_vti(vti, design.density, design.spacing)
    assert written("stl", design) == stl.getvalue()
    assert written("3mf", design) == threemf.getvalue()
    assert written("vti", design) == vti.getvalue()
    assert written("png", design) == picture(design.density, design.spacing, title="Block", word="verified")
    assert b"<!doctype html>" in written("report", design)


def test_conditions_are_found_once_and_only_where_they_are_needed() -> None:
    asked = []

    def find() -> Conditions:
        asked.append(1)
        solid = np.zeros((6, 8, 10), bool)
        solid[0] = True
        return Conditions(solid=solid)

    design = block(find_conditions=find)
    written("vti", design)
    assert not asked
    written("stl", design)
    assert written("png", design) != written("png", block())
    written("report", design)
    assert asked == [1]
    assert design.surface.volume() > block().surface.volume()


def test_an_export_of_somebody_is_used_by_its_name(own_table: Table[Export]) -> None:
    own_table.register("outline", Outline())
    assert written("outline", block()) == b"160"
    assert own_table.description("outline") == "Sum of the density."
    with pytest.raises(UnknownNameError, match="known are stl, 3mf, vti, png, report, outline"):
        find_export("outlines")


def test_a_module_is_an_export_too(own_table: Table[Export]) -> None:
    module = types.ModuleType("outline", "Sums.")
    module.file_name, module.description = "design.txt", "Sum of the density."
    module.write = Outline().write
    own_table.register("outline", module)
    assert written("outline", block()) == b"160"


@pytest.mark.parametrize(
    "file_name",
    ["result.json", "problem.yaml", "../design.x", "/design.x", "design", "design.", "design.x/y", ".x", 3,
     "design.x\n", "input-a.stl", "design x.y", ".trabecula.json"],
)  # fmt: skip
def test_a_file_name_that_meets_others_is_refused(own_table: Table[Export], file_name: object) -> None:
    bad = Outline()
    bad.file_name = file_name  # type: ignore[assignment]
    own_table.register("bad", bad)
    with pytest.raises(BrokenEntryError, match="the export 'bad' would write a file"):
        find_export("bad")


@pytest.mark.parametrize("file_name", ["design.obj", "design-outline.svg", "report.pdf", "design.tar.gz"])
def test_a_file_name_of_a_design_or_report_is_taken(own_table: Table[Export], file_name: str) -> None:
    good = Outline()
    good.file_name = file_name
    own_table.register("good", good)
    assert find_export("good").file_name == file_name


@pytest.mark.parametrize("other", [Outline, object(), types.ModuleType("m")])
def test_what_is_no_export_cannot_be_registered(own_table: Table[Export], other: object) -> None:
    with pytest.raises(TypeError, match=r"trabecula\.export\.table\.Export"):
        own_table.register("other", other)  # type: ignore[arg-type]


def test_an_export_that_fails_is_named_and_ours_is_not_excused(own_table: Table[Export]) -> None:
    class Bad(Outline):
        def __init__(self, error: Exception) -> None:
            self.error = error

        def write(self, file: IO[bytes], design: Design) -> None:
            raise self.error

    own_table.register("bad", Bad(KeyError("no\nluck")))
    with pytest.raises(BrokenEntryError, match=r"the export 'bad' failed \(KeyError: 'no\S+luck'\)"):
        written("bad", block())
    own_table.register("full", Bad(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        written("full", block())
    with pytest.raises(ValueError, match="surface"):
        written("stl", block(spacing=(1, 1)))


def test_the_surface_is_that_of_the_part() -> None:
    part = np.zeros((6, 8, 10), dtype=bool)
    part[1:5, 1:7, 1:9] = True
    design = block(part=part, threshold=0.4)
    assert design.surface.volume() == pytest.approx(part.sum() * np.prod(design.spacing), rel=1e-3)
    assert design.describe_thin_members() == ""
    part[4:] = part[:3] = False
    assert design.describe_thin_members().startswith("100 % of the part")
    assert block(part=part).picture != block().picture
