"""What exported surfaces come to stands in the table of crisp designs, whatever was re-analysed so far."""

from __future__ import annotations

import json

from benchmarks import surface_reanalysis
from benchmarks.crisp import SURFACE_COLUMNS, with_surfaces
from benchmarks.report import Table

ROW: surface_reanalysis.Row = {
    "problem": "hook",
    "grid": "48x24x24",
    "thinnest": 2,
    "thin": 14.8,
    "volume": -0.002,
    "compliance": 0.09,
    "surface": 4.7,
    "spread": -0.3,
    "voxels": 7.7,
    "elements": 25_000,
}


def test_columns_of_surfaces_are_filled_by_name_and_replaced_when_filled_again():
    found = Table("All", ("problem", "gap %"), (("hook", 14.0), ("heat_sink", 17.0)))
    once = with_surfaces(found, {"hook": ROW})
    assert once.columns == ("problem", "gap %", *SURFACE_COLUMNS)
    assert once.rows == (("hook", 14.0, 4.7, -0.3, 14.8), ("heat_sink", 17.0, None, None, None))
    assert with_surfaces(once, {"hook": ROW}) == once
    assert with_surfaces(once, {}).rows[0] == ("hook", 14.0, None, None, None)


def test_of_several_lines_of_a_problem_the_last_counts(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(ROW | {"surface": value}) + "\n" for value in (9.0, 1.0)))
    assert surface_reanalysis.load(path)["hook"]["surface"] == 1.0
    assert surface_reanalysis.load(tmp_path / "none.jsonl") == {}


def test_thick_and_thin_parts_are_judged_apart():
    thick = ROW | {"problem": "mbb", "grid": "240x80", "thin": 0.0, "surface": 0.9, "spread": 3.5}
    figures = {each.what: each for each in surface_reanalysis.figures({"hook": ROW, "mbb": thick})}
    off = "compliance of the surface off the part's, loads spread"
    assert figures[f"{off}, three voxels or more, worst"].met is False
    assert figures[f"{off}, thinner members, worst"].goal is None
    assert [len(table.rows) for table in surface_reanalysis.tables({"hook": ROW, "mbb": thick})] == [1, 1]
    assert surface_reanalysis.figures({}) == []
