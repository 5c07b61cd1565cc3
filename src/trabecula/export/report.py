"""One self-contained page: the picture, what was asked, what was proven, how it was reached."""

from __future__ import annotations

import base64
import math
import platform
from collections.abc import Mapping, Sequence
from html import escape as escape_html
from importlib import resources
from typing import IO

from trabecula.drawing.chart import Row, convergence
from trabecula.drawing.verdicts import MEANINGS
from trabecula.export.design import Design
from trabecula.export.part_summary import describe_part
from trabecula.export.summary import name_goal, summarise
from trabecula.problem.physics import choose_physics
from trabecula.problem.unit_system import SI, UNIT_SYSTEMS, UnitSystem
from trabecula.storage.visible import visible

_CERTIFICATE: dict[str, tuple[str, str]] = {
    "equilibrium_residual": (
        "Equilibrium residual",
        "largest |f − K u| / |f| over the load cases, in double precision: how exactly forces balance",
    ),
    "kkt_residual": (
        "KKT residual",
        "projected step of the Lagrangian: about 1 at a uniform start, 0 where no small change is better",
    ),
    "lower_bound": (
        "Lower bound",
        "no design on this grid with this much material can have a smaller objective",
    ),
    "gap": ("Gap", "objective / lower bound − 1: the most that could still be gained, and often much less"),
    "volume_violation": ("Constraint violation", "by how much a limit is exceeded; 0 if it is kept"),
    "connected": (
        "Connected",
        "all material above half density is one piece that joins the loads to the supports",
    ),
    "grey": ("Grey", "mean of 4 x (1 − x): 0 is purely solid and void, 1 all half dense"),
}


def report(
    result: Mapping[str, object],
    history: Sequence[Row],
    picture: bytes,
    problem: Mapping[str, object],
    problem_text: str,
    machine: str | None = None,
) -> str:
    """An HTML page about a result that needs no other file and no network.

    Parameters
    ----------
    result
        What `result.json` holds: name, version, start, compliance, certificate, stages, word and so on.
        Missing keys are left out of the page.
    history
        Rows of the history, one per iteration.
    picture
        PNG of the design.
    problem
        Tree of the problem file as solved; it is summarised.
    problem_text
        The file itself, YAML; it is shown.
    machine
        What the numbers were made on; this machine if not given.

    Returns
    -------
    str
        The page. Every text that came from outside is escaped.
    """
    style = resources.files("trabecula.export").joinpath("report.css").read_text("utf-8")
    name = _text(result.get("name")) or "design"
    word = _text(result.get("word"))
    certificate = result.get("certificate")
    proven = certificate if isinstance(certificate, Mapping) else {}
    goal = name_goal(problem)
    # where volume is minimised the bound is a volume and has no place on the compliance axis
    bound = None if goal == "volume" else _finite(proven.get("lower_bound"))
    if bound is not None:  # the history is in SI
        bound = _units(result).to_si(bound, _compliance_unit(problem))
    unit = _units(result).unit(_compliance_unit(problem))
    image = base64.b64encode(picture).decode("ascii")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(name)}</title>",
            f"<style>{style}</style></head><body><main>",
            f"<header><h1>{escape(name)}</h1>{_badge(word)}</header>",
            f'<p class="key">{_key_figures(result, proven, unit)}</p>',
            f'<figure><img alt="The design" src="data:image/png;base64,{image}"></figure>',
            _part(result.get("part"), str(result.get("units"))),
            '<div class="columns">',
            f"<section><h2>What was asked</h2>{_table(summarise(problem))}",
            f"<h2>Stages</h2>{_stages(result.get('stages'))}</section>",
            f"<section><h2>What was proven</h2>{_meaning(word)}{_certificate(proven)}"
            f"{_not_certified(result)}{_no_bound(result)}</section>",
            "</div>",
            f"<section><h2>How it was reached</h2>{convergence(history, bound)}</section>",
            f"<details><summary>Problem file</summary><pre>{escape(problem_text)}</pre></details>",
            f"<footer>{_origin(result, machine)}</footer>",
            "</main></body></html>\n",
        ]
    )


def _units(result: Mapping[str, object]) -> UnitSystem:
    """The units that the figures of a result are in."""
    return UNIT_SYSTEMS.get(str(result.get("units")), SI)


def _compliance_unit(problem: Mapping[str, object]) -> str:
    """SI unit of the compliance of a problem file's tree."""
    name = problem.get("physics")
    return choose_physics(name_goal(problem), name if isinstance(name, str) else None).compliance_unit


def _badge(word: str) -> str:
    return f'<span class="badge {escape(word)}">{escape(word)}</span>' if word in MEANINGS else ""


def _meaning(word: str) -> str:
    rows = [
        f'<li class="{"this" if key == word else ""}"><b>{key}</b>: {escape(meaning)}</li>'
        for key, meaning in MEANINGS.items()
    ]
    return f'<ul class="words">{"".join(rows)}</ul>'


