"""What a person wants to know of a result, in a dozen lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trabecula.cli.console import (
    number,
    output,
    percent,
    print_pairs,
    seconds,
)
from trabecula.problem.quantities import QUANTITIES
from trabecula.results.spoken_units import compliance_of, unit_of

if TYPE_CHECKING:
    from trabecula.results.records import LimitRecord
    from trabecula.results.result import Result

FILES = {
    "design.png": "picture",
    "design.stl": "surface (STL)",
    "design.3mf": "surface (3MF)",
    "design.vti": "voxels (ParaView)",
    "report.html": "report",
}


PLAIN = ("compliance", "thermal_compliance", "volume")


def print_summary(result: Result, folder: Path) -> None:
    """Print the word, the figures, the certificate and the files of a result to stdout."""
    from rich.text import Text

    colour = {"predicted": "yellow", "verified": "cyan", "certified": "green"}[result.word]
    output().print(Text.assemble((result.problem.name, "bold"), "  ", (result.word, colour)), soft_wrap=True)
    print_pairs([*_part(result), *_design(result), *_proof(result), *_way(result), *_files(folder)])


def _part(result: Result) -> list[tuple[str, str]]:
    """What an engineer asks first: mass, movement, safety, how much could be gained, one piece."""
    from trabecula.export.part_summary import describe_part

    part, gap = result.to_json()["part"], result.certificate.gap
    rows = describe_part(part, result.problem.units) if isinstance(part, dict) else []
    if gap is not None:
        rows.append(("gap", f"at most {percent(gap)} above the best of all designs"))
    if result.not_certified:
        rows.append(("not certified", result.not_certified))
    return rows


def _design(result: Result) -> list[tuple[str, str]]:
    elements = " x ".join(str(n) for n in result.problem.domain.elements)
    goal = result.problem.goal.volume
    asked = "" if goal is None else f" of {percent(goal)} allowed"
    return [
        ("elements", elements),
        *_objective(result),
        ("compliance", _compliance(result)),
        ("volume", f"{percent(result.volume)}{asked}"),
        *_limits(result),
    ]


def _compliance(result: Result) -> str:
    """That of the part, and of the design that it was made of."""
    designed = number(compliance_of(result.problem, result.compliance), _unit(result), 6)
    if result.part is None:
        return designed
    made = number(compliance_of(result.problem, result.part.compliance), _unit(result), 6)
    return f"{made}, {designed} as optimised"


def _objective(result: Result) -> list[tuple[str, str]]:
    """The goal's value, where it is neither the compliance nor the volume."""
    goal = result.problem.goal
    if goal.minimize in PLAIN and not goal.maximize:
        return []
    verb = "maximised" if goal.maximize else "minimised"
    units = result.problem.unit_system
    unit = getattr(QUANTITIES[goal.minimize] if goal.keys is None else goal.keys, "unit", "")
    value = number(units.from_si(result.objective, unit), units.unit(unit), 6)
    return [(goal.minimize, f"{value} ({verb})")]


def _limits(result: Result) -> list[tuple[str, str]]:
    """What became of the limits, that on the volume left out, which stands beside it."""
    said = {"at_most": "at most", "at_least": "at least"}

    def value(limit: LimitRecord, figure: float) -> str:
        unit = unit_of(result.problem, limit.name)
        return number(result.problem.unit_system.from_si(figure, unit), digits=6)

    return [
        (
            f"limit: {limit.name}",
            f"{value(limit, limit.value)}, {said[limit.sense]} {value(limit, limit.limit)} asked"
            f"{'' if limit.met else ': MISSED'}",
        )
        for limit in result.limits
        if limit.name != "volume"
    ]


def _proof(result: Result) -> list[tuple[str, str]]:
    proof = result.certificate
    return [
        ("lower bound", _bound(result)),
        ("equilibrium", number(proof.equilibrium_residual, digits=2)),
        ("stationary", number(proof.kkt_residual, digits=2)),
        ("grey", percent(proof.grey)),
    ]


def _bound(result: Result) -> str:
    proof = result.certificate
    if proof.lower_bound is None:
        return f"– ({result.no_bound or 'none is known for this goal'})"
    if result.problem.goal.minimize == "volume":
        return f"{percent(proof.lower_bound)}: no design as stiff uses less"
    least = compliance_of(result.problem, proof.lower_bound)
    return f"{number(least, _unit(result))}: no design of this volume is below"


def _unit(result: Result) -> str:
    return result.problem.unit_system.unit(result.problem.physics.compliance_unit)


def _way(result: Result) -> list[tuple[str, str]]:
    stages = ", ".join(f"{s.name} {s.iterations} ({seconds(s.seconds)})" for s in result.stages)
    return [
        ("way", f"{result.start}: {stages}" if stages else result.start),
        *_network_lines(result),
        ("iterations", f"{result.iterations}, {result.solves} solves on the full grid"),
        ("time", f"{seconds(result.seconds)}, {result.threads} thread{'s' * (result.threads > 1)}"),
    ]


def _network_lines(result: Result) -> list[tuple[str, str]]:
    """Of every kind of learned design: how many were taken, and what they cost."""
    rows = []
    for what in dict.fromkeys(trial.what for trial in result.trials):
        trials = [trial for trial in result.trials if trial.what == what]
        taken = sum(trial.accepted for trial in trials)
        networks = ", ".join(sorted({trial.network for trial in trials if trial.network}))
        by = f"by {networks}, " if networks else ""
        cost = seconds(sum(trial.seconds for trial in trials))
        rows.append((what, f"{by}{taken} of {len(trials)} taken ({cost})"))
    return rows


def _files(folder: Path) -> list[tuple[str, str]]:
    found = [(label, str(folder / name)) for name, label in FILES.items() if (folder / name).is_file()]
    return [("folder", str(folder)), *found]
