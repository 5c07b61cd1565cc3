"""Claim: a design that is projected to black and white is the part that is made of it, is stationary, is at
least as stiff as the part of a grey design, and takes at most 1.5 times as long.

Solves every named problem and 20 random ones with and without projection, in turns, on one thread, and
measures both by their finished parts: 0/1 voxels of the same volume, solved once more. Times are processor
seconds of the whole solve, so that what else the machine does hardly counts.

Names restrict the run; `--random N` takes fewer random problems.

What the exported surface of the part comes to is measured by `python -m benchmarks.surface_reanalysis`,
which keeps its rows; `python -m benchmarks.crisp --table` takes them into the table that is there and solves
nothing.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import trabecula as tb
from benchmarks import random_problems, surface_reanalysis
from benchmarks.report import RESULTS, Cell, Figure, Report, Table, arguments, finish, size_text
from trabecula.problem import problems

COLUMNS = (
    "problem",
    "grid",
    "reported over its part, grey %",
    "reported over its part %",
    "part against the grey one's %",
    "gap, grey %",
    "gap %",
    "KKT",
    "grey %",
    "time ratio",
    "word",
)
SURFACE_COLUMNS = ("surface over its part %", "the same, loads spread %", "members below three voxels %")


@dataclass(frozen=True)
class Pair:
    """A problem solved both ways.

    Attributes
    ----------
    name
        Of the problem.
    is_named
        Whether it is one of the literature's.
    grey, crisp
        The results without and with projection.
    ratio
        Processor seconds with projection over those without.
    """

    name: str
    is_named: bool
    grey: tb.Result
    crisp: tb.Result
    ratio: float

    @property
    def grid(self) -> str:
        """Elements, as text."""
        return size_text(self.crisp.problem.domain.elements)

    @property
    def against_grey(self) -> float:
        """By how much the part is more compliant than that of the grey design, in per cent."""
        return 100.0 * (part_of(self.crisp).compliance / part_of(self.grey).compliance - 1.0)

    @property
    def residual(self) -> float:
        """KKT residual of the projected design."""
        return self.crisp.certificate.kkt_residual or 0.0


def part_of(result: tb.Result) -> tb.Part:
    """The finished part, which every solve has."""
    assert result.part is not None
    return result.part


def overstated(result: tb.Result) -> float:
    """By how much the reported compliance exceeds that of the part, in per cent."""
    return 100.0 * (result.compliance / part_of(result).compliance - 1.0)


def gap(result: tb.Result) -> float | None:
    """Gap to the lower bound in per cent; None where no bound is known."""
    found = result.certificate.gap
    return None if found is None else 100.0 * found


def solve(problem: tb.Problem, projection: bool) -> tuple[tb.Result, float]:
    """A result and the processor seconds it took."""
    asked = replace(problem, options=replace(problem.options, projection=projection))
    clock = time.process_time()
    result = tb.solve(asked, threads=1)
    return result, time.process_time() - clock


def cases(names: list[str], count: int, quick: bool) -> Iterator[tuple[str, bool, tb.Problem]]:
    """The problems by name, and whether they are named ones."""
    for name in problems.names():
        if names and name not in names:
            continue
        problem = problems.get(name)
        if quick:
            problem = problems.get(name, tuple(n // 2 for n in problem.domain.elements))
        yield name, True, problem
    for number in range(count if not names else 0):
        yield f"random-{number}", False, random_problems.get(number, 0.5 if quick else 1.0)


def pair(name: str, is_named: bool, problem: tb.Problem) -> Pair:
    """Solve a problem both ways."""
    grey, slow = solve(problem, projection=False)
    crisp, fast = solve(problem, projection=True)
    found = Pair(name, is_named, grey, crisp, fast / slow)
    print(
        f"{name:14} {found.grid:>10} part {found.against_grey:+.2f} % of grey's, {found.ratio:.2f}x the time,"
        f" KKT {found.residual:.3f}, {crisp.word}",
        file=sys.stderr,
        flush=True,
    )
    return found


def row(found: Pair) -> tuple[Cell, ...]:
    """A line of the table."""
    grey = found.crisp.certificate.grey
    return (
        found.name,
        found.grid,
        overstated(found.grey),
        overstated(found.crisp),
        found.against_grey,
        gap(found.grey),
        gap(found.crisp),
        found.residual,
        None if grey is None else 100.0 * grey,
        found.ratio,
        found.crisp.word,
    )


def figures(pairs: list[Pair]) -> list[Figure]:
    """The claim's numbers."""
    named = [each for each in pairs if each.is_named]
    count = f"{len(pairs)} problems"
    stated = [abs(overstated(each.crisp)) for each in pairs]
    grey = [100.0 * (each.crisp.certificate.grey or 0.0) for each in pairs]
    residuals = [each.residual for each in pairs]
    gaps = [(gap(each.grey), gap(each.crisp)) for each in pairs]
    known = [(a, b) for a, b in gaps if a is not None and b is not None]
    certified = sum(each.crisp.word == "certified" for each in pairs)
    found = [
        Figure(
            "time with projection, of that without, median",
            statistics.median(each.ratio for each in pairs),
            "x",
            1.5,
            note=f"worst {max(each.ratio for each in pairs):.3g}x, {count}",
        ),
        Figure("reported compliance off that of the part, median", statistics.median(stated), "%"),
        Figure("reported compliance off that of the part, worst", max(stated), "%", 2.0, note=count),
        Figure("KKT residual, median", statistics.median(residuals), "", 0.02, note=count),
        Figure("KKT residual, worst", max(residuals), "", 0.05, note=count),
        Figure("grey, worst", max(grey), "%", 1.0, note=f"median {statistics.median(grey):.2g} %"),
        Figure("certified, of all", 100.0 * certified / len(pairs), "%", note=count),
    ]
    if named:
        found.append(
            Figure(
                "part more compliant than that of the grey design, worst of the named problems",
                max(each.against_grey for each in named),
                "%",
                0.0,
                note=f"median {statistics.median(each.against_grey for each in named):+.2g} %",
            )
        )
    if known:
        before, after = (statistics.median(values) for values in zip(*known, strict=True))
        found.append(
            Figure("gap to the lower bound, median", after, "%", note=f"without projection {before:.3g} %")
        )
    return found


