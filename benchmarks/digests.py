"""Long tables of results made short for a page: medians, worst cases and misses in place of every row.

Every row stays in `benchmarks/results/NAME.json`. A table of at most `MOST` rows is shown as it is; a longer
one by the digest that `DIGESTS` names for it, or else by the least, median and greatest value of each column.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

from benchmarks.report import Cell, Table, shown

MOST = 20
Row = dict[str, Cell]
Digest = Callable[[Table], list[Table]]


def digest(report: str, table: Table) -> list[Table]:
    """The tables that a page shows for one table of a report."""
    if len(table.rows) <= MOST:
        return [table]
    for (name, title), shorten in DIGESTS.items():
        if name == report and table.title.startswith(title):
            return shorten(table)
    return [extremes(table)]


def extremes(table: Table) -> Table:
    """Least, median and greatest value of every column of numbers."""
    lines: list[tuple[Cell, ...]] = []
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows if row[place] is not None]
        if cells and all(isinstance(cell, int | float) for cell in cells):
            found = [float(cell) for cell in cells]  # type: ignore[arg-type]
            lines.append((column, min(found), statistics.median(found), max(found)))
    title = f"{table.title} ({len(table.rows)} rows)"
    return Table(title, ("column", "least", "median", "greatest"), tuple(lines))


def number(cell: Cell) -> float | None:
    """The number that a cell begins with: of `80 %` 80, of `0.45 / 21` 0.45, of `∞` and `never` infinity."""
    if cell is None or isinstance(cell, int | float):
        return cell
    if cell in ("∞", "never"):
        return math.inf
    try:
        return float(cell.split()[0].rstrip("%"))
    except (ValueError, IndexError):
        return None


def rows_of(table: Table) -> list[Row]:
    """Rows as mappings from column to cell."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def groups(rows: Iterable[Row], key: Callable[[Row], tuple[Cell, ...]]) -> dict[tuple[Cell, ...], list[Row]]:
    """Rows that have the same key, in the order in which keys are first met."""
    found: dict[tuple[Cell, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def numbers(rows: Iterable[Row], column: str) -> list[float]:
    """The numbers of a column, those that are not known left out."""
    return [value for row in rows if (value := number(row[column])) is not None]


def median(values: Sequence[float], never: str = "∞") -> Cell:
    """The median as a cell; None without values, `never` where it is infinite."""
    if not values:
        return None
    found = statistics.median_high(values) if math.inf in values else statistics.median(values)
    return never if math.isinf(found) else found


def dimension(row: Row) -> str:
    """`2-D` or `3-D`, which the names of sets end with."""
    return str(row["set"]).rsplit(" ", 1)[-1]


def share(rows: Sequence[Row], column: str) -> Cell:
    """Mean of a column of per cents, each set weighted with its problems."""
    known = [(number(row[column]), number(row["problems"])) for row in rows]
    pairs = [(value, count) for value, count in known if value is not None and count]
    total = sum(count for _, count in pairs)
    return f"{shown(sum(value * count for value, count in pairs) / total)} %" if total else None


def total(rows: Sequence[Row], column: str) -> int:
    """Sum of a column of counts."""
    return int(sum(numbers(rows, column)))


def gains(table: Table) -> list[Table]:
    """Of `benchmarks.hybrid`: gains in wall time by opponent, and by set against the default."""
    rows = rows_of(table)
    lines: list[tuple[Cell, ...]] = []
    for key, found in groups(rows, lambda row: (dimension(row), row["against"], row["within"])).items():
        never = [str(row["never"]).split(" / ") for row in found]
        medians = numbers(found, "median")
        lines.append(
            (
                *key,
                total(found, "problems"),
                sum(int(other) for other, _ in never),
                sum(int(own) for _, own in never),
                median(medians),
                sum(value < 1 for value in medians),
                len(found),
                median(numbers(found, "at least")),
            )
        )
    by_opponent = Table(
        "How many times less wall time the learned start (in 2-D the default) takes than each opponent to"
        " come within a level of the better of the two ends: median of the sets' medians (at least: with all"
        " the time the other took where it never arrives)",
        (
            *("", "against", "within", "problems", "the other never arrives", "this one never arrives"),
            *("median", "sets where it is slower", "sets", "at least"),
        ),
        tuple(lines),
    )
    against = [row for row in rows if row["against"] == "S default"]
    by_set = Table(
        "How many times less wall time the learned start takes than the default, by set",
        ("set", "problems", "to 1 %, median", "worst", "to 0.1 %, median", "worst"),
        tuple(
            (
                name,
                found[0]["problems"],
                *(found[k][column] for k in range(2) for column in ("median", "worst")),
            )
            for (name,), found in groups(against, lambda row: (row["set"],)).items()
        ),
    )
    return [by_opponent, by_set]


def ends(table: Table) -> list[Table]:
    """Of `benchmarks.hybrid`: who comes near the best known, by method."""
    lines: list[tuple[Cell, ...]] = []
    for key, found in groups(rows_of(table), lambda row: (dimension(row), row["method"])).items():
        above = numbers(found, "end above %, median")
        near = [share(found, column) for column in ("within 1 %", "within 0.1 %")]
        worst = max(numbers(found, "worst"), default=None)
        lines.append(
            (
                *key,
                total(found, "problems"),
                *near,
                median(above),
                worst,
                median(numbers(found, "KKT at the stop")),
            )
        )
    columns = (
        *("", "method", "problems", "within 1 %", "within 0.1 %"),
        *("end above %, median of the sets", "worst problem", "KKT at the stop, median of the sets"),
    )
    return [Table("Against the best known of all methods", columns, tuple(lines))]


def costs(table: Table) -> list[Table]:
    """Of `benchmarks.hybrid`: seconds to come within levels of the best known, by method."""
    levels = ("5 %", "2 %", "1 %", "0.5 %", "0.1 %")
    lines = tuple(
        (*key, total(found, "problems"), *(median(numbers(found, level), "never") for level in levels))
        for key, found in groups(rows_of(table), lambda row: (dimension(row), row["method"])).items()
    )
    title = (
        "Seconds to come within levels of the best known: median of the sets' medians"
        " (never: on half of the sets or more)"
    )
    return [Table(title, ("", "method", "problems", *levels), lines)]


def decided(table: Table) -> list[Table]:
    """Of `benchmarks.hybrid`: how many designs were taken and refused, by method."""
    lines = tuple(
        (*key, total(found, "taken"), total(found, "refused"), median(numbers(found, "s each")))
        for key, found in groups(
            rows_of(table), lambda row: (dimension(row), row["method"], row["designs"])
        ).items()
    )
    return [
        Table(table.title, ("", "method", "designs", "taken", "refused", "s each, median of the sets"), lines)
    ]


def optima(table: Table) -> list[Table]:
    """Of `benchmarks.optima`: final compliances by method, and the problems where the default falls short."""
    rows = rows_of(table)
    methods = [column for column in table.columns if column.endswith(" %")]
    lines: list[tuple[Cell, ...]] = []
    for method in methods:
        line: list[Cell] = [method.removesuffix(" %")]
        for solid in (False, True):
            values = numbers([row for row in rows if (str(row["grid"]).count("x") == 2) == solid], method)
            line += [len(values), median(values), max(values, default=None)]
        lines.append(tuple(line))
    columns = ("method", "2-D problems", "median %", "worst %", "3-D problems", "median %", "worst %")
    short = tuple(
        tuple(row[column] for column in ("problem", "grid", "by", "cold %", "default %"))
        for row in rows
        if (number(row["default %"]) or 0) > 1
        or (number(row["default %"]) or 0) > (number(row["cold %"]) or math.inf)
    )
    return [
        Table("Final compliance above the best known", columns, tuple(lines)),
        Table(
            "Problems on which the default ends more than 1 % above the best known, or above the cold start",
            ("problem", "grid", "best known by", "cold %", "default %"),
            short,
        ),
    ]


def levels(table: Table) -> list[Table]:
    """Of `benchmarks.optima`: seconds to a level and how many problems reach it, a column for each level."""
    rows = rows_of(table)
    names = list(dict.fromkeys(str(row["within"]) for row in rows))
    lines = tuple(
        (method, *(f"{shown(row['s'])} s ({row['reached']})" for row in found))
        for (method,), found in groups(rows, lambda row: (row["method"],)).items()
    )
    return [Table(f"{table.title}: seconds (problems that arrive)", ("method", *names), lines)]


DIGESTS: dict[tuple[str, str], Digest] = {
    ("hybrid", "How many times less"): gains,
    ("hybrid", "Against the best known"): ends,
    ("hybrid", "Cost to come within"): costs,
    ("hybrid", "Designs of networks"): decided,
    ("optima", "Final compliance"): optima,
    ("optima", "Cost to come within"): levels,
}
"""Which digest shortens which table, by the report's name and the beginning of the table's title."""
