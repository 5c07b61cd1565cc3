"""What was asked, in a few lines a person reads at a glance, from the tree of the problem file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def summarise(problem: Mapping[str, object]) -> list[tuple[str, str]]:
    """Label and text for each thing a problem asks; one line that says where to look if it is empty.

    Parameters
    ----------
    problem
        Tree of the problem file as solved; what does not look like one is left out.
    """
    if not problem:
        return [("Problem", "see the problem file below")]
    rows = [
        ("Goal", _goal(problem.get("goal"))),
        ("Domain", _domain(problem.get("domain"), "mm" if problem.get("units") == "mm" else "m")),
        ("Material", _inline(problem.get("material"))),
        *(("Held", text) for text in _each(problem.get("supports"))),
        *(("Load", text) for text in _loads(problem)),
        *(("Region", text) for text in _each(problem.get("regions"))),
        *(("Hole", text) for text in _each(problem.get("holes"))),
        ("Options", _inline(problem.get("options"))),
    ]
    return [(label, text) for label, text in rows if text]


def name_goal(problem: Mapping[str, object]) -> str:
    """What the problem says is minimised; "compliance" if it does not say."""
    goal = problem.get("goal")
    return str(goal.get("minimize", "compliance")) if isinstance(goal, Mapping) else "compliance"


def _goal(goal: object) -> str:
    if not isinstance(goal, Mapping):
        return ""
    rest = {key: value for key, value in goal.items() if key != "minimize"}
    text = f"minimise {_inline(goal.get('minimize'))}"
    return f"{text} with {_inline(rest)}" if rest else text


def _domain(domain: object, unit: str) -> str:
    if not isinstance(domain, Mapping):
        return ""
    size, elements = domain.get("size"), domain.get("elements")
    parts = []
    if isinstance(size, Sequence):
        parts.append(f"{' × '.join(map(_inline, size))} {unit}")
    if isinstance(elements, Sequence):
        parts.append(f"{' × '.join(map(_inline, elements))} elements")
    others = {
        key: value for key, value in domain.items() if key not in {"size", "elements"} and value is not None
    }
    return ", ".join([*parts, *([_inline(others)] if others else [])])


def _loads(tree: Mapping[str, object]) -> list[str]:
    cases = tree.get("cases")
    if not isinstance(cases, Sequence) or isinstance(cases, str):
        return _each(tree.get("loads"))
    rows = []
    for case in cases:
        if isinstance(case, Mapping):
            label = f"{_inline(case.get('name'))} (weight {_inline(case.get('weight', 1))}): "
            rows += [label + text for text in _each(case.get("loads"))]
    return rows


def _each(items: object) -> list[str]:
    if not isinstance(items, Sequence) or isinstance(items, str):
        return []
    return [_inline(item) for item in items]


def _inline(value: object) -> str:
    """Nested values on one line, as a person would write them."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inline(item)}".strip() for key, item in value.items() if item is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"({', '.join(_inline(item) for item in value)})" if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