def with_surfaces(found: Table, rows: Mapping[str, surface_reanalysis.Row]) -> Table:
    """The table with what exported surfaces come to; nothing where they were not re-analysed."""
    kept = [k for k, column in enumerate(found.columns) if column not in SURFACE_COLUMNS]
    name = found.columns.index("problem")

    def line(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        known = rows.get(str(cells[name]), {})
        return (*(cells[k] for k in kept), *(known.get(key) for key in ("surface", "spread", "thin")))

    return replace(
        found,
        columns=(*(found.columns[k] for k in kept), *SURFACE_COLUMNS),
        rows=tuple(map(line, found.rows)),
    )


def add_surfaces(report: Report) -> Report:
    """A report with the columns and figures of exported surfaces, in place of those that it has."""
    rows = surface_reanalysis.load()
    measured = surface_reanalysis.figures(rows)
    names = {each.what for each in measured}
    others = tuple(each for each in report.figures if each.what not in names)
    return replace(
        report,
        figures=(*others, *measured),
        tables=tuple(with_surfaces(each, rows) for each in report.tables),
    )


def main() -> None:
    """Solve, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("names", nargs="*", help="named problems; default: all, and random ones")
    parser.add_argument(
        "--random", type=int, default=random_problems.COUNT, help="random problems beside them"
    )
    parser.add_argument("--table", action="store_true", help="solve nothing, take in what surfaces come to")
    asked = parser.parse_args()
    if asked.table:
        path = asked.json or RESULTS / "crisp.json"
        add_surfaces(Report.load(path)).save(path)
        return
    pairs = [pair(*case) for case in cases(asked.names, asked.random, asked.quick)]
    table = Table("With projection against without", COLUMNS, tuple(map(row, pairs)))
    rows = {} if asked.quick else surface_reanalysis.load()
    finish(
        "crisp",
        __doc__ or "",
        asked,
        [*figures(pairs), *surface_reanalysis.figures(rows)],
        [with_surfaces(table, rows)],
    )


if __name__ == "__main__":
    main()