def _key_figures(result: Mapping[str, object], proven: Mapping[object, object], unit: str) -> str:
    figures = [
        (f"{unit} compliance", _quantity(result.get("compliance"))),
        ("volume fraction", _quantity(result.get("volume"))),
        ("gap to the lower bound", _percent(proven.get("gap"))),
        ("seconds", _quantity(result.get("seconds"), digits=3)),
        ("elements", _count(result.get("elements"))),
    ]
    shown = [f"<span><b>{escape(value)}</b> {label}</span>" for label, value in figures if value]
    if result.get("converged") is False:
        said = escape(str(result.get("message") or "stopped at the iteration limit"))
        shown.append(f'<span class="warning"><b>not converged</b>: {said}</span>')
    return " ".join(shown)


def _part(part: object, units: str) -> str:
    """What is made of the design: the figures of the finished part, and what its supports carry."""
    if not isinstance(part, Mapping):
        return ""
    rows = [(name.capitalize(), text) for name, text in describe_part(part, units)]
    compliance = _quantity(part.get("compliance"))
    rows += [("Compliance of the part", compliance)] if compliance else []
    for case in part.get("cases") or () if isinstance(part.get("cases"), Sequence) else ():
        reactions = case.get("reactions") if isinstance(case, Mapping) else None
        if isinstance(reactions, Sequence) and not isinstance(reactions, str):
            forces = "; ".join(f"({', '.join(map(_quantity, each))})" for each in map(_sequence, reactions))
            rows.append((f"Reactions, {_text(case.get('name'))}", forces))
    return f"<section><h2>The part</h2>{_table(rows)}</section>"


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _not_certified(result: Mapping[str, object]) -> str:
    reason = _text(result.get("not_certified"))
    return f"<p>Not certified: {escape(reason)}.</p>" if reason else ""


def _no_bound(result: Mapping[str, object]) -> str:
    reason = _text(result.get("no_bound"))
    return f"<p>No lower bound: {escape(reason)}.</p>" if reason else ""


def _certificate(proven: Mapping[object, object]) -> str:
    rows = []
    for key, (label, meaning) in _CERTIFICATE.items():
        value = proven.get(key)
        if isinstance(value, bool):
            shown = "yes" if value else "no"
        elif key == "gap":
            shown = _percent(value) or "not known"
        else:
            shown = _quantity(value) or "not known"
        rows.append(
            f'<tr><th>{label}</th><td class="number">{escape(shown)}</td></tr>'
            f'<tr class="meaning"><td colspan="2">{meaning}</td></tr>'
        )
    return f'<table class="certificate">{"".join(rows)}</table>'


def _stages(stages: object) -> str:
    if not isinstance(stages, Sequence) or isinstance(stages, str) or not stages:
        return "<p>None were kept.</p>"
    rows = [
        f"<tr><td>{escape(_text(stage.get('name')))}</td>"
        f'<td class="number">{escape(_text(stage.get("iterations")))}</td>'
        f'<td class="number">{_quantity(stage.get("seconds"), digits=3)}</td></tr>'
        for stage in stages
        if isinstance(stage, Mapping)
    ]
    head = "<tr><th>Stage</th><th>Iterations</th><th>Seconds</th></tr>"
    return f'<table class="stages"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = [f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in rows]
    return f"<table>{''.join(cells)}</table>"


def _origin(result: Mapping[str, object], machine: str | None) -> str:
    where = machine or f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    parts = [f"trabecula {_text(result.get('version'))}".strip(), where]
    if result.get("threads") is not None:
        parts.append(f"{_text(result['threads'])} thread{'s' * (result['threads'] != 1)}")
    if result.get("start") is not None:
        parts.append(f"start: {_text(result['start'])}")
    if result.get("iterations") is not None:
        parts.append(
            f"{_text(result['iterations'])} iterations, {_text(result.get('solves'))} solves on this grid"
        )
    return escape(" · ".join(parts))


def escape(text: str) -> str:
    """A text for a page: neither markup, nor a character that changes what is read."""
    return escape_html(visible(text))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _quantity(value: object, digits: int = 5) -> str:
    number = _finite(value)
    return "" if number is None else f"{number:.{digits}g}"


def _percent(value: object) -> str:
    number = _finite(value)
    return "" if number is None else f"{100 * number:.3g} %"


def _count(elements: object) -> str:
    if not isinstance(elements, Sequence) or isinstance(elements, str):
        return ""
    return " × ".join(_text(n) for n in elements)


class Report:
    """The format by name; see `trabecula.export.Export`."""

    file_name = "report.html"
    description = "One page that says it all, report.html."

    def write(self, file: IO[bytes], design: Design) -> None:
        """Write the page about a design."""
        page = report(design.record, design.history, design.picture, design.problem, design.problem_text)
        file.write(page.encode())
