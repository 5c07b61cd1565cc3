"""A part in a few lines: what an engineer asks first, in words that a summary and a report share."""

from __future__ import annotations

from collections.abc import Sequence

from trabecula.part.record import Part, PartCase, Peak


def describe_part(part: Part) -> list[tuple[str, str]]:
    """Names and values: mass, how far it moves (or how warm it gets), stress, safety, and whether it is one
    piece that carries its loads. Of several load cases the worst is named."""
    rows = [("mass", f"{_figure(part.mass, 'kg')}, {_percent(part.volume)} of the domain")]
    for name, found in (
        ("moves", [(case.displacement, case) for case in part.cases]),
        ("warmer by", [(case.temperature, case) for case in part.cases]),
        ("stress", [(case.stress, case) for case in part.cases]),
    ):
        peaks = [(peak, case) for peak, case in found if peak is not None]
        if peaks:
            peak, case = max(peaks, key=lambda pair: pair[0].largest)
            rows.append((name, f"at most {_size(name, peak.largest)}{_where(peak, case, part.cases)}"))
    safeties = [case.safety for case in part.cases if case.safety is not None]
    if safeties:
        rows.append(("safety", f"{_figure(min(safeties), '')} against yield"))
    rows.append(("one piece", _wholeness(part)))
    return rows


def _wholeness(part: Part) -> str:
    """Whether it is one piece that is held and loaded; what else there is to say of its shape."""
    is_whole = part.pieces == 1 and part.held and part.loaded >= 0.999
    said = ["yes" if part.pieces == 1 else f"no, {part.pieces} pieces"]
    if is_whole:
        said.append("held, carries its loads")
    if not part.held:
        said.append("not held")
    if part.loaded < 0.999:
        said.append(f"{_percent(1.0 - part.loaded)} of a load acts on no material")
    if part.free_supports:
        several = len(part.free_supports) > 1
        said.append(f"does not touch support{'s' * several} {', '.join(map(str, part.free_supports))}")
    if part.cavities:
        many = "1 closed cavity" if part.cavities == 1 else f"{part.cavities} closed cavities"
        said.append(f"{many}, which a printer may not empty")
    if part.removed > 0.0:
        said.append(f"{_percent(part.removed)} of the material carried nothing and was moved")
    return "; ".join(said)


def _where(peak: Peak, case: PartCase, cases: Sequence[PartCase]) -> str:
    of = f" in {case.name!r}" if len(cases) > 1 else ""
    at = "" if peak.at is None else f" at ({', '.join(f'{x:.4g}' for x in peak.at)}) m"
    return f"{of}{at}"


def _size(name: str, value: float) -> str:
    if name == "moves":
        return _figure(1e3 * value, "mm")
    return _figure(1e-6 * value, "MPa") if name == "stress" else _figure(value, "K")


def _figure(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".rstrip()


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"
