"""Writes what was measured into README.md and docs/measured.md, between their markers `<!-- figures -->` and
`<!-- /figures -->`; README gets the figures, the page all tables too.

`--check` writes nothing and fails where the files differ from the results.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from benchmarks.report import RESULTS, ROOT, Report, figures_table, markdown

ORDER = (
    *("file_to_design", "hybrid", "optima", "iteration", "peers", "multigrid", "kernels", "estimates"),
    *("candidate-corrector-3d", "candidate-corrector-2d", "candidate-leap-3d"),
    *("scouts-3d", "scouts-2d", "proposer", "ablation", "protocol"),
    *("efficiency", "distillation", "latent", "graph"),
)
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)


def reports(folder: Path = RESULTS) -> list[Report]:
    """The results that are there, in the order they are shown."""
    return [Report.load(folder / f"{name}.json") for name in ORDER if (folder / f"{name}.json").is_file()]


def where(report: Report) -> str:
    """Machine, versions and command of a report in one sentence."""
    machine, versions = report.machine, report.versions
    return (
        f"`{report.how}`, {report.date}, {report.threads} threads on {machine['processor']},"
        f" {machine['cores']} cores, {str(machine['instruction_set']).upper()}, {machine['memory_gb']:g} GB;"
        f" trabecula {versions['trabecula']}, Python {versions['python']}, NumPy {versions['numpy']}"
    )


def short(found: list[Report]) -> str:
    """The figures that have goals, one table for all benchmarks."""
    if not found:
        return "Not measured yet.\n"
    lines = ["| what | measured | asked for | by |", "|---|---|---|---|"]
    for report in found:
        for row in figures_table([f for f in report.figures if f.goal is not None]).rows:
            what, value, goal, met = map(str, row)
            missed = " (missed)" if met == "no" else ""
            lines.append(f"| {what} | **{value}**{missed} | {goal} | `benchmarks.{report.name}` |")
    machines = sorted({f"{r.machine['processor']}, {r.threads} threads" for r in found})
    return "\n".join([*lines, "", f"Measured on {'; '.join(machines)}."]) + "\n"


def full(found: list[Report]) -> str:
    """Everything: claim, figures and tables of every benchmark."""
    if not found:
        return "Not measured yet.\n"
    parts = []
    for report in found:
        claim = report.claim.removeprefix("Claim: ")
        parts += [f"## {report.name}", claim[:1].upper() + claim[1:], f"({where(report)})"]
        parts.append(markdown(figures_table(report.figures)))
        for table in report.tables:
            parts += [f"**{table.title}**", markdown(table)]
    return "\n\n" + "\n\n".join(parts) + "\n\n"


def replaced(text: str, block: str) -> str | None:
    """The page with another block between its markers; None if it has none."""
    if not BLOCK.search(text):
        return None
    return BLOCK.sub(lambda match: match[1] + block + match[2], text)


def pages(found: list[Report]) -> dict[Path, str]:
    """The block that belongs into each page."""
    return {ROOT / "README.md": short(found), ROOT / "docs" / "measured.md": full(found)}


def stale(found: list[Report]) -> list[Path]:
    """Pages whose block is not that of the results."""
    return [
        path
        for path, block in pages(found).items()
        if path.is_file() and replaced(text := path.read_text(), block) not in (text, None)
    ]


def main() -> None:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where a page is out of date")
    asked = parser.parse_args()
    found = reports()
    if asked.check:
        sys.exit("\n".join(f"{path.name} is out of date" for path in stale(found)) or None)
    for path, block in pages(found).items():
        text = replaced(path.read_text(), block) if path.is_file() else None
        if text is None:
            print(f"{path.name} has no markers", file=sys.stderr)
            continue
        path.write_text(text)
        print(f"written: {path.name}")


if __name__ == "__main__":
    main()
