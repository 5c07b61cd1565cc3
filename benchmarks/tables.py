"""Writes what was measured into the pages: README.md, the index of docs/measured, a page for each benchmark.

`python -m benchmarks.tables` writes them from benchmarks/results; which figure goes where says
`benchmarks.pages`. README.md and docs/measured/index.md are rewritten between their markers
`<!-- figures -->` and `<!-- /figures -->`, the other pages as a whole. `--check` writes nothing and fails
where a page differs.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.digests import digest
from benchmarks.pages import HEADLINES, PAGES, Headline, Named, Note, Page
from benchmarks.report import RESULTS, ROOT, Figure, Report, markdown, with_unit

MEASURED = ROOT / "docs" / "measured"
INDEX = MEASURED / "index.md"
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
WRITTEN = (
    "<!-- Written by `python -m benchmarks.tables` from benchmarks/results: change nothing here by hand. -->"
)
NOTHING = "Not measured yet.\n"

Reports = Mapping[str, Report]
"""Reports by the name of their file without its ending."""


def reports(folder: Path = RESULTS) -> dict[str, Report]:
    """The results that are there and have a page, by the names of their files."""
    names = (name for page in PAGES for name in page.results)
    return {name: Report.load(path) for name in names if (path := folder / f"{name}.json").is_file()}


def figure(found: Reports, named: Named) -> Figure | None:
    """A figure by its name; None where its benchmark has not been run.

    Raises
    ------
    KeyError
        If the results are there and have no such figure.
    """
    name, what = named
    if name not in found:
        return None
    for each in found[name].figures:
        if each.what == what:
            return each
    raise KeyError(f"benchmarks/results/{name}.json has no figure {what!r}; benchmarks/pages.py names it")


def asked(one: Figure) -> str:
    """What is asked for, in words; empty where nothing is."""
    return (
        ""
        if one.goal is None
        else ("at least " if one.larger else "at most ") + with_unit(one.goal, one.unit)
    )


def verdict(one: Figure) -> str:
    """`met`, `missed`, or nothing where nothing is asked for or nothing was measured."""
    return {True: "met", False: "**missed**", None: ""}[one.met]


def command(name: str) -> str:
    """The command that prints a benchmark's figures."""
    return f"`python -m benchmarks.{name}`"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of texts."""
    lines = [[text.replace("|", "\\|") for text in row] for row in rows]
    return "\n".join(
        [
            f"| {' | '.join(columns)} |",
            "|" + "---|" * len(columns),
            *(f"| {' | '.join(line)} |" for line in lines),
        ]
    )


def machine(report: Report) -> str:
    """Where and with what a report was measured, in one sentence."""
    on, versions = report.machine, report.versions
    threads = "one thread" if report.threads == 1 else f"{report.threads} threads"
    return (
        f"{report.date}, {threads} on {on['processor']}, {on['cores']} cores,"
        f" {str(on['instruction_set']).upper()}, {on['memory_gb']:g} GB; trabecula {versions['trabecula']},"
        f" Python {versions['python']}, NumPy {versions['numpy']}"
    )


def readme(found: Reports, headlines: Sequence[Headline] = HEADLINES) -> str:
    """The table of the README: few figures, and beside each what else has to be said."""
    rows, machines = [], set()
    for each in headlines:
        one = figure(found, each.figure)
        if one is None:
            continue
        report = found[each.figure[0]]
        machines.add(f"{report.machine['processor']}, {report.threads} threads")
        missed = " (missed)" if one.met is False else ""
        measured = f"**{with_unit(one.value, one.unit)}**{missed}"
        rows.append([each.says, measured, asked(one), beside(found, each.beside), command(report.name)])
    if not rows:
        return NOTHING
    columns = ("what", "measured", "asked for", "beside it", "printed by")
    return f"{table(columns, rows)}\n\nMeasured on {'; '.join(sorted(machines))}.\n"


def beside(found: Reports, parts: Sequence[str | Named | Note]) -> str:
    """Words, notes and figures, each figure with what was asked for where that was missed."""
    said = []
    for part in parts:
        if isinstance(part, str):
            said.append(part)
        elif (one := figure(found, part.figure if isinstance(part, Note) else part)) is None:
            continue
        elif isinstance(part, Note):
            said.append(one.note)
        else:
            missed = f" (missed: {asked(one)})" if one.met is False else ""
            said.append(f"{with_unit(one.value, one.unit)}{missed}")
    return " ".join(said).replace(" ;", ";")


def index(found: Reports, pages: Sequence[Page] = PAGES) -> str:
    """What stands on the index: a line for each page, every miss, and the commands that keep no results."""
    shown = [page for page in pages if any(name in found for name in page.results)]
    if not shown:
        return NOTHING
    lines, misses = [], []
    for page in shown:
        here = [found[name] for name in page.results if name in found]
        figures = [one for report in here for one in report.figures]
        goals = [one for one in figures if one.met is not None]
        link = f"[{page.title}]({page.name}.md)"
        for place, what in enumerate(page.headline):
            one = next((one for one in figures if one.what == what), None)
            if one is None:
                raise KeyError(
                    f"no results of the page {page.name} have a figure {what!r}; benchmarks/pages.py names it"
                )
            count = f"{sum(bool(one.met) for one in goals)} of {len(goals)}" if goals else "–"
            first = (link, count, f"`benchmarks.{here[0].name}`") if place == 0 else ("", "", "")
            value = with_unit(one.value, one.unit)
            lines.append([first[0], one.what, value, asked(one), verdict(one), first[1], first[2]])
        misses += [
            [one.what, with_unit(one.value, one.unit), asked(one), link]
            for one in figures
            if one.met is False
        ]
    columns = ("claim", "figure", "measured", "asked for", "", "met", "`python -m`")
    held = sum(one.met is not None for report in found.values() for one in report.figures)
    parts = [
        table(columns, lines),
        "## What was missed",
        f"Of {held} figures with a goal these {len(misses)} miss it. The page of each says why, and what"
        " follows from it.",
        table(("figure", "measured", "asked for", "page"), misses),
        "## Commands that keep no results",
        "These print what they find and leave no file in `benchmarks/results`.",
        table(("command", "what it shows"), [[command(name), says] for name, says in unkept(found)]),
    ]
    return "\n" + "\n\n".join(parts) + "\n\n"


def unkept(found: Reports) -> list[tuple[str, str]]:
    """Benchmarks that can be run and have no results here: name, and how their docstring begins."""
    kept = {report.name for report in found.values()} | {"tables"}
    rows = []
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        source = path.read_text()
        if path.stem not in kept and "\nif __name__ ==" in source:
            first = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0]
            rows.append((path.stem, sentence(first)))
    return rows


def sentence(claim: str) -> str:
    """A claim as a sentence of its own, on one line."""
    text = " ".join(claim.split()).removeprefix("Claim: ")
    return text[:1].upper() + text[1:]


def page_of(page: Page, found: Reports) -> str:
    """A whole page: the figures on top, how to read them, then the short tables."""
    here = [(name, found[name]) for name in page.results if name in found]
    claims = list(dict.fromkeys(sentence(report.claim) for _, report in here))
    rows = [
        [
            one.what + (f" ({one.note})" if one.note else ""),
            with_unit(one.value, one.unit),
            asked(one),
            verdict(one),
        ]
        for _, report in here
        for one in report.figures
    ]
    parts = [f"# {page.title}", WRITTEN, *claims, table(("figure", "measured", "asked for", ""), rows)]
    if page.reading:
        parts.append(page.reading)
    parts += [f"`{report.how}`: {machine(report)}." for _, report in here]
    files = ", ".join(f"`benchmarks/results/{name}.json`" for name, _ in here)
    parts.append(f"Every row and every digit: {files}.")
    for name, report in here:
        if len(here) > 1:
            parts.append(f"## {name}")
        for long in report.tables:
            parts += [
                part
                for short in digest(report.name, long)
                for part in (f"**{short.title}**", markdown(short))
            ]
    return "\n\n".join(parts) + "\n"


def replace_block(text: str, block: str) -> str | None:
    """The page with another block between its markers; None if it has none."""
    if not BLOCK.search(text):
        return None
    return BLOCK.sub(lambda match: match[1] + block + match[2], text)


def wanted(found: Reports) -> dict[Path, str | None]:
    """Every page as it should be; None for a page that has no markers to write between."""
    pages: dict[Path, str | None] = {
        path: replace_block(path.read_text(), block) if path.is_file() else None
        for path, block in ((README, readme(found)), (INDEX, index(found)))
    }
    for page in PAGES:
        if any(name in found for name in page.results):
            pages[MEASURED / f"{page.name}.md"] = page_of(page, found)
    return pages


def stale(found: Reports) -> list[Path]:
    """Pages that differ from the results, and pages of benchmarks that have no results."""
    pages = wanted(found)
    differ = [path for path, text in pages.items() if not path.is_file() or path.read_text() != text]
    return differ + [path for path in sorted(MEASURED.glob("*.md")) if path not in pages]


def main() -> None:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="fail where a page is out of date")
    found = reports()
    if parser.parse_args().check:
        sys.exit("\n".join(f"{path.relative_to(ROOT)} is out of date" for path in stale(found)) or None)
    for path, text in wanted(found).items():
        if text is None:
            print(f"{path.relative_to(ROOT)} has no markers to write between", file=sys.stderr)
            continue
        path.write_text(text)
        print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
