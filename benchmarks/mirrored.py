"""How far apart a problem and its mirror image end. Two things tell them apart: the default search draws
random fields, which are not the mirrored ones; and where the way to a design branches, the last digits of
loose solves decide.

    python -m benchmarks.mirrored
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trabecula as tb
from benchmarks.report import Cell, Figure, Table, arguments, finish
from trabecula.problem.yaml_strict import parse_text

NAMES = ("mbb", "cantilever", "l_bracket", "torsion")
STARTS = ("coarse", "uniform")


def mirror(problem: tb.Problem) -> tb.Problem:
    """The mirror image in x; for selections by planes, ranges and points, and loads by forces."""
    tree: Any = parse_text(tb.dump(problem))
    length = tree["domain"]["size"][0]
    cases = tree.get("cases", [{"loads": tree.get("loads", [])}])
    loads = [load for case in cases for load in case["loads"]]
    for part in (*tree["supports"], *loads, *tree["regions"]):
        part["where"] = _mirror_where(part["where"], length)
    for load in loads:
        assert "force" in load, "pressures and weights are not mirrored here"
        load["force"][0] = -load["force"][0]
    return tb.parse(tree)


def _mirror_where(where: object, length: float) -> object:
    if not isinstance(where, Mapping):
        return where
    assert set(where) <= {"x", "y", "z", "nodes"}, f"{set(where)} are not mirrored here"
    turned = dict(where)
    if "nodes" in where:
        turned["nodes"] = [[length - x, *rest] for x, *rest in where["nodes"]]
    if "x" in where:
        x = where["x"]
        turned["x"] = [length - x[1], length - x[0]] if isinstance(x, list) else length - x
    return turned


def measure(name: str, start: str, threads: int, quick: bool) -> tuple[Cell, ...]:
    """Solve a named problem and its mirror image to the default stop."""
    problem = tb.problems.get(name)
    if quick:
        problem = tb.problems.get(name, tuple(n // 2 for n in problem.domain.elements))
    one, other = (
        tb.solve(each, start=start, threads=threads).compliance for each in (problem, mirror(problem))
    )
    return name, start, one, other, 100 * (max(one, other) / min(one, other) - 1.0)


def main() -> None:
    """Measure, print and write down."""
    asked = arguments(__doc__ or "").parse_args()
    rows = tuple(measure(name, start, asked.threads, asked.quick) for name in NAMES for start in STARTS)
    columns = ("problem", "start", "compliance", "mirrored", "apart, %")
    farthest = {start: max(float(row[4] or 0.0) for row in rows if row[1] == start) for start in STARTS}
    figures = [Figure(f"farthest apart, --start {start}", value, "%") for start, value in farthest.items()]
    finish(
        "mirrored", __doc__ or "", asked, figures, [Table("a problem and its mirror image", columns, rows)]
    )


if __name__ == "__main__":
    main()
