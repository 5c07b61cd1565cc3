"""What a benchmark leaves: figures held against goals, tables, and the machine they were measured on."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
SCRATCH = ROOT / "out" / "benchmarks"
PACKAGES = ("numpy", "scipy")

Cell = str | int | float | None


@dataclass(frozen=True)
class Figure:
    """One number that answers a claim.

    Attributes
    ----------
    what
        What was measured.
    value
        None where it could not be measured.
    unit
        Printed after the number; "%" is printed with the number as it is.
    goal
        What is asked for; None where nothing is.
    larger
        Whether larger than the goal is better.
    note
        Said beside the figure: against what, or why it falls short.
    """

    what: str
    value: float | None
    unit: str = ""
    goal: float | None = None
    larger: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without goal or value."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.larger else self.value <= self.goal


@dataclass(frozen=True)
class Table:
    """Rows under named columns; numbers are kept as they are and rounded when they are shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Report:
    """What one benchmark measured; `name` is its module's, `how` the command that measured it."""

    name: str
    claim: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    how: str = ""
    threads: int = 2
    date: str = ""
    machine: dict[str, Cell] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(_spelled(asdict(self)), indent=1, ensure_ascii=False, allow_nan=False)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(content + "\n")
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Report:
        """The inverse of `save`."""
        content = json.loads(path.read_text())
        figures = tuple(Figure(**(f | {"value": _number(f["value"])})) for f in content.pop("figures"))
        tables = tuple(
            Table(t["title"], tuple(t["columns"]), tuple(tuple(row) for row in t["rows"]))
            for t in content.pop("tables")
        )
        return cls(figures=figures, tables=tables, **content)


def _spelled(content: Any) -> Any:
    """The same with infinite numbers, which JSON has not, as words."""
    if isinstance(content, dict):
        return {key: _spelled(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_spelled(value) for value in content]
    return "inf" if isinstance(content, float) and math.isinf(content) else content


def _number(value: float | str | None) -> float | None:
    return math.inf if value == "inf" else value  # type: ignore[return-value]


def arguments(claim: str) -> argparse.ArgumentParser:
    """The options that all benchmarks have: `--threads`, `--quick`, `--json`."""
    parser = argparse.ArgumentParser(description=claim, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--quick", action="store_true", help="small grids; results go to out/benchmarks")
    parser.add_argument("--json", type=Path, help="write the results here (default: benchmarks/results)")
    return parser


def finish(
    name: str,
    claim: str,
    asked: argparse.Namespace,
    figures: Iterable[Figure],
    tables: Iterable[Table],
) -> Report:
    """Stamp a benchmark's results with machine, versions and date; print and save them."""
    report = Report(
        name=name,
        claim=" ".join(claim.strip().split("\n\n")[0].split()),
        figures=tuple(figures),
        tables=tuple(tables),
        how=" ".join(["python -m", f"benchmarks.{name}", *map(_told, sys.argv[1:])]),
        threads=asked.threads,
        date=datetime.date.today().isoformat(),
        machine=machine(),
        versions=versions(),
    )
    for table in report.tables:
        print("\n" + plain(table))
    print("\n" + plain(figures_table(report.figures)))
    path = asked.json or (SCRATCH if asked.quick else RESULTS) / f"{name}.json"
    report.save(path)
    print(f"\nwritten: {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
    return report


def _told(argument: str) -> str:
    """An argument of the command as others can use it: of an absolute path the last part."""
    return Path(argument).name if Path(argument).is_absolute() else argument


def figures_table(figures: Sequence[Figure]) -> Table:
    """Figures beside their goals."""
    verdicts = {True: "yes", False: "no", None: ""}
    rows = tuple(
        (
            f"{f.what} ({f.note})" if f.note else f.what,
            with_unit(f.value, f.unit),
            "" if f.goal is None else ("at least " if f.larger else "at most ") + with_unit(f.goal, f.unit),
            verdicts[f.met],
        )
        for f in figures
    )
    return Table("Figures", ("what", "measured", "asked for", "met"), rows)


def with_unit(value: float | None, unit: str) -> str:
    """`0.25 s`, `20x`, `30 %`."""
    if value is None:
        return "not measured"
    if math.isinf(value):
        return "∞"
    return f"{shown(value)}x" if unit == "x" else f"{shown(value)} {unit}".strip()


def shown(cell: Cell) -> str:
    """A cell as it is printed: three or four digits of a number, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return str(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    if cell == 0 or not 1e-3 <= abs(cell) < 1e6:
        return f"{cell:.3g}".replace("e-0", "e-").replace("e+0", "e")
    digits = 4 if abs(cell) >= 1000 else 3
    return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{float(f'{cell:.{digits}g}'):g}"


def plain(table: Table) -> str:
    """The table for a terminal, numbers to the right."""
    cells = [table.columns, *(tuple(shown(cell) for cell in row) for row in table.rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(table.columns))]
    right = [_is_numeric(table, k) for k in range(len(table.columns))]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join([table.title, *lines])


def markdown(table: Table) -> str:
    """The table for a page, without its title."""
    right = [_is_numeric(table, k) for k in range(len(table.columns))]
    lines = [
        "| " + " | ".join(table.columns) + " |",
        "|" + "|".join("--:" if to_right else "---" for to_right in right) + "|",
        *("| " + " | ".join(shown(cell).replace("|", "\\|") for cell in row) + " |" for row in table.rows),
    ]
    return "\n".join(lines)


def _is_numeric(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and all(isinstance(cell, int | float) for cell in cells)


def median_seconds(action: Callable[[], object], repeats: int) -> float:
    """Median seconds of several calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def machine() -> dict[str, Cell]:
    """Processor, cores, memory, and the instruction set the compiled core uses."""
    from trabecula.physics.compiled_core import core

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 1e9, 1),
        "instruction_set": core.__name__.rsplit("_", 1)[-1],
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor() -> str:
    """The processor's name and, where Linux tells, its family and model (clouds hide the name)."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    said: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        said.setdefault(key.strip(), value.strip())
    name = said.get("model name", platform.machine())
    family, model = said.get("cpu family"), said.get("model")
    return name if family is None else f"{name} (family {family}, model {model})"


def versions() -> dict[str, str]:
    """Of Python and the packages that were measured."""
    from trabecula.version import VERSION

    packages = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {"trabecula": VERSION, "python": platform.python_version(), **packages}


def peak_megabytes() -> float:
    """The most memory this process has held so far, in MB."""
    try:
        status = Path("/proc/self/status").read_text()
        return next(float(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1e3
    except OSError:  # not Linux; there a child does not begin with its parent's peak either
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def size_text(elements: Sequence[int]) -> str:
    """`96x48x48`."""
    return "x".join(map(str, elements))


def parse_size(text: str) -> tuple[int, ...]:
    """The inverse of `size_text`."""
    return tuple(int(n) for n in text.split("x"))
